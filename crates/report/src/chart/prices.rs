//! How the books' prices of one side moved until now: a staircase per book, the best one in front.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{
    ACCENT, ChartError, DrawError, Drawing, MUTED, Picture, QUIET, RULE, WIDTH, label_style, picture,
};
use crate::{
    Locale,
    format::{name, shorten},
};

/// Books that are named at the end of their staircase; there is no room for more.
const NAMED: usize = 8;
/// Letters of a book's name beside the picture.
const LETTERS: usize = 13;
/// Room for the names, in CSS pixels.
const NAMES: u32 = 160;
/// From one name down to the next, in CSS pixels.
const LINE: i32 = 18;
/// From here on the axis counts days.
const LONGEST_IN_HOURS: f64 = 96.0;

/// A book's prices, each from so many hours before the start on, the earliest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Staircase {
    /// The book.
    pub(crate) book: String,
    /// Hours before the start, and the price from then on.
    pub(crate) steps: Vec<(f64, f64)>,
}

impl Staircase {
    fn last(&self) -> f64 {
        self.steps.last().map_or(f64::NAN, |step| step.1)
    }
}

struct Moves {
    /// The best price of now last, so that it is drawn in front.
    books: Vec<Staircase>,
    /// Hours before the start at which the picture begins and ends.
    hours: (f64, f64),
    low: f64,
    high: f64,
    locale: Locale,
}

/// Draws the prices of `side` up to `until` hours before the start; none without two instants to draw between.
pub(crate) fn chart(
    side: &str,
    books: &[Staircase],
    until: f64,
    locale: &Locale,
) -> Result<Option<Picture>, ChartError> {
    let is_drawn = |step: &(f64, f64)| step.0.is_finite() && step.1.is_finite();
    let mut books: Vec<Staircase> = books
        .iter()
        .filter(|book| !book.steps.is_empty() && book.steps.iter().all(is_drawn))
        .cloned()
        .collect();
    books.sort_by(|a, b| a.last().total_cmp(&b.last()).then_with(|| b.book.cmp(&a.book)));
    let steps = || books.iter().flat_map(|book| &book.steps);
    let begin = steps().map(|step| step.0).fold(f64::NEG_INFINITY, f64::max);
    let end = steps().map(|step| step.0).fold(until, f64::min);
    let Some(best) = books.last().filter(|_| begin > end) else { return Ok(None) };
    let alt = format!(
        "Prices of {} at {} over {}: the best is {} now, by {}, and was {} at first.",
        name(side),
        locale.counted(books.len(), "book"),
        span(begin - end, locale),
        locale.number(best.last(), 2),
        name(&best.book),
        locale.number(best.steps.first().map_or(f64::NAN, |step| step.1), 2),
    );
    let low = steps().map(|step| step.1).fold(f64::INFINITY, f64::min);
    let high = steps().map(|step| step.1).fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.1).max(0.02);
    picture(
        &Moves { hours: (begin, end), low: low - margin, high: high + margin, books, locale: locale.clone() },
        alt,
    )
    .map(Some)
}

fn span(hours: f64, locale: &Locale) -> String {
    if hours > LONGEST_IN_HOURS {
        format!("{}\u{a0}days", locale.number(hours / 24.0, 0))
    } else {
        format!("{}\u{a0}hours", locale.number(hours, 0))
    }
}

impl Moves {
    /// Returns the corners of a book's staircase; time runs from left to right.
    fn corners(&self, book: &Staircase) -> Vec<(f64, f64)> {
        let mut corners: Vec<(f64, f64)> = Vec::new();
        for (hours, price) in &book.steps {
            if let Some(last) = corners.last().copied() {
                corners.push((-hours, last.1));
            }
            corners.push((-hours, *price));
        }
        corners.push((-self.hours.1, book.last()));
        corners
    }

    /// Returns how far from the top each named book's label stands, from the dearest down, none over another.
    fn labels(&self, top: i32, bottom: i32) -> Vec<(i32, &Staircase)> {
        let height = f64::from(bottom - top);
        let place = |price: f64| top + ((self.high - price) / (self.high - self.low) * height).round() as i32;
        let mut labels: Vec<(i32, &Staircase)> =
            self.books.iter().rev().take(NAMED).map(|book| (place(book.last()), book)).collect();
        for index in 1..labels.len() {
            labels[index].0 = labels[index].0.max(labels[index - 1].0 + LINE);
        }
        let mut lowest = bottom;
        for label in labels.iter_mut().rev() {
            label.0 = label.0.min(lowest);
            lowest = label.0 - LINE;
        }
        labels
    }
}

