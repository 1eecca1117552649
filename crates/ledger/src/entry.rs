//! One event of the ledger: a bet placed, its ending, a correction, money in or out.
//!
//! # Example
//! ```
//! use ledger::{Entry, Event, Mode, Night};
//! let night = Night { date: "2021-11-11".parse().unwrap(), as_of: "2021-11-11T09:00:00Z".parse().unwrap(),
//!     run_id: "run-1".into(), recorded_at: "2021-11-11T09:03:00Z".parse().unwrap() };
//! let deposit = Entry::cash(&night, Event::Deposit, Mode::Live, "50.00".parse().unwrap(), "november");
//! assert_eq!(deposit.event_id, "2021-11-11:november:live/deposit/0");
//! ```

use std::fmt;

use market::{
    Date, GameId, GameStatus, Grade, LeagueId, LineRow, Market, Money, Name, Points, Price, RawRef,
    Selection, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{ClosingLine, Clv, SettlementRule, ledger::Night, settle::BY_HAND};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A bet was placed.
    Placed,
    /// It was won, lost or pushed.
    Settled,
    /// It was void: the stake comes back.
    Voided,
    /// The ending before was wrong and is taken back; a new one follows.
    Corrected,
    /// Money came in.
    Deposit,
    /// Money went out.
    Withdrawal,
}

/// Whether money is at stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// On paper only; it has a balance of its own.
    Paper,
    /// For money.
    Live,
}

/// How a bet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// On the score.
    Graded(Grade),
    /// Both sides share the one place there is: half of the stake wins at full odds, half is lost.
    DeadHeat,
    /// Void, because the game was not finished; never [`GameStatus::Final`].
    Void(GameStatus),
}

macro_rules! words {
    ($($kind:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        impl $kind {
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the word of the file.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word of the file.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

words! {
    Event {
        Placed = "placed", Settled = "settled", Voided = "voided", Corrected = "corrected",
        Deposit = "deposit", Withdrawal = "withdrawal",
    }
    Mode { Paper = "paper", Live = "live" }
}

impl Outcome {
    /// Returns the word of the `grade` column: a grade, or why the bet is void.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graded(grade) => grade.as_str(),
            Self::DeadHeat => "dead_heat",
            Self::Void(status) => status.as_str(),
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        let void = GameStatus::parse(text).filter(|status| *status != GameStatus::Final).map(Self::Void);
        let dead_heat = (text == "dead_heat").then_some(Self::DeadHeat);
        void.or(dead_heat).or_else(|| Grade::parse(text).map(Self::Graded))
    }

    /// Returns the net return of a stake of 1; a dead heat of two pays `o/2 - 1` (domain notes, section 6.5).
    pub fn net(self, price: Price) -> f64 {
        match self {
            Self::Graded(grade) => grade.net(price),
            Self::DeadHeat => price.decimal() / 2.0 - 1.0,
            Self::Void(_) => 0.0,
        }
    }
}

/// What was bet on, and why; the same on every event of a bet.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The game.
    pub game_id: GameId,
    /// Its league.
    pub league: LeagueId,
    /// Home team.
    pub home: Name,
    /// Away team.
    pub away: Name,
    /// Scheduled start, UTC.
    pub start_time: Timestamp,
    /// The market.
    pub market: Market,
    /// The side.
    pub selection: Selection,
    /// The selection's own points; none for the moneyline.
    pub points: Option<Points>,
    /// The bookmaker.
    pub book: Name,
    /// The price taken.
    pub price: Price,
    /// When that price was seen, UTC.
    pub captured_at: Timestamp,
    /// The bytes that it was read from.
    pub raw_ref: RawRef,
    /// The ensemble's own probability among decided stakes.
    pub probability_model: Option<f64>,
    /// The books' consensus.
    pub probability_market: Option<f64>,
    /// What the stake was computed with: the model shrunk to the market.
    pub probability: Option<f64>,
    /// Expected net return of a stake of 1.
    pub edge: Option<f64>,
    /// Lens scores in the order of [`lenses::LensKind::ALL`]; none when missing, 0 when vetoed.
    pub lenses: [Option<f64>; 5],
    /// What the lenses say together.
    pub score: Option<f64>,
    /// Expected log growth that the bet added to the slate when it was placed.
    pub growth_added: Option<f64>,
    /// Version of the lens weights.
    pub weights_version: Name,
    /// Version of the model.
    pub model_version: Name,
    /// The rule that it is settled by.
    pub rule: SettlementRule,
}

impl Terms {
    /// Returns the terms of a bet on a quote that no model has judged.
    pub fn by_hand(line: &LineRow, rule: SettlementRule) -> Self {
        Self {
            game_id: line.game.game_id.clone(),
            league: line.game.league.clone(),
            home: line.game.home.clone(),
            away: line.game.away.clone(),
            start_time: line.game.start_time,
            market: line.market,
            selection: line.selection,
            points: line.points,
            book: line.book.clone(),
            price: line.price,
            captured_at: line.captured_at,
            raw_ref: line.raw_ref.clone(),
            probability_model: None,
            probability_market: None,
            probability: None,
            edge: None,
            lenses: [None; 5],
            score: None,
            growth_added: None,
            weights_version: Name::from(""),
            model_version: Name::from(BY_HAND),
            rule,
        }
    }
}

/// How a bet ended, with what it is judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ending {
    /// Grade, or why it is void.
    pub outcome: Outcome,
    /// Home and away score; none when void.
    pub scores: Option<(u16, u16)>,
    /// The last price before the start; none when nobody quoted a comparable one.
    pub close: Option<ClosingLine>,
    /// What the bet was worth at that close.
    pub clv: Option<Clv>,
}

/// One event; one line of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The night that wrote it.
    pub date: Date,
    /// The bet's stake; of a deposit or withdrawal, the amount.
    pub stake: Money,
    /// What the event adds to the balance by betting: 0 unless settled or corrected.
    pub pnl: Money,
    /// What happened.
    pub event: Event,
    /// Which bet; for money in or out, which movement.
    pub bet_id: String,
    /// Paper or live.
    pub mode: Mode,
    /// The as-of of the decision, or of the settlement.
    pub as_of: Timestamp,
    /// What was bet on; none for money in or out.
    pub terms: Option<Terms>,
    /// How it ended; only when settled, voided or corrected.
    pub ending: Option<Ending>,
    /// Balance of the mode after the event; filled in by [`crate::Ledger::append`].
    pub balance: Money,
    /// Which run wrote it.
    pub run_id: String,
    /// When it was written, UTC.
    pub recorded_at: Timestamp,
    /// Identity of the event: bet, event, and how often the bet was corrected before.
    pub event_id: String,
}

