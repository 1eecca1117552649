//! Five books: what each believes about a game at three moments, and the prices it makes of that.
//! The opening prices are seen twice, five days before the start and the day before.
//!
//! The market starts from the truth, errs by what it cannot know or measures badly, and errs less as the start comes
//! nearer. Books follow it with their own delay, noise and margin; one of them forgets to move or mistypes now and then.

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand_distr::StandardNormal;

use super::{
    calendar,
    chances::{Chances, Tail},
    grounds,
    world::{self, DemoGame, stream},
};

/// When prices are taken down: about five days before, on the morning of the game, just before the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    Opening,
    Morning,
    Closing,
}

const MOMENTS: [Moment; 3] = [Moment::Opening, Moment::Morning, Moment::Closing];

/// A book's habits.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) name: &'static str,
    /// Overround of each market.
    margin: f64,
    /// Share of the margin that is put on both sides alike, which makes longshots dear.
    flat_share: f64,
    /// Standard deviation of its own opinion, in points.
    noise: f64,
    /// Share of an older consensus in its opinion.
    delay: f64,
    /// Points by which it shades favourites and overs.
    shade: f64,
    /// Chance of not moving after the opening until the morning, and of a gross mistake at a moment.
    stale: f64,
    mistake: f64,
    /// Steps of its prices per unit of decimal odds.
    steps: f64,
}

/// The books; the order never changes, because it numbers them.
pub(super) const BOOKS: [Book; 5] = [
    Book {
        name: "Meridian",
        margin: 0.022,
        flat_share: 0.0,
        noise: 0.2,
        delay: 0.0,
        shade: 0.0,
        stale: 0.0,
        mistake: 0.0,
        steps: 1000.0,
    },
    Book {
        name: "Oddsmith",
        margin: 0.044,
        flat_share: 0.3,
        noise: 0.4,
        delay: 0.25,
        shade: 0.0,
        stale: 0.0,
        mistake: 0.0,
        steps: 100.0,
    },
    Book {
        name: "Parlour",
        margin: 0.050,
        flat_share: 0.4,
        noise: 0.5,
        delay: 0.35,
        shade: 0.2,
        stale: 0.01,
        mistake: 0.0,
        steps: 100.0,
    },
    Book {
        name: "Blue Lantern",
        margin: 0.062,
        flat_share: 0.6,
        noise: 0.5,
        delay: 0.4,
        shade: 0.4,
        stale: 0.0,
        mistake: 0.002,
        steps: 100.0,
    },
    Book {
        name: "Quickline",
        margin: 0.047,
        flat_share: 0.3,
        noise: 0.6,
        delay: 0.4,
        shade: 0.0,
        stale: 0.25,
        mistake: 0.05,
        steps: 100.0,
    },
];

/// All prices of one book for one game at one instant; handicap and total in half points.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quote {
    pub(super) book: usize,
    pub(super) moment: Moment,
    pub(super) captured_at: Timestamp,
    pub(super) moneyline: [f64; 2],
    /// The home side's own handicap.
    pub(super) home_halves: i32,
    pub(super) spread: [f64; 2],
    pub(super) total_halves: i32,
    pub(super) total: [f64; 2],
}

/// Expected margin and total, in points.
#[derive(Debug, Clone, Copy)]
struct Belief {
    margin: f64,
    total: f64,
}

/// How long before the start the opening prices, which still stand, are taken down once more.
///
/// A night's slate starts within 24 hours, so whatever the hour of the night, each book's prices are less than 30 hours old.
const SEEN_AGAIN: SignedDuration = SignedDuration::from_hours(30);

/// Returns the twenty quotes of a game, ordered by book and time.
pub(super) fn quotes(seed: u64, game: &DemoGame, chances: &mut Chances) -> Vec<Quote> {
    let mut rng = stream(seed, "market", game.meeting.number);
    let consensus = consensus(game, &mut rng);
    let mut quotes = Vec::with_capacity(BOOKS.len() * (MOMENTS.len() + 1));
    for (number, book) in BOOKS.iter().enumerate() {
        let own = [book.noise * normal(&mut rng), book.noise * normal(&mut rng)];
        let stale = rng.random_bool(book.stale);
        for moment in MOMENTS {
            let belief = book.belief(&consensus, moment, own, stale, &mut rng);
            let captured_at = captured_at(game, number, moment, &mut rng);
            quotes.push(book.quote(number, moment, captured_at, belief, chances));
            if moment == Moment::Opening {
                quotes.extend(quotes.last().cloned().map(|quote| quote.seen_again(game)));
            }
        }
    }
    quotes
}

