//! The prices beside a game, in each of the shapes in which ESPN has written them.
//!
//! A side's price stands at one place in each shape; a market is taken from one shape only, so that no opening price
//! is set against a closing one.

use jiff::Timestamp;
use market::{LineRow, Market, Points, Selection};
use serde_json::Value;

use super::{
    fixture::Phase,
    json::{head, text, yes},
};
use crate::source::{
    Leads, Parsed, Refused,
    quote::{self, Quoted, Side, Stamp},
};

use Selection::{Away, Draw, Home, Over, Under};

/// One market as one shape writes it.
struct Shape {
    market: Market,
    /// Whether it holds what stood before the start, whenever it is read.
    closing: bool,
    /// Each side with where its price and its points stand.
    sides: &'static [(Selection, &'static str, &'static str)],
}

const fn shape(
    market: Market,
    closing: bool,
    sides: &'static [(Selection, &'static str, &'static str)],
) -> Shape {
    Shape { market, closing, sides }
}

/// The shapes of each market, the best first.
const SHAPES: [Shape; 12] = [
    shape(
        Market::Moneyline,
        true,
        &[
            (Home, "/moneyline/home/close/odds", ""),
            (Draw, "/moneyline/draw/close/odds", ""),
            (Away, "/moneyline/away/close/odds", ""),
        ],
    ),
    shape(
        Market::Moneyline,
        false,
        &[
            (Home, "/homeTeamOdds/current/moneyLine/american", ""),
            (Draw, "/drawOdds/current/moneyLine/american", ""),
            (Away, "/awayTeamOdds/current/moneyLine/american", ""),
        ],
    ),
    shape(
        Market::Moneyline,
        false,
        &[
            (Home, "/homeTeamOdds/moneyLine", ""),
            (Draw, "/drawOdds/moneyLine", ""),
            (Away, "/awayTeamOdds/moneyLine", ""),
        ],
    ),
    shape(
        Market::Moneyline,
        true,
        &[
            (Home, "/homeTeamOdds/close/moneyLine/american", ""),
            (Draw, "/drawOdds/close/moneyLine/american", ""),
            (Away, "/awayTeamOdds/close/moneyLine/american", ""),
        ],
    ),
    shape(
        Market::Spread,
        true,
        &[
            (Home, "/pointSpread/home/close/odds", "/pointSpread/home/close/line"),
            (Away, "/pointSpread/away/close/odds", "/pointSpread/away/close/line"),
        ],
    ),
    shape(
        Market::Spread,
        false,
        &[
            (Home, "/homeTeamOdds/current/spread/american", "/homeTeamOdds/current/pointSpread/american"),
            (Away, "/awayTeamOdds/current/spread/american", "/awayTeamOdds/current/pointSpread/american"),
        ],
    ),
    // One handicap for both sides, the home side's own.
    shape(
        Market::Spread,
        false,
        &[(Home, "/homeTeamOdds/spreadOdds", HANDICAP), (Away, "/awayTeamOdds/spreadOdds", HANDICAP)],
    ),
    shape(
        Market::Spread,
        true,
        &[
            (Home, "/homeTeamOdds/close/spread/american", "/homeTeamOdds/close/pointSpread/american"),
            (Away, "/awayTeamOdds/close/spread/american", "/awayTeamOdds/close/pointSpread/american"),
        ],
    ),
    shape(
        Market::Total,
        true,
        &[
            (Over, "/total/over/close/odds", "/total/over/close/line"),
            (Under, "/total/under/close/odds", "/total/under/close/line"),
        ],
    ),
    shape(
        Market::Total,
        false,
        &[
            (Over, "/current/over/american", "/current/total/american"),
            (Under, "/current/under/american", "/current/total/american"),
        ],
    ),
    shape(Market::Total, false, &[(Over, "/overOdds", "/overUnder"), (Under, "/underOdds", "/overUnder")]),
    shape(
        Market::Total,
        true,
        &[
            (Over, "/close/over/american", "/close/total/american"),
            (Under, "/close/under/american", "/close/total/american"),
        ],
    ),
];

const HANDICAP: &str = "/spread";

/// What is known about the prices of one game.
pub(super) struct Quotes<'a> {
    pub(super) stamp: &'a Stamp,
    pub(super) leads: &'a Leads,
    pub(super) three_way: bool,
    pub(super) phase: Phase,
    pub(super) received_at: Option<Timestamp>,
}

