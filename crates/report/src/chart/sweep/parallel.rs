//! Parallel coordinates: a line per trial through its settings, to its loss.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{SweepTrial, best, range};
use crate::{
    chart::{ACCENT, Chart, ChartError, DrawError, Drawing, MUTED, RULE, WIDTH, render},
    format::{counted, number},
};

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its name; underscores are shown as spaces.
    pub name: String,
    /// Where its values lie.
    pub scale: Scale,
}

/// Where the values of an axis lie.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Evenly between these.
    Linear(f64, f64),
    /// By orders of magnitude between these, which are positive.
    Log(f64, f64),
    /// At one of these, from the bottom to the top.
    Labels(Vec<String>),
}

impl Axis {
    /// An axis with an even scale.
    pub fn linear(name: impl Into<String>, low: f64, high: f64) -> Self {
        Self { name: name.into(), scale: Scale::Linear(low, high) }
    }

    /// An axis by orders of magnitude.
    pub fn log(name: impl Into<String>, low: f64, high: f64) -> Self {
        Self { name: name.into(), scale: Scale::Log(low, high) }
    }

    /// An axis of labels.
    pub fn labels<S: Into<String>>(name: impl Into<String>, labels: impl IntoIterator<Item = S>) -> Self {
        Self { name: name.into(), scale: Scale::Labels(labels.into_iter().map(Into::into).collect()) }
    }

    /// Returns how high a value stands, 0 at the bottom and 1 at the top.
    fn height(&self, value: f64) -> Option<f64> {
        let height = match &self.scale {
            Scale::Linear(low, high) => (value - low) / (high - low),
            Scale::Log(low, high) => (value / low).ln() / (high / low).ln(),
            // A margin at both ends, so that labels stand apart from names.
            Scale::Labels(labels) => (value + 0.5) / labels.len() as f64,
        };
        height.is_finite().then(|| height.clamp(0.0, 1.0))
    }

    fn ends(&self) -> Option<(String, String)> {
        match &self.scale {
            Scale::Linear(low, high) if short(*low) == short(*high) => {
                Some((number(*low, 4), number(*high, 4)))
            }
            Scale::Linear(low, high) | Scale::Log(low, high) => Some((short(*low), short(*high))),
            Scale::Labels(_) => None,
        }
    }
}

/// Axes beside the loss that there is room for.
const MOST_AXES: usize = 7;
const TOP: i32 = 62;
const BOTTOM: i32 = 248;
const UNSET: i32 = 284;
const SIDE: i32 = 44;
/// Longest line of a name, in characters.
const LONGEST: usize = 11;

struct Plot<'a> {
    axes: &'a [Axis],
    loss: Axis,
    trials: &'a [SweepTrial],
    best: usize,
    /// Losses from the best to the worst, to colour by rank.
    ranked: Vec<f64>,
}

/// Draws a line per trial; none without an axis, two trials with a loss, or a complete one. The first seven axes are drawn.
pub fn parallel(axes: &[Axis], trials: &[SweepTrial]) -> Result<Option<Chart>, ChartError> {
    let shown = &axes[..axes.len().min(MOST_AXES)];
    let mut ranked: Vec<f64> = trials.iter().filter_map(SweepTrial::shown).collect();
    ranked.sort_by(f64::total_cmp);
    let Some((best, loss)) = best(trials).filter(|_| ranked.len() > 1 && !shown.is_empty()) else {
        return Ok(None);
    };
    let names: Vec<String> = shown.iter().map(|axis| axis.name.replace('_', " ")).collect();
    let alt = format!(
        "Settings and loss of {}: {}, and the loss; the best is trial {best} with {}.{}",
        counted(ranked.len(), "trial"),
        names.join(", "),
        number(loss, 4),
        left_out(axes.len() - shown.len()),
    );
    let (low, high) = range(trials);
    let plot = Plot { axes: shown, loss: Axis::linear("loss", low, high), trials, best, ranked };
    render(&plot, "sweep-parallel", alt).map(Some)
}

fn left_out(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " 1 more parameter is not drawn.".to_owned(),
        more => format!(" {more} more parameters are not drawn."),
    }
}

