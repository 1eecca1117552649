//! A sweep: how the loss went from trial to trial, and which settings went with which loss.
//!
//! # Example
//! ```
//! use report::chart::sweep::{Axis, SweepTrial, TrialEnd, history, parallel};
//! let trial = |rate, loss| SweepTrial { end: TrialEnd::Complete, loss: Some(loss), values: vec![Some(rate)] };
//! let trials = [trial(0.01, 0.66), trial(0.004, 0.64), trial(0.001, 0.65)];
//! let chart = history(&trials).unwrap().unwrap();
//! assert!(chart.alt.starts_with("Validation loss of 3\u{a0}trials: the best, 0.6400, is trial 1"));
//! let axes = [Axis::log("learning_rate", 0.0005, 0.02)];
//! assert!(parallel(&axes, &trials).unwrap().unwrap().svg.starts_with("<svg"));
//! ```

mod parallel;

use plotters::{coord::Shift, prelude::*};

pub use parallel::{Axis, Scale, parallel};

use super::{ACCENT, Chart, ChartError, DrawError, Drawing, MUTED, RULE, label_style, render};
use crate::format::{counted, number};

/// One trial as it is drawn; its number is its place in the list, from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepTrial {
    /// How it ended.
    pub end: TrialEnd,
    /// Its loss, or the best that it had shown when it was pruned; none when there is none.
    pub loss: Option<f64>,
    /// One value per axis: the number, or the place of the label from 0; none where the parameter was not set.
    pub values: Vec<Option<f64>>,
}

/// How a trial ended, as far as a picture tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialEnd {
    /// Trained to its end.
    Complete,
    /// Given up early.
    Pruned,
    /// Diverged or failed.
    Failed,
}

impl SweepTrial {
    fn shown(&self) -> Option<f64> {
        self.loss.filter(|loss| loss.is_finite() && self.end != TrialEnd::Failed)
    }

    fn completed(&self) -> Option<f64> {
        self.shown().filter(|_| self.end == TrialEnd::Complete)
    }
}

/// Returns number and loss of the best complete trial; the earlier of equals.
fn best(trials: &[SweepTrial]) -> Option<(usize, f64)> {
    let complete = trials.iter().enumerate().filter_map(|(index, trial)| Some((index, trial.completed()?)));
    complete.min_by(|a, b| a.1.total_cmp(&b.1))
}

/// Returns the least loss and the greatest worth showing: one bad trial must not press the others together.
fn range(trials: &[SweepTrial]) -> (f64, f64) {
    let mut losses: Vec<f64> = trials.iter().filter_map(SweepTrial::shown).collect();
    losses.sort_by(f64::total_cmp);
    let (Some(low), Some(high)) = (losses.first(), losses.last()) else { return (0.0, 1.0) };
    let most = losses[(losses.len() - 1) * 9 / 10];
    let high = high.min(most + (most - low).max(1e-3));
    (*low, high)
}

struct History<'a> {
    trials: &'a [SweepTrial],
    low: f64,
    high: f64,
    /// Where losses beyond the range, and trials without one, are marked.
    top: f64,
}

/// Draws the loss by number with the best so far; none without two trials, or without a complete one.
pub fn history(trials: &[SweepTrial]) -> Result<Option<Chart>, ChartError> {
    let Some((index, loss)) = best(trials).filter(|_| trials.len() > 1) else { return Ok(None) };
    let count = |end| trials.iter().filter(|trial| trial.end == end).count();
    let alt = format!(
        "Validation loss of {}: the best, {}, is trial {index}; {} pruned, {} failed.",
        counted(trials.len(), "trial"),
        number(loss, 4),
        count(TrialEnd::Pruned),
        count(TrialEnd::Failed),
    );
    let (low, high) = range(trials);
    let margin = ((high - low) * 0.08).max(1e-4);
    let top = high + 1.5 * margin;
    render(&History { trials, low: low - margin, high: top + margin, top }, "sweep-history", alt).map(Some)
}

impl History<'_> {
    fn place(&self, index: usize) -> Option<(f64, f64)> {
        Some((index as f64, self.trials[index].shown()?)).filter(|(_, loss)| *loss < self.top)
    }

    /// Returns the corners of the line along the best so far.
    fn steps(&self) -> Vec<(f64, f64)> {
        let mut steps: Vec<(f64, f64)> = Vec::new();
        let complete =
            self.trials.iter().enumerate().filter_map(|(i, trial)| Some((i as f64, trial.completed()?)));
        for (at, loss) in complete {
            match steps.last().copied() {
                Some((_, best)) if loss < best => steps.extend([(at, best), (at, loss)]),
                Some(_) => {}
                None => steps.push((at, loss)),
            }
        }
        let end = steps.last().map(|(_, best)| ((self.trials.len() - 1) as f64, *best));
        steps.extend(end);
        steps.into_iter().map(|(at, loss)| (at, loss.min(self.top))).collect()
    }
}