impl Quotes<'_> {
    /// Reads the offers of all books; `null` stands for a book without any.
    pub(super) fn read(&self, odds: Option<&Value>, parsed: &mut Parsed) {
        let offers = match odds {
            None | Some(Value::Null) => return,
            Some(Value::Array(offers)) => offers.as_slice(),
            Some(offer) => std::slice::from_ref(offer),
        };
        for offer in offers.iter().filter(|offer| !offer.is_null()) {
            if !offer.is_object() {
                self.refuse(offer, "the odds are no object".to_owned(), parsed);
                continue;
            }
            for market in [Market::Moneyline, Market::Spread, Market::Total] {
                match self.market(offer, market) {
                    Ok(rows) => parsed.lines.extend(rows),
                    Err(reason) => self.refuse(offer, format!("{market}: {reason}"), parsed),
                }
            }
        }
    }

    fn refuse(&self, offer: &Value, reason: String, parsed: &mut Parsed) {
        parsed.refused.push(Refused::new(self.stamp.raw_ref.row, reason, &head(offer)));
    }

    fn market(&self, offer: &Value, market: Market) -> Result<Vec<LineRow>, &'static str> {
        let played = matches!(self.phase, Phase::Played { .. });
        let (shapes, others): (Vec<&Shape>, Vec<&Shape>) =
            SHAPES.iter().filter(|shape| shape.market == market).partition(|shape| shape.closing || !played);
        let Some((shape, prices)) = self.priced(offer, &shapes) else {
            return match self.priced(offer, &others) {
                Some(_) => Err("a price left after the game is not called the closing one"),
                None => Ok(Vec::new()),
            };
        };
        let quoted = self.quoted(offer, market)?;
        let sides = shape.sides(self.three_way).zip(&prices).map(|(&(selection, _, at), price)| {
            let points = if market == Market::Moneyline { None } else { Some(points(offer, at, selection)?) };
            Ok((selection, points, price.as_deref()))
        });
        let sides: Vec<Side<'_>> = sides.collect::<Result<_, &'static str>>()?;
        agree(offer, shape, &sides)?;
        quote::lines(self.stamp, &quoted, &sides, american)
    }

    /// Returns the first shape with a price for each side, else the first with any.
    fn priced<'a>(&self, offer: &Value, shapes: &[&'a Shape]) -> Option<(&'a Shape, Vec<Option<String>>)> {
        let read = shapes.iter().map(|shape| {
            let prices = shape.sides(self.three_way).map(|(_, at, _)| price(offer, at));
            (*shape, prices.collect::<Vec<_>>())
        });
        let mut some = read.filter(|(_, prices)| prices.iter().any(Option::is_some)).collect::<Vec<_>>();
        let whole = some.iter().position(|(_, prices)| prices.iter().all(Option::is_some));
        (!some.is_empty()).then(|| some.swap_remove(whole.unwrap_or(0)))
    }

    /// Says by whom and when a market was priced, or why that cannot have been before the start.
    fn quoted(&self, offer: &Value, market: Market) -> Result<Quoted, &'static str> {
        let start = self.stamp.game.start_time;
        let provider = text(offer, "/provider/name").ok_or("the book is missing")?.to_lowercase();
        let book = slug::slugify(&provider).replace('-', "_");
        if book.is_empty() {
            return Err("the book is missing");
        }
        let in_play = book.split('_').any(|word| word == "live");
        let (captured_at, is_closing) = match self.phase {
            Phase::Before => (self.received_at.unwrap_or_else(|| self.leads.line(start)), false),
            Phase::Played { .. } => (self.leads.closing(start), true),
            Phase::During => return Err("the price is in-play"),
            Phase::Off(_) => return Err("the game of the price was not played"),
        };
        if in_play || (captured_at >= start && !is_closing) {
            return Err("the price is in-play");
        }
        Ok(Quoted { book: book.as_str().into(), market, captured_at, is_closing })
    }
}

impl Shape {
    /// Returns the sides; a draw is one only where the league has it.
    fn sides(
        &self,
        three_way: bool,
    ) -> impl Iterator<Item = &'static (Selection, &'static str, &'static str)> {
        self.sides.iter().filter(move |side| three_way || side.0 != Draw)
    }
}

/// Returns a price as it is written; none when the market is closed.
fn price(offer: &Value, pointer: &str) -> Option<String> {
    text(offer, pointer).filter(|text| !["off", "-", "--", "n/a"].contains(&text.to_lowercase().as_str()))
}

/// Reads an American price, or the word for 1:1.
fn american(text: &str) -> Option<market::Price> {
    let even = ["even", "ev", "evs"].contains(&text.to_lowercase().as_str());
    quote::american(if even { "100" } else { text })
}

/// Returns the selection's own points.
fn points(offer: &Value, pointer: &str, selection: Selection) -> Result<Points, &'static str> {
    let text = text(offer, pointer).ok_or("a price stands without its points")?.to_lowercase();
    let text = text.strip_prefix(['o', 'u']).unwrap_or(&text);
    let text = if ["pk", "pick", "even", "ev"].contains(&text) { "0" } else { text };
    let points = quote::points(text).ok_or("points are no multiple of a quarter")?;
    Ok(if selection == Away && pointer == HANDICAP { -points } else { points })
}

/// Refuses points of two sides that cannot both be right.
fn agree(offer: &Value, shape: &Shape, sides: &[Side<'_>]) -> Result<(), &'static str> {
    let &[(_, Some(one), _), (_, Some(other), _)] = sides else { return Ok(()) };
    let mirrored = if shape.market == Market::Spread { -other } else { other };
    if one != mirrored {
        return Err("the points of the two sides do not fit together");
    }
    // A handicap of its own could have any sign; the favourite's is below zero.
    let gives = match shape.sides.first() {
        Some((_, _, HANDICAP)) if one.quarters() > 0 => "/homeTeamOdds/favorite",
        Some((_, _, HANDICAP)) if one.quarters() < 0 => "/awayTeamOdds/favorite",
        _ => return Ok(()),
    };
    if yes(offer, gives) == Some(true) { Err("the handicap contradicts the favourite") } else { Ok(()) }
}
