//! How likely each margin or total is, one bar per number.

use plotters::{coord::Shift, prelude::*};

use super::{ACCENT, ChartError, DrawError, Drawing, MUTED, Picture, QUIET, RULE, label_style, picture};
use crate::Locale;

/// What the numbers count, and how a bar is coloured by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Home less away: one colour for either side and one for level.
    Margin,
    /// Both together.
    Total,
}

/// Mass that may be cut off at either end.
const TAIL: f64 = 0.002;

struct Bars {
    mass: Vec<(i32, f64)>,
    counted: Counted,
    /// The books' own number, drawn as a thin line.
    line: Option<f64>,
    locale: Locale,
}

/// Draws the distribution, `line` being the books' number; none without a bar of some height.
pub(crate) fn chart(
    mass: &[(i32, f64)],
    counted: Counted,
    line: Option<f64>,
    locale: &Locale,
) -> Result<Option<Picture>, ChartError> {
    let seen = within_tails(mass);
    let top = seen.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let Some(top) = top else { return Ok(None) };
    let alt = format!(
        "{}: {} is most likely with {}; four times of five it lies between {} and {}.",
        match counted {
            Counted::Margin => "Home margin",
            Counted::Total => "Total",
        },
        whole(top.0, locale),
        locale.percent(top.1, 1),
        whole(quantile(mass, 0.1), locale),
        whole(quantile(mass, 0.9), locale),
    );
    picture(&Bars { mass: seen, counted, line, locale: locale.clone() }, alt).map(Some)
}

/// Returns the smallest value up to which at least `share` of the mass lies; 0 without mass.
fn quantile(mass: &[(i32, f64)], share: f64) -> i32 {
    let mut sum = 0.0;
    for (value, p) in mass {
        sum += p;
        if sum >= share {
            return *value;
        }
    }
    mass.last().map_or(0, |(value, _)| *value)
}

/// Leaves out what is not finite, and either end as far as nothing is to be seen of it.
fn within_tails(mass: &[(i32, f64)]) -> Vec<(i32, f64)> {
    let mass: Vec<_> = mass.iter().copied().filter(|(_, p)| p.is_finite() && *p >= 0.0).collect();
    let has_sum = |range: &[(i32, f64)]| range.iter().map(|(_, p)| p).sum::<f64>() > TAIL;
    let first = (1..=mass.len()).find(|end| has_sum(&mass[..*end]));
    let last = (0..mass.len()).rev().find(|start| has_sum(&mass[*start..]));
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    mass.get(first - 1..=last).map(<[_]>::to_vec).unwrap_or_default()
}

fn whole(value: i32, locale: &Locale) -> String {
    locale.number(f64::from(value), 0)
}

impl Drawing for Bars {
    const NAME: &'static str = "distribution";
    const HEIGHT: u32 = 230;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let (Some((low, _)), Some((high, _))) = (self.mass.first(), self.mass.last()) else { return Ok(()) };
        let (low, high) = (f64::from(*low) - 0.6, f64::from(*high) + 0.6);
        let top = self.mass.iter().map(|(_, p)| *p).fold(0.0, f64::max) * 1.08;
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * scale)
            .margin_left(4 * scale)
            .margin_right(10 * scale)
            .x_label_area_size(48 * scale)
            .y_label_area_size(48 * scale)
            .build_cartesian_2d(low..high, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(scale))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * scale)
            .x_labels(self.mass.len().min(16))
            .y_labels(5)
            .x_desc(match self.counted {
                Counted::Margin => "margin: away wins left of 0, home wins right",
                Counted::Total => "both scores together",
            })
            .y_desc("%")
            .x_label_formatter(&|value| tick(*value, &self.locale))
            .y_label_formatter(&|share| self.locale.drawn(share * 100.0, 0))
            .label_style(label_style(scale))
            .axis_desc_style(label_style(scale))
            .draw()?;
        chart.draw_series(self.mass.iter().map(|(value, p)| {
            let middle = f64::from(*value);
            Rectangle::new([(middle - 0.38, 0.0), (middle + 0.38, *p)], self.colour(*value).filled())
        }))?;
        let line = self.line.filter(|line| (low..=high).contains(line));
        // A light seam on either side, so that the line is seen on a bar.
        for style in [WHITE.stroke_width(4 * scale), MUTED.stroke_width(scale)] {
            chart.draw_series(line.map(|line| PathElement::new([(line, 0.0), (line, top)], style)))?;
        }
        Ok(())
    }
}

impl Bars {
    fn colour(&self, value: i32) -> RGBColor {
        match (self.counted, value) {
            (Counted::Total, _) | (Counted::Margin, 1..) => ACCENT,
            (Counted::Margin, 0) => QUIET,
            (Counted::Margin, _) => MUTED,
        }
    }
}

/// Writes a whole number; nothing between two.
fn tick(value: f64, locale: &Locale) -> String {
    if (value - value.round()).abs() < 1e-6 { locale.drawn(value.round(), 0) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_the_likeliest_and_the_middle() {
        let mass = [(-2, 0.001), (-1, 0.199), (0, 0.3), (1, 0.4), (2, 0.1)];
        let chart = chart(&mass, Counted::Margin, Some(0.75), &Locale::default()).unwrap().unwrap();
        assert_eq!(
            chart.alt,
            "Home margin: 1 is most likely with 40.0\u{a0}%; four times of five it lies between −1 and 1."
        );
        assert!(!chart.svg.contains("NaN"));
        assert_eq!(within_tails(&mass).first(), Some(&(-1, 0.199)), "what nobody could see is left out");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        for mass in [vec![], vec![(0, 0.0)], vec![(0, f64::NAN)]] {
            assert_eq!(chart(&mass, Counted::Total, None, &Locale::default()).unwrap(), None);
        }
    }
}