impl Entry {
    /// Places a bet. Its id follows from the night, game, market, selection, points and mode, so that the same decision
    /// made twice is one bet.
    pub fn placed(night: &Night, mode: Mode, stake: Money, terms: Terms) -> Self {
        let Terms { game_id, market, selection, .. } = &terms;
        let points = terms.points.map_or_else(String::new, |points| format!(":{points}"));
        let bet_id = format!("{}:{game_id}:{market}:{selection}{points}:{mode}", night.date);
        Self { terms: Some(terms), stake, ..Self::bare(night, Event::Placed, mode, bet_id, 0) }
    }

    /// Places a bet that a person made: its id names the bookmaker and the price too, so that it is not taken for one of
    /// a night's own, nor two bets for one.
    pub fn placed_by_hand(night: &Night, mode: Mode, stake: Money, terms: Terms) -> Self {
        let Terms { game_id, market, selection, book, price, .. } = &terms;
        let points = terms.points.map_or_else(String::new, |points| format!(":{points}"));
        let bet_id = format!(
            "{}:{game_id}:{market}:{selection}{points}:{book}:{}:{stake}:by-hand:{mode}",
            night.date,
            price.decimal()
        );
        Self { terms: Some(terms), stake, ..Self::bare(night, Event::Placed, mode, bet_id, 0) }
    }

    /// Moves money in or out; `reference` tells movements of one day apart.
    pub fn cash(night: &Night, event: Event, mode: Mode, amount: Money, reference: &str) -> Self {
        let bet_id = format!("{}:{reference}:{mode}", night.date);
        Self { stake: amount, ..Self::bare(night, event, mode, bet_id, 0) }
    }

    pub(crate) fn bare(night: &Night, event: Event, mode: Mode, bet_id: String, revision: u32) -> Self {
        Self {
            date: night.date,
            stake: Money::ZERO,
            pnl: Money::ZERO,
            event,
            event_id: event_id(&bet_id, event, revision),
            bet_id,
            mode,
            as_of: night.as_of,
            terms: None,
            ending: None,
            balance: Money::ZERO,
            run_id: night.run_id.clone(),
            recorded_at: night.recorded_at,
        }
    }

    /// Returns how often the bet had been corrected before, as the event's id tells.
    pub(crate) fn revision(&self) -> Option<u32> {
        self.event_id.rsplit_once('/').and_then(|(_, count)| count.parse().ok())
    }

    /// Returns what the event adds to the balance.
    pub fn effect(&self) -> Money {
        match self.event {
            Event::Deposit => self.stake,
            Event::Withdrawal => -self.stake,
            Event::Placed | Event::Settled | Event::Voided | Event::Corrected => self.pnl,
        }
    }
}

/// Tells whether `text` is the id of this event, without writing it down.
pub(crate) fn is_event_id(text: &str, bet_id: &str, event: Event, revision: u32) -> bool {
    let rest = text.strip_prefix(bet_id).and_then(|rest| rest.strip_prefix('/'));
    let count = rest.and_then(|rest| rest.strip_prefix(event.as_str())?.strip_prefix('/'));
    let plain = |count: &str| count == "0" || !count.starts_with(['+', '0']);
    count.is_some_and(|count| plain(count) && count.parse() == Ok(revision))
}

pub(crate) fn event_id(bet_id: &str, event: Event, revision: u32) -> String {
    format!("{bet_id}/{event}/{revision}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for event in Event::ALL {
            assert_eq!(Event::parse(event.as_str()), Some(*event));
        }
        for outcome in
            [Outcome::Graded(Grade::HalfLoss), Outcome::DeadHeat, Outcome::Void(GameStatus::Abandoned)]
        {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
        assert_eq!(Outcome::parse("final"), None, "a finished game is graded");
    }
}
