//! The reliability plot: what was forecast against what came true.

use market::score::ReliabilityBin;
use plotters::{coord::Shift, prelude::*};

use super::{ACCENT, Chart, ChartError, DrawError, Drawing, MUTED, Picture, RULE, label_style, render};
use crate::Locale;

struct Plot {
    bins: Vec<ReliabilityBin>,
    locale: Locale,
}

/// Draws the plot; none without a bin that can be drawn.
pub(crate) fn chart(bins: &[ReliabilityBin], locale: &Locale) -> Result<Option<Chart>, ChartError> {
    plot(bins, locale).map(|(plot, alt)| render(&plot, "reliability", alt)).transpose()
}

/// Draws the plot for a page alone; none without a bin that can be drawn.
pub(crate) fn picture(bins: &[ReliabilityBin], locale: &Locale) -> Result<Option<Picture>, ChartError> {
    plot(bins, locale).map(|(plot, alt)| super::picture(&plot, alt)).transpose()
}

fn plot(bins: &[ReliabilityBin], locale: &Locale) -> Option<(Plot, String)> {
    let is_share = |share: f64| (0.0..=1.0).contains(&share);
    let bins = bins.iter().copied().filter(|bin| is_share(bin.forecast) && is_share(bin.observed));
    let bins: Vec<_> = bins.collect();
    let worst = bins.iter().max_by(|a, b| gap(a).total_cmp(&gap(b)));
    let worst = worst?;
    let forecasts = locale.counted(bins.iter().map(|bin| bin.count).sum(), "forecast");
    let (forecast, observed) = (locale.percent(worst.forecast, 0), locale.percent(worst.observed, 0));
    let values = [("forecasts", forecasts.as_str()), ("forecast", &forecast), ("observed", &observed)];
    let alt = locale.say_with("chart-reliability", &values);
    Some((Plot { bins, locale: locale.clone() }, alt))
}

fn gap(bin: &ReliabilityBin) -> f64 {
    (bin.forecast - bin.observed).abs()
}

impl Drawing for Plot {
    const NAME: &'static str = "reliability";
    const HEIGHT: u32 = 290;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * scale)
            .margin_left(4 * scale)
            .margin_right(26 * scale)
            .x_label_area_size(48 * scale)
            .y_label_area_size(60 * scale)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(scale))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * scale)
            .x_labels(6)
            .y_labels(6)
            .x_desc(self.locale.say("axis-forecast"))
            .y_desc(self.locale.say("axis-observed"))
            .x_label_formatter(&|share| self.locale.drawn(share * 100.0, 0))
            .y_label_formatter(&|share| self.locale.drawn(share * 100.0, 0))
            .label_style(label_style(scale))
            .axis_desc_style(label_style(scale))
            .draw()?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], MUTED.stroke_width(scale)))?;
        let line = self.bins.iter().map(|bin| (bin.forecast, bin.observed));
        chart.draw_series(LineSeries::new(line, ACCENT.stroke_width(2 * scale)))?;
        let most = self.bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1) as f64;
        let dot = |bin: &ReliabilityBin| {
            // The dot's area, not its radius, grows with the games.
            let radius = 3.0 + 4.0 * (bin.count as f64 / most).sqrt();
            Circle::new((bin.forecast, bin.observed), (radius * f64::from(scale)) as i32, ACCENT.filled())
        };
        chart.draw_series(self.bins.iter().map(dot))?;
        Ok(())
    }
}