impl Drawing for Moves {
    const NAME: &'static str = "price";
    const HEIGHT: u32 = 220;

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        scale: u32,
    ) -> Result<(), DrawError<DB>> {
        let in_days = self.hours.0 - self.hours.1 > LONGEST_IN_HOURS;
        let (unit, hours) = if in_days { ("days", 24.0) } else { ("hours", 1.0) };
        let mut chart = ChartBuilder::on(area)
            .margin_top(10 * scale)
            .margin_left(4 * scale)
            .margin_right(NAMES * scale)
            .x_label_area_size(48 * scale)
            .y_label_area_size(48 * scale)
            .build_cartesian_2d(-self.hours.0 / hours..-self.hours.1 / hours, self.low..self.high)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(scale))
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * scale)
            .x_labels(6)
            .y_labels(5)
            .x_desc(format!("{unit} before the start"))
            .x_label_formatter(&|time| self.locale.drawn(time.abs(), 0))
            .y_label_formatter(&|price| self.locale.drawn(*price, 2))
            .label_style(label_style(scale))
            .axis_desc_style(label_style(scale))
            .draw()?;
        let best = self.books.len() - 1;
        for (index, book) in self.books.iter().enumerate() {
            let corners = self.corners(book).into_iter().map(|(time, price)| (time / hours, price));
            let style =
                if index == best { ACCENT.stroke_width(2 * scale) } else { QUIET.stroke_width(scale) };
            chart.draw_series(LineSeries::new(corners, style))?;
        }
        let (_, rows) = chart.plotting_area().get_pixel_range();
        for (middle, book) in self.labels(rows.start, rows.end) {
            let is_best = std::ptr::eq(book, &raw const self.books[best]);
            let colour = if is_best { ACCENT } else { MUTED };
            let style = label_style(scale).color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
            let text = format!("{} {}", self.locale.drawn(book.last(), 2), shorten(&book.book, LETTERS));
            let left = ((WIDTH - NAMES + 8) * scale) as i32;
            area.draw(&Text::new(text, (left, middle), style))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(name: &str, steps: &[(f64, f64)]) -> Staircase {
        Staircase { book: name.to_owned(), steps: steps.to_vec() }
    }

    #[test]
    fn the_words_name_the_best_price_and_where_it_came_from() {
        let books = [book("A", &[(30.0, 2.0), (4.0, 2.1)]), book("<b>", &[(20.0, 2.05)])];
        let chart = chart("Leeds to win", &books, 2.0, &Locale::default()).unwrap().unwrap();
        let expected = "Prices of Leeds to win at 2\u{a0}books over 28\u{a0}hours: the best is 2.10 now, by A, and was 2.00 at first.";
        assert_eq!(chart.alt, expected);
        assert!(!chart.svg.contains("<b>") && !chart.svg.contains("NaN"), "{}", chart.svg);
    }

    #[test]
    fn no_name_stands_on_another() {
        let books: Vec<Staircase> = (0..20)
            .map(|i| book(&format!("Book {i}"), &[(200.0, 2.0), (1.0, 2.0 + f64::from(i % 3) * 1e-3)]))
            .collect();
        let svg = chart("x", &books, 0.0, &Locale::default()).unwrap().unwrap().svg;
        let page = scraper::Html::parse_fragment(&svg);
        let selector = scraper::Selector::parse("text").unwrap();
        let names: Vec<i32> = page
            .select(&selector)
            .filter(|text| text.text().any(|text| text.contains("Book")))
            .map(|text| text.attr("y").unwrap().parse().unwrap())
            .collect();
        assert_eq!(names.len(), NAMED);
        assert!(names.windows(2).all(|pair| pair[1] - pair[0] >= LINE), "{names:?}");
        assert!(names.iter().all(|y| (0..220).contains(y)), "{names:?}");
    }

    #[test]
    fn one_instant_is_no_movement() {
        assert_eq!(chart("x", &[book("A", &[(2.0, 2.0)])], 2.0, &Locale::default()).unwrap(), None);
        assert_eq!(chart("x", &[], 2.0, &Locale::default()).unwrap(), None);
    }
}