impl Quote {
    /// The same prices, the day before the game.
    fn seen_again(self, game: &DemoGame) -> Self {
        let apart = SignedDuration::from_mins(3 * self.book as i64);
        Self { captured_at: game.meeting.start - SEEN_AGAIN + apart, ..self }
    }
}

fn normal(rng: &mut impl Rng) -> f64 {
    rng.sample(StandardNormal)
}

/// Returns what the market as a whole believes at each moment.
///
/// Lasting errors stay; each step toward the start takes one independent error away, so that a move of the market says
/// little about what is still wrong with it. The market knows how much it errs and holds back accordingly.
fn consensus(game: &DemoGame, rng: &mut impl Rng) -> [Belief; 3] {
    let opinion = &game.opinion;
    let mut belief = Belief {
        margin: game.means.margin() + 0.8 * opinion.teams_margin + 0.9 * opinion.blind_margin,
        total: game.means.total() + 0.8 * opinion.teams_total + 0.9 * opinion.blind_total,
    };
    let mut noisier = |sd: f64, trust: f64| {
        belief.margin += sd * normal(rng);
        belief.total += sd * normal(rng);
        let held_back = |value: f64, usual: f64| usual + trust * (value - usual);
        Belief {
            margin: held_back(belief.margin, grounds::USUAL_ADVANTAGE),
            total: held_back(belief.total, 2.0 * world::AVERAGE_POINTS),
        }
    };
    let (closing, morning, mut opening) = (noisier(0.7, 0.93), noisier(0.8, 0.92), noisier(2.0, 0.86));
    opening.margin += opinion.injury_margin;
    [opening, morning, closing]
}

fn captured_at(game: &DemoGame, book: usize, moment: Moment, rng: &mut impl Rng) -> Timestamp {
    let book = (book as u64).cast_signed();
    match moment {
        Moment::Opening => {
            let late = SignedDuration::from_mins(45 * book + rng.random_range(0..180));
            game.meeting.start - SignedDuration::from_hours(5 * 24) + late
        }
        Moment::Morning => calendar::instant(game.meeting.day, 6 * 60 + 20 * book + rng.random_range(0..60)),
        Moment::Closing => {
            game.meeting.start - SignedDuration::from_mins(2 + 2 * book + rng.random_range(0..4))
        }
    }
}

impl Book {
    fn belief(
        &self,
        consensus: &[Belief; 3],
        moment: Moment,
        own: [f64; 2],
        stale: bool,
        rng: &mut impl Rng,
    ) -> Belief {
        let seen = if stale && moment == Moment::Morning { Moment::Opening } else { moment };
        let now = consensus[seen as usize];
        let before = consensus[(seen as usize).saturating_sub(1)];
        let blend = |now: f64, before: f64| now + self.delay * (before - now);
        let mut margin = blend(now.margin, before.margin) + own[0];
        let mut total = blend(now.total, before.total) + own[1] + self.shade;
        margin += self.shade * (margin / 4.0).clamp(-1.0, 1.0);
        let (luck, size, direction): (f64, f64, f64) =
            (rng.random(), rng.random_range(4.0..8.0), rng.random());
        if luck < self.mistake && moment != Moment::Closing {
            let slip = if luck < self.mistake / 2.0 { &mut margin } else { &mut total };
            *slip += if direction < 0.5 { size } else { -size };
        }
        Belief { margin: margin.clamp(-30.0, 30.0), total: total.clamp(24.0, 76.0) }
    }

    fn quote(
        &self,
        book: usize,
        moment: Moment,
        captured_at: Timestamp,
        belief: Belief,
        chances: &mut Chances,
    ) -> Quote {
        let margin = chances.margin(belief.margin, belief.total);
        let total = chances.total(belief.margin, belief.total);
        let margin_halves = even_line(&margin, belief.margin);
        let total_halves = even_line(&total, belief.total);
        Quote {
            book,
            moment,
            captured_at,
            moneyline: self.prices(margin.above(0)),
            home_halves: -margin_halves,
            spread: self.prices(margin.above(margin_halves)),
            total_halves,
            total: self.prices(total.above(total_halves)),
        }
    }

