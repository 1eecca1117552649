//! The bankroll by day, with the band in which it was expected to lie.

use plotters::{coord::Shift, prelude::*};

use super::{ACCENT, BAND, Chart, ChartError, DrawError, Drawing, Picture, RULE, label_style, render};
use crate::{Locale, input::BankrollPoint};

struct Curve<'a> {
    points: &'a [BankrollPoint],
    low: f64,
    high: f64,
    locale: &'a Locale,
}

/// Draws the curve; none with fewer than two days.
pub(crate) fn chart(
    points: &[BankrollPoint],
    currency: &str,
    locale: &Locale,
) -> Result<Option<Chart>, ChartError> {
    curve(points, currency, locale).map(|(curve, alt)| render(&curve, "bankroll", alt)).transpose()
}

/// Draws the curve for a page alone; none with fewer than two days.
pub(crate) fn picture(
    points: &[BankrollPoint],
    currency: &str,
    locale: &Locale,
) -> Result<Option<Picture>, ChartError> {
    curve(points, currency, locale).map(|(curve, alt)| super::picture(&curve, alt)).transpose()
}

fn curve<'a>(points: &'a [BankrollPoint], currency: &str, locale: &'a Locale) -> Option<(Curve<'a>, String)> {
    let [first, .., last] = points else { return None };
    let amounts = points.iter().flat_map(|point| {
        let (low, high) = point.expected.unwrap_or((point.bankroll, point.bankroll));
        [point.bankroll.as_f64(), low.as_f64(), high.as_f64()]
    });
    let (low, high) = amounts
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), amount| (low.min(amount), high.max(amount)));
    // A flat curve still needs a range to be drawn in.
    let margin = ((high - low) * 0.08).max(high.abs() * 0.002).max(0.5);
    let curve = Curve { points, low: low - margin, high: high + margin, locale };
    let (from, to) = (locale.day(first.date), locale.day(last.date));
    let (began, ended) = (locale.money(first.bankroll, currency), locale.money(last.bankroll, currency));
    let values = [("from", from.as_str()), ("to", &to), ("first", &began), ("last", &ended)];
    let alt = locale.say_with("chart-bankroll", &values);
    Some((curve, alt))
}

impl Curve<'_> {
    fn day(&self, index: f64) -> String {
        let point = self.points.get(index.round() as usize);
        point.map(|point| self.locale.drawn_day(point.date)).unwrap_or_default()
    }

    fn band(&self) -> Option<Vec<(f64, f64)>> {
        let expected =
            || self.points.iter().zip(0..).filter_map(|(point, day)| Some((f64::from(day), point.expected?)));
        let upper = expected().map(|(day, (_, high))| (day, high.as_f64()));
        let lower = expected().map(|(day, (low, _))| (day, low.as_f64()));
        let outline: Vec<_> = upper.chain(lower.collect::<Vec<_>>().into_iter().rev()).collect();
        (outline.len() >= 4).then_some(outline)
    }
}

impl Drawing for Curve<'_> {
    const NAME: &'static str = "bankroll";
    const HEIGHT: u32 = 210;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let last_day = (self.points.len() - 1) as f64;
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * scale)
            .margin_left(4 * scale)
            .margin_right(26 * scale)
            .x_label_area_size(28 * scale)
            .y_label_area_size(60 * scale)
            .build_cartesian_2d(0.0..last_day, self.low..self.high)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(scale))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * scale)
            .x_labels(6.min(self.points.len()))
            .y_labels(5)
            .x_label_formatter(&|day| self.day(*day))
            .y_label_formatter(&|amount| self.locale.drawn(*amount, 0))
            .label_style(label_style(scale))
            .draw()?;
        if let Some(outline) = self.band() {
            chart.draw_series([Polygon::new(outline, BAND.filled())])?;
        }
        let curve: Vec<_> =
            self.points.iter().zip(0..).map(|(p, day)| (f64::from(day), p.bankroll.as_f64())).collect();
        let end = curve.last().copied();
        chart.draw_series(LineSeries::new(curve, ACCENT.stroke_width(2 * scale)))?;
        chart.draw_series(end.map(|point| Circle::new(point, 4 * scale, ACCENT.filled())))?;
        Ok(())
    }
}
