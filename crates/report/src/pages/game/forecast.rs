//! Who wins, by how much, how many points: probabilities as a table and two pictures.

use std::collections::BTreeMap;

use market::{Market, Points, Selection};
use serde::Serialize;

use crate::{
    chart::{
        ChartError, Picture,
        distribution::{self, Counted},
    },
    format,
    locale::{DASH, Locale},
    pages::{
        input::{GamePage, OutcomeProbability},
        pen::Pen,
    },
};

#[derive(Debug, Serialize)]
pub(super) struct ForecastView {
    has_market: bool,
    has_plain: bool,
    outcomes: Vec<OutcomeRow>,
    margin: Option<DistributionView>,
    total: Option<DistributionView>,
}

#[derive(Debug, Serialize)]
struct OutcomeRow {
    name: String,
    /// By the variant that sees prices, then by the one that does not.
    with_prices: Option<Chance>,
    without_prices: Option<Chance>,
    books: String,
    fair_price: String,
}

#[derive(Debug, Serialize)]
struct Chance {
    probability: String,
    /// Empty with one member.
    interval: String,
}

#[derive(Debug, Serialize)]
struct DistributionView {
    picture: Picture,
    /// The books' own number, as words under the picture; empty without one.
    line: String,
    rows: Vec<(String, String)>,
}

pub(super) fn view(page: &GamePage, pen: &Pen<'_>) -> Result<ForecastView, ChartError> {
    let way = &pen.locale;
    let sides = [Selection::Home, Selection::Draw, Selection::Away];
    let has = |uses_market| page.variants.iter().any(|variant| variant.uses_market == uses_market);
    // The handicap of the home side stands against a margin of the opposite sign.
    let spread = main_points(page, Market::Spread, Selection::Home).map(|points| -points);
    let total = main_points(page, Market::Total, Selection::Over);
    let margin_words =
        spread.map(|margin| format!("The thin line is the books' own margin, {}.", points(margin, way)));
    let total_words =
        total.map(|total| format!("The thin line is the books' own total, {}.", points(total, way)));
    Ok(ForecastView {
        has_market: has(true),
        has_plain: has(false),
        outcomes: sides.into_iter().filter_map(|side| outcome(page, side, way)).collect(),
        margin: distribution(&page.margin, Counted::Margin, spread, margin_words, way)?,
        total: distribution(&page.total, Counted::Total, total, total_words, way)?,
    })
}

fn outcome(page: &GamePage, side: Selection, way: &Locale) -> Option<OutcomeRow> {
    let of = |uses_market| {
        let variant = page.variants.iter().find(|variant| variant.uses_market == uses_market);
        variant.and_then(|variant| variant.outcomes.iter().find(|outcome| outcome.selection == side))
    };
    let books = page.consensus.iter().find(|(of, _)| *of == side).map(|(_, share)| *share);
    let best =
        page.variants.first().and_then(|v| v.outcomes.iter().find(|outcome| outcome.selection == side));
    if best.is_none() && books.is_none() {
        return None;
    }
    let dash = || DASH.to_owned();
    let fair = best.filter(|outcome| outcome.probability > 0.0).map(|outcome| 1.0 / outcome.probability);
    Some(OutcomeRow {
        name: match side {
            Selection::Home => format::name(page.game.home.as_str()),
            Selection::Away => format::name(page.game.away.as_str()),
            _ => "Draw".to_owned(),
        },
        with_prices: of(true).map(|of| chance(of, way)),
        without_prices: of(false).map(|of| chance(of, way)),
        books: books.map_or_else(dash, |share| way.percent(share, 1)),
        fair_price: fair.map_or_else(dash, |price| way.number(price, 2)),
    })
}

fn chance(outcome: &OutcomeProbability, way: &Locale) -> Chance {
    Chance {
        probability: way.percent(outcome.probability, 1),
        interval: outcome.interval_90.map_or_else(String::new, |interval| way.percent_interval(interval, 1)),
    }
}

/// Returns the points that most books quote for a side; of equals those nearest to an even price.
fn main_points(page: &GamePage, market: Market, side: Selection) -> Option<f64> {
    let mut by_points: BTreeMap<_, (usize, f64)> = BTreeMap::new();
    for quote in page.quotes.iter().filter(|quote| quote.market == market && quote.selection == side) {
        let entry = by_points.entry(quote.points?).or_insert((0, f64::INFINITY));
        entry.0 += 1;
        entry.1 = entry.1.min((quote.price.decimal() - 2.0).abs());
    }
    let main = by_points.into_iter().max_by(|(_, a), (_, b)| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    main.map(|(points, _)| points.as_f64())
}

fn points(value: f64, way: &Locale) -> String {
    Points::from_f64(value).map_or_else(|| way.number(value, 2), |points| way.points(points))
}

fn distribution(
    mass: &[(i32, f64)],
    counted: Counted,
    line: Option<f64>,
    words: Option<String>,
    way: &Locale,
) -> Result<Option<DistributionView>, ChartError> {
    let picture = distribution::chart(mass, counted, line, way)?;
    let shown = mass.iter().filter(|(_, p)| *p >= 5e-4);
    let rows = shown.map(|(value, p)| (way.number(f64::from(*value), 0), way.percent(*p, 1))).collect();
    Ok(picture.map(|picture| DistributionView { picture, line: words.unwrap_or_default(), rows }))
}