    /// Returns both prices for a fair probability of the first side, with the book's margin in them.
    fn prices(&self, first: f64) -> [f64; 2] {
        [first, 1.0 - first].map(|fair| {
            let proportional = fair * (1.0 + self.margin * (1.0 - self.flat_share));
            let implied = proportional + self.flat_share * self.margin / 2.0;
            let price = (self.steps / implied.min(0.99)).round() / self.steps;
            price.clamp(1.01, 51.0)
        })
    }
}

/// Returns the line in half points, near `expected`, at which both sides are closest to even.
fn even_line(tail: &Tail, expected: f64) -> i32 {
    let near = (2.0 * expected).round() as i32;
    let distance = |halves: i32| (tail.above(halves) - 0.5).abs();
    (near - 8..=near + 8).min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(near)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::demo::world::history;

    fn all_quotes() -> Vec<(DemoGame, Quote)> {
        let mut chances = Chances::default();
        let games = history(5, calendar::instant(7 * 60, 0));
        games.iter().flat_map(|g| quotes(5, g, &mut chances).into_iter().map(|q| (g.clone(), q))).collect()
    }

    #[test]
    fn every_book_keeps_its_margin() {
        for (_, quote) in all_quotes() {
            let margin = BOOKS[quote.book].margin;
            let markets = [quote.moneyline, quote.spread, quote.total];
            for prices in markets.into_iter().filter(|prices| prices.iter().all(|p| *p > 1.2)) {
                let overround = prices.iter().map(|p| 1.0 / p).sum::<f64>() - 1.0;
                // Half a step of a hundredth moves the implied probability of 1.2 by 0.0035.
                assert!((overround - margin).abs() < 0.005, "{} {prices:?}", BOOKS[quote.book].name);
            }
        }
    }

    #[test]
    fn quotes_are_taken_after_the_announcement_and_before_the_start_in_order() {
        for (game, quote) in all_quotes() {
            assert!(game.announced() < quote.captured_at && quote.captured_at < game.meeting.start);
            let hours = (game.meeting.start - quote.captured_at).total(jiff::Unit::Hour).unwrap();
            match quote.moment {
                Moment::Opening => {
                    assert!((114.0..=120.0).contains(&hours) || (29.0..=30.0).contains(&hours));
                }
                Moment::Morning => assert!((6.0..=14.0).contains(&hours)),
                Moment::Closing => assert!(hours < 0.25),
            }
        }
    }

    #[test]
    fn at_any_hour_of_the_last_day_every_book_has_a_price_of_less_than_thirty_hours() {
        let games: BTreeMap<u64, Vec<(DemoGame, Quote)>> =
            all_quotes().into_iter().fold(BTreeMap::new(), |mut games, (game, quote)| {
                games.entry(game.meeting.number).or_default().push((game, quote));
                games
            });
        for (hour, quotes) in (1..=24).flat_map(|hour| games.values().map(move |quotes| (hour, quotes))) {
            let as_of = quotes[0].0.meeting.start - SignedDuration::from_hours(hour);
            for book in 0..BOOKS.len() {
                let seen =
                    quotes.iter().map(|(_, quote)| quote).filter(|q| q.book == book && q.captured_at < as_of);
                let newest = seen.map(|quote| quote.captured_at).max().unwrap();
                assert!(
                    as_of.duration_since(newest) < SignedDuration::from_hours(30),
                    "{hour} h, book {book}"
                );
            }
        }
    }

    #[test]
    fn lines_stand_near_even_and_include_whole_and_half_points() {
        let quotes = all_quotes();
        let whole = quotes.iter().filter(|(_, q)| q.home_halves % 2 == 0).count();
        assert!((0.2..0.8).contains(&(whole as f64 / quotes.len() as f64)));
        for (_, quote) in quotes {
            assert!(quote.spread.iter().chain(&quote.total).all(|p| (1.7..2.2).contains(p)), "{quote:?}");
        }
    }
}
