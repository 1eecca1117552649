//! The prices of one event.

use market::{Game, LineRow, Market, Points, Price, Selection};
use serde_json::Value;

use super::{
    super::{
        Parsed, Refused,
        json::{head, instant, list, text},
        quote::{self, Quoted, Side, Stamp},
    },
    MARKETS, Made, Timestamp,
};

/// One outcome: its selection, its own points, and its price as text.
type Outcome = (Selection, Option<Points>, String);

/// Reads every book's markets and returns when the newest price was seen.
pub(super) fn read(event: &Value, stamp: &Stamp, made: Made, parsed: &mut Parsed) -> Option<Timestamp> {
    let is_american = is_american(event);
    let price = |text: &str| if is_american { quote::american(text) } else { quote::decimal(text) };
    let mut newest = None;
    for book in list(event, "/bookmakers") {
        for quoted in list(book, "/markets") {
            let captured_at = instant(quoted, "/last_update")
                .or_else(|| instant(book, "/last_update"))
                .or(made.snapshot)
                .or(made.received_at);
            newest = newest.max(captured_at);
            match market(book, quoted, stamp, captured_at, price) {
                Ok(rows) => parsed.lines.extend(rows),
                Err(reason) => {
                    let what = text(quoted, "/key").unwrap_or_else(|| "market".to_owned());
                    let reason = format!("{}: {reason}", named(&what).map_or("other", Market::as_str));
                    let told = format!("{} {}", text(book, "/key").unwrap_or_default(), head(quoted));
                    parsed.refused.push(Refused::new(stamp.raw_ref.row, reason, &told));
                }
            }
        }
    }
    newest
}

fn market(
    book: &Value,
    quoted: &Value,
    stamp: &Stamp,
    captured_at: Option<Timestamp>,
    price: impl Fn(&str) -> Option<Price>,
) -> Result<Vec<LineRow>, &'static str> {
    let key = text(quoted, "/key").ok_or("the market has no name")?;
    let market = named(&key).ok_or("the market is none that is read")?;
    let book = text(book, "/key").ok_or("the book has no name")?;
    let captured_at = captured_at.ok_or("a price stands without its time")?;
    if captured_at >= stamp.game.start_time {
        return Err("the price is in-play");
    }
    let outcomes = list(quoted, "/outcomes")
        .iter()
        .map(|outcome| self::outcome(outcome, market, &stamp.game))
        .collect::<Result<Vec<Outcome>, _>>()?;
    let sides = sides(market, &outcomes)?;
    let quoted = Quoted { book: book.as_str().into(), market, captured_at, is_closing: false };
    quote::lines(stamp, &quoted, &sides, price)
}

fn outcome(outcome: &Value, market: Market, game: &Game) -> Result<Outcome, &'static str> {
    let name = text(outcome, "/name").ok_or("an outcome has no name")?;
    let price = text(outcome, "/price").ok_or("a side of a book's market has no price")?;
    let selection = match (market, name.as_str()) {
        (Market::Total, "Over") => Selection::Over,
        (Market::Total, "Under") => Selection::Under,
        (Market::Moneyline, "Draw" | "Tie") => Selection::Draw,
        (Market::Moneyline | Market::Spread, team) if team == game.home.as_str() => Selection::Home,
        (Market::Moneyline | Market::Spread, team) if team == game.away.as_str() => Selection::Away,
        _ => return Err("an outcome is none of the market's"),
    };
    let points = match (market, text(outcome, "/point")) {
        (Market::Moneyline, _) => None,
        (_, None) => return Err("a price stands without its points"),
        (_, Some(text)) => Some(quote::points(&text).ok_or("points are no multiple of a quarter")?),
    };
    Ok((selection, points, price))
}

/// Puts the outcomes, which come in no fixed order, into that of the market.
fn sides(market: Market, outcomes: &[Outcome]) -> Result<Vec<Side<'_>>, &'static str> {
    let order: &[Selection] = match market {
        Market::Moneyline => &[Selection::Home, Selection::Draw, Selection::Away],
        Market::Spread => &[Selection::Home, Selection::Away],
        Market::Total => &[Selection::Over, Selection::Under],
    };
    let mut sides: Vec<Side<'_>> = Vec::new();
    for selection in order {
        let mut found = outcomes.iter().filter(|outcome| outcome.0 == *selection);
        match (found.next(), found.next()) {
            (Some((selection, points, price)), None) => {
                sides.push((*selection, *points, Some(price.as_str())));
            }
            (None, _) if *selection == Selection::Draw => {}
            (None, _) => return Err("a side of a book's market has no price"),
            (Some(_), Some(_)) => return Err("a side of a book's market has two prices"),
        }
    }
    let agree = match (market, sides.as_slice()) {
        (Market::Spread, [(_, Some(home), _), (_, Some(away), _)]) => *home == -*away,
        (Market::Total, [(_, over, _), (_, under, _)]) => over == under,
        _ => true,
    };
    if agree { Ok(sides) } else { Err("the points of the two sides do not match") }
}

fn named(key: &str) -> Option<Market> {
    let markets = [Market::Moneyline, Market::Spread, Market::Total];
    MARKETS.into_iter().zip(markets).find_map(|(name, market)| (name == key).then_some(market))
}

/// American prices are negative or at least 100; decimal ones are positive and hardly ever that large.
fn is_american(event: &Value) -> bool {
    let prices = || {
        let markets = list(event, "/bookmakers").iter().flat_map(|book| list(book, "/markets"));
        let outcomes = markets.flat_map(|market| list(market, "/outcomes"));
        outcomes.filter_map(|outcome| text(outcome, "/price")?.parse::<f64>().ok())
    };
    prices().any(|price| price < 0.0) || (prices().next().is_some() && prices().all(|price| price >= 100.0))
}