impl Drawing for History<'_> {
    const NAME: &'static str = "sweep history";
    const HEIGHT: u32 = 270;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let last = (self.trials.len() - 1) as f64;
        let margin = (0.02 * last).max(0.2);
        let decimals = if self.high - self.low < 0.02 { 4 } else { 3 };
        let beyond = self.trials.iter().filter_map(SweepTrial::shown).any(|loss| loss >= self.top);
        let marks = if beyond { ", triangle: above" } else { "" };
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * scale)
            .margin_left(4 * scale)
            .margin_right(26 * scale)
            .x_label_area_size(48 * scale)
            .y_label_area_size(70 * scale)
            .build_cartesian_2d(-margin..last + margin, self.low..self.high)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(scale))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * scale)
            .x_labels(self.trials.len().min(8))
            .y_labels(5)
            .x_desc(format!("trial (dot: complete, ring: pruned, cross: failed{marks})"))
            .x_label_formatter(&|trial| whole(*trial))
            .y_label_formatter(&|loss| number(*loss, decimals))
            .label_style(label_style(scale))
            .axis_desc_style(label_style(scale))
            .draw()?;
        chart.draw_series(LineSeries::new(self.steps(), ACCENT.stroke_width(2 * scale)))?;
        for (index, trial) in self.trials.iter().enumerate() {
            let top = (index as f64, self.top);
            let (place, size) = (self.place(index), 3 * scale);
            match (trial.end, place) {
                (TrialEnd::Complete, Some(place)) => {
                    chart.draw_series([Circle::new(place, size, ACCENT.filled())])?;
                }
                (TrialEnd::Pruned, Some(place)) => {
                    chart.draw_series([Circle::new(place, size, MUTED.stroke_width(scale))])?;
                }
                (TrialEnd::Failed, _) => {
                    chart.draw_series([Cross::new(top, size, MUTED.stroke_width(scale))])?;
                }
                // A loss beyond the range: an arrow head at the edge.
                (TrialEnd::Complete | TrialEnd::Pruned, None) => {
                    let color = if trial.end == TrialEnd::Complete { ACCENT } else { MUTED };
                    chart.draw_series([TriangleMarker::new(top, size, color.filled())])?;
                }
            }
        }
        let best = best(self.trials).and_then(|(index, _)| self.place(index));
        chart.draw_series(best.map(|place| Circle::new(place, 6 * scale, ACCENT.stroke_width(scale))))?;
        Ok(())
    }
}

/// Writes the number of a trial; nothing between two trials.
fn whole(trial: f64) -> String {
    if (trial - trial.round()).abs() < 1e-6 { number(trial.round(), 0) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn trial(end: TrialEnd, loss: Option<f64>, value: f64) -> SweepTrial {
        SweepTrial { end, loss, values: vec![Some(value), None] }
    }

    fn trials() -> Vec<SweepTrial> {
        vec![
            trial(TrialEnd::Complete, Some(0.66), 0.01),
            trial(TrialEnd::Failed, None, 0.02),
            trial(TrialEnd::Pruned, Some(0.70), 0.001),
            trial(TrialEnd::Complete, Some(0.64), 0.003),
            trial(TrialEnd::Complete, Some(90.0), 0.02),
            trial(TrialEnd::Complete, Some(f64::NAN), 0.02),
        ]
    }

    #[test]
    fn both_pictures_have_words_and_both_forms() {
        let axes =
            [Axis::log("learning_rate", 5e-4, 2e-2), Axis::labels("<wide & \"gated\">", ["no", "<b>"])];
        let (history, parallel) =
            (history(&trials()).unwrap().unwrap(), parallel(&axes, &trials()).unwrap().unwrap());
        let expected = "Validation loss of 6\u{a0}trials: the best, 0.6400, is trial 3; 1 pruned, 1 failed.";
        assert_eq!(history.alt, expected);
        for chart in [history, parallel] {
            assert!(
                chart.svg.starts_with("<svg class=\"chart\" role=\"img\" aria-label=\""),
                "{}",
                chart.svg
            );
            assert!(chart.png.starts_with(b"\x89PNG") && chart.alt.len() > 30);
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("<b>") && !chart.svg.contains("<wide"));
        }
    }

    #[test]
    fn every_label_lies_within_the_picture() {
        let axes: Vec<Axis> = (0..9)
            .map(|i| Axis::linear(format!("quite_a_long_parameter_name_{i}"), 0.0, 0.123_456))
            .collect();
        let trial = |k: usize| SweepTrial {
            end: TrialEnd::Complete,
            loss: Some(0.6 + k as f64 * 1e-3),
            values: (0..9).map(|i| Some(0.01 * (k + i) as f64)).collect(),
        };
        let chart = parallel(&axes, &[trial(0), trial(1)]).unwrap().unwrap();
        let page = scraper::Html::parse_fragment(&chart.svg);
        let texts: Vec<_> = page.select(&scraper::Selector::parse("text").unwrap()).collect();
        assert!(texts.len() > 20);
        for text in texts {
            let place: f64 = text.value().attr("x").unwrap().parse().unwrap();
            let half = text.text().collect::<String>().trim().chars().count() as f64 * 3.6;
            assert!(place - half >= 0.0 && place + half <= 592.0, "{}", text.html());
        }
        assert!(chart.alt.ends_with("2 more parameters are not drawn."), "{}", chart.alt);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(history(&[]).unwrap(), None);
        assert_eq!(history(&trials()[..1]).unwrap(), None);
        let failed = vec![trial(TrialEnd::Failed, None, 0.01); 3];
        assert_eq!(history(&failed).unwrap(), None);
        assert_eq!(parallel(&[Axis::linear("a", 0.0, 1.0)], &failed).unwrap(), None);
        assert_eq!(parallel(&[], &trials()).unwrap(), None);
    }

    #[test]
    fn one_bad_trial_does_not_press_the_others_together() {
        let (low, high) = range(&trials());
        assert!(low < 0.65 && high < 1.0, "{low} {high}");
    }

    #[test]
    fn the_best_so_far_never_rises() {
        let all = trials();
        let plot = History { trials: &all, low: 0.0, high: 1.0, top: 1.0 };
        assert_eq!(plot.steps(), [(0.0, 0.66), (3.0, 0.66), (3.0, 0.64), (5.0, 0.64)]);
    }
}
