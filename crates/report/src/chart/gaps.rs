//! Each forecast's distance to the closing line, with its standard error.

use market::score::ForecastScore;
use plotters::{coord::Shift, prelude::*};

use super::{ACCENT, Chart, ChartError, DrawError, Drawing, MUTED, RULE, label_style, render};
use crate::format::{number, signed};

struct Plot {
    /// Name, difference, standard error; from the best to the worst.
    rows: Vec<(String, f64, f64)>,
    low: f64,
    high: f64,
}

/// Draws the plot; none where nothing is compared with a closing line.
pub(crate) fn chart(forecasts: &[ForecastScore]) -> Result<Option<Chart>, ChartError> {
    let compared = forecasts.iter().filter(|forecast| forecast.name != "closing_line");
    let mut rows: Vec<(String, f64, f64)> = compared
        .filter_map(|f| Some((f.name.replace('_', " "), f.log_loss_minus_closing?, f.standard_error?)))
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (Some(worst), Some(best)) = (rows.first(), rows.last()) else { return Ok(None) };
    let alt = format!(
        "Log-loss above the closing line, with two standard errors: from {} {} to {} {}.",
        best.0,
        signed(best.1, 4),
        worst.0,
        signed(worst.1, 4)
    );
    let low = rows.iter().map(|row| row.1 - 2.0 * row.2).fold(0.0, f64::min);
    let high = rows.iter().map(|row| row.1 + 2.0 * row.2).fold(0.0, f64::max);
    let margin = (high - low).max(1e-3) * 0.04;
    render(&Plot { rows, low: low - margin, high: high + margin }, "gaps", alt).map(Some)
}

impl Drawing for Plot {
    const NAME: &'static str = "gaps";
    const HEIGHT: u32 = 330;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let last = self.rows.len() as f64 - 0.5;
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * scale)
            .margin_left(4 * scale)
            .margin_right(26 * scale)
            .x_label_area_size(48 * scale)
            .y_label_area_size(140 * scale)
            .build_cartesian_2d(self.low..self.high, -0.5..last)?;
        let name = |place: f64| {
            let row = self.rows.get(place.round().max(0.0) as usize);
            row.filter(|_| (place - place.round()).abs() < 1e-6).map_or_else(String::new, |row| row.0.clone())
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(scale))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * scale)
            .x_labels(5)
            .y_labels(self.rows.len() + 1)
            .x_desc("log-loss minus the closing line's (bar: two standard errors)")
            .x_label_formatter(&|value| number(*value, 3))
            .y_label_formatter(&|place| name(*place))
            .label_style(label_style(scale))
            .axis_desc_style(label_style(scale))
            .draw()?;
        chart.draw_series(LineSeries::new([(0.0, -0.5), (0.0, last)], MUTED.stroke_width(scale)))?;
        for (index, (_, difference, error)) in self.rows.iter().enumerate() {
            let height = index as f64;
            let bar = [(difference - 2.0 * error, height), (difference + 2.0 * error, height)];
            chart.draw_series(LineSeries::new(bar, ACCENT.stroke_width(2 * scale)))?;
            chart.draw_series([Circle::new((*difference, height), 4 * scale, ACCENT.filled())])?;
        }
        Ok(())
    }
}
