//! Loss by epoch of every member's first fit: training in grey, validation in colour.

use plotters::{coord::Shift, prelude::*};

use super::{ACCENT, Chart, ChartError, DrawError, Drawing, MUTED, RULE, label_style, render};
use crate::{
    backtest::LearningCurve,
    format::{counted, number},
};

struct Plot<'a> {
    curves: &'a [LearningCurve],
    epochs: usize,
    low: f64,
    high: f64,
}

/// Draws the curves; none without one of two epochs.
pub(crate) fn chart(curves: &[LearningCurve]) -> Result<Option<Chart>, ChartError> {
    let epochs = curves.iter().map(|curve| curve.epochs.len()).max().unwrap_or(0);
    if epochs < 2 {
        return Ok(None);
    }
    let losses = || curves.iter().flat_map(|curve| &curve.epochs).flat_map(|(train, val)| [*train, *val]);
    let (low, high) = (losses().fold(f64::INFINITY, f64::min), losses().fold(f64::NEG_INFINITY, f64::max));
    let margin = ((high - low) * 0.06).max(1e-4);
    let alt = format!(
        "Training and validation loss by epoch of {}: between {} and {}.",
        counted(curves.len(), "fit"),
        number(low, 3),
        number(high, 3)
    );
    render(&Plot { curves, epochs, low: low - margin, high: high + margin }, "learning", alt).map(Some)
}

impl Drawing for Plot<'_> {
    const NAME: &'static str = "learning";
    const HEIGHT: u32 = 250;

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
            .y_label_area_size(70 * scale)
            .build_cartesian_2d(1.0..self.epochs as f64, self.low..self.high)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(scale))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * scale)
            .x_labels(self.epochs.min(8))
            .y_labels(5)
            .x_desc("epoch (grey: training, colour: validation)")
            .x_label_formatter(&|epoch| number(*epoch, 0))
            .y_label_formatter(&|loss| number(*loss, 3))
            .label_style(label_style(scale))
            .axis_desc_style(label_style(scale))
            .draw()?;
        for (color, pick) in [(MUTED, 0usize), (ACCENT, 1)] {
            for curve in self.curves {
                let points = curve.epochs.iter().enumerate();
                let line = points.map(|(epoch, (train, validation))| {
                    ((epoch + 1) as f64, if pick == 0 { *train } else { *validation })
                });
                chart.draw_series(LineSeries::new(line, color.stroke_width(scale)))?;
            }
        }
        Ok(())
    }
}