impl Plot<'_> {
    fn all_axes(&self) -> impl Iterator<Item = &Axis> {
        self.axes.iter().chain([&self.loss])
    }

    /// Returns where an axis stands, in CSS pixels from the left.
    fn x(&self, index: usize) -> i32 {
        SIDE + (WIDTH as i32 - 2 * SIDE) * index as i32 / self.axes.len() as i32
    }

    /// Returns the corners of a trial's line.
    fn line(&self, trial: &SweepTrial, scale: i32) -> Vec<(i32, i32)> {
        let values =
            (0..self.axes.len()).map(|i| trial.values.get(i).copied().flatten()).chain([trial.shown()]);
        let place = |(index, (axis, value)): (usize, (&Axis, Option<f64>))| {
            let height = value.and_then(|value| axis.height(value));
            let y = height.map_or(f64::from(UNSET), |h| f64::from(BOTTOM) - h * f64::from(BOTTOM - TOP));
            (self.x(index) * scale, (y * f64::from(scale)).round() as i32)
        };
        self.all_axes().zip(values).enumerate().map(place).collect()
    }

    /// Returns how good a trial is: 1 for the best, 0 for the worst and all that were pruned.
    fn rank(&self, trial: &SweepTrial) -> f64 {
        let Some(loss) = trial.completed() else { return 0.0 };
        let worse = self.ranked.iter().filter(|other| **other > loss).count();
        worse as f64 / (self.ranked.len() - 1).max(1) as f64
    }

    fn draw_lines<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let mut lines: Vec<_> = self.trials.iter().enumerate().filter(|(_, t)| t.shown().is_some()).collect();
        lines.sort_by(|a, b| self.rank(a.1).total_cmp(&self.rank(b.1)));
        for (_, trial) in lines.iter().filter(|(index, _)| *index != self.best) {
            let rank = self.rank(trial);
            let line = self.line(trial, scale as i32);
            // Two strokes rather than a mixed colour: the page's dark theme knows these two.
            let grey = MUTED.mix(0.30 * (1.0 - rank)).stroke_width(scale);
            area.draw(&PathElement::new(line.clone(), grey))?;
            if rank > 0.0 {
                let color = ACCENT.mix(0.75 * rank * rank).stroke_width(scale);
                area.draw(&PathElement::new(line, color))?;
            }
        }
        Ok(())
    }

    fn draw_axis<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: i32,
        (index, axis): (usize, &Axis),
    ) -> Result<(), DrawError<DB>> {
        let x = self.x(index) * scale;
        let style = |vertical| style(scale).pos(Pos::new(HPos::Center, vertical));
        let name = lines_of(&axis.name).join("\n");
        for (line, text) in name.lines().rev().enumerate() {
            let y = (TOP - 22 - 15 * line as i32) * scale;
            area.draw(&Text::new(text.to_owned(), (x, y), style(VPos::Bottom)))?;
        }
        if let Some((low, high)) = axis.ends() {
            area.draw(&Text::new(high, (x, (TOP - 4) * scale), style(VPos::Bottom)))?;
            area.draw(&Text::new(low, (x, (BOTTOM + 8) * scale), style(VPos::Top)))?;
        }
        let is_unset = |trial: &SweepTrial| trial.shown().is_some() && trial.values.get(index) == Some(&None);
        if self.trials.iter().any(is_unset) {
            area.draw(&Text::new("not set", (x, (UNSET + 6) * scale), style(VPos::Top)))?;
        }
        if let Scale::Labels(labels) = &axis.scale {
            for (place, label) in labels.iter().enumerate() {
                let height = axis.height(place as f64).unwrap_or(0.0);
                let y = f64::from(BOTTOM) - height * f64::from(BOTTOM - TOP);
                let beside = style_beside(scale);
                let at = (x + 6 * scale, (y * f64::from(scale)) as i32 - 3 * scale);
                area.draw(&Text::new(clip(label), at, beside))?;
            }
        }
        Ok(())
    }
}

impl Drawing for Plot<'_> {
    const NAME: &'static str = "sweep parallel";
    const HEIGHT: u32 = 310;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let pixels = scale as i32;
        for index in 0..=self.axes.len() {
            let x = self.x(index) * pixels;
            let axis = vec![(x, TOP * pixels), (x, BOTTOM * pixels)];
            area.draw(&PathElement::new(axis, RULE.stroke_width(2 * scale)))?;
        }
        self.draw_lines(area, scale)?;
        let line = self.line(&self.trials[self.best], pixels);
        for place in &line {
            area.draw(&Circle::new(*place, 4 * scale, ACCENT.filled()))?;
        }
        area.draw(&PathElement::new(line, ACCENT.stroke_width(3 * scale)))?;
        for axis in self.all_axes().enumerate() {
            self.draw_axis(area, pixels, axis)?;
        }
        Ok(())
    }
}

fn style(scale: i32) -> TextStyle<'static> {
    ("sans-serif", 15 * scale).into_font().color(&MUTED)
}

fn style_beside(scale: i32) -> TextStyle<'static> {
    style(scale).pos(Pos::new(HPos::Left, VPos::Bottom))
}

fn clip(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// Breaks a name between words into at most two lines.
fn lines_of(name: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in name.split(['_', ' ']).filter(|word| !word.is_empty()) {
        let (count, last) = (lines.len(), lines.len() - 1);
        let together = lines[last].chars().count() + 1 + word.chars().count();
        if lines[last].is_empty() {
            word.clone_into(&mut lines[last]);
        } else if together <= LONGEST || count == 2 {
            lines[last] = format!("{} {word}", lines[last]);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.iter().map(|line| clip(line)).collect()
}

/// Writes a number with three digits that matter, and no zeros behind.
fn short(value: f64) -> String {
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let text = number(value, (2 - magnitude).clamp(0, 9) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_between_words() {
        assert_eq!(lines_of("learning_rate"), ["learning", "rate"]);
        assert_eq!(lines_of("fan_out"), ["fan out"]);
        assert_eq!(lines_of("a_very_long_name_of_something"), ["a very long", "name of so…"]);
        assert_eq!(lines_of("extraordinarily"), ["extraordin…"]);
    }

    #[test]
    fn numbers_are_short() {
        let written: Vec<_> = [0.0, 5e-4, 0.02, 0.5, 12.0, 64.0, 1234.0, 0.6543].map(short).into();
        assert_eq!(written, ["0", "0.0005", "0.02", "0.5", "12", "64", "1234", "0.654"]);
    }

    #[test]
    fn heights_follow_the_scale() {
        assert_eq!(Axis::log("a", 0.01, 1.0).height(0.1), Some(0.5));
        assert_eq!(Axis::linear("a", 0.0, 4.0).height(1.0), Some(0.25));
        assert_eq!(Axis::labels("a", ["x", "y"]).height(1.0), Some(0.75));
        assert_eq!(Axis::linear("a", 1.0, 1.0).height(1.0), None);
    }

    #[test]
    fn ends_that_lie_close_are_told_apart() {
        let ends = |low, high| Axis::linear("loss", low, high).ends().unwrap();
        assert_eq!(ends(0.0, 0.5), ("0".to_owned(), "0.5".to_owned()));
        assert_eq!(ends(6.719, 6.7236), ("6.7190".to_owned(), "6.7236".to_owned()));
    }
}
