//! How did a bet end, under which rule, and what did it pay?
//!
//! # Example
//! ```
//! use ledger::settle::{SettlementRule, profit};
//! use market::{Grade, Market, Points, Price, Selection};
//! let rule = SettlementRule::of(Market::Moneyline, false);
//! assert_eq!(rule.grade(Selection::Home, None, 17, 17), Some(Grade::Push));
//! assert_eq!(profit("20.00".parse().unwrap(), Price::new(1.95).unwrap(), Grade::HalfWin).to_string(), "9.50");
//! ```

use std::{collections::BTreeMap, fmt};

use jiff::SignedDuration;
use market::{GameId, GameStatus, Grade, Market, Money, Points, Price, ResultRow, Selection, settlement};
use serde::{Deserialize, Serialize};

use crate::{
    ClosingLine, Entry, Event, Ledger, Night, Outcome, clv,
    entry::{Ending, Terms},
};

/// A game that is played this long after the bet's own start is another event: a void stays void.
const SAME_GAME_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The rule that a bet is settled by; its id is stored on the bet.
///
/// All rules take the official final score, extra time included where the source includes it. A game that is
/// postponed, cancelled or abandoned voids the bet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementRule {
    /// Moneyline without a draw: a drawn game returns the stake.
    MoneylineTwoWay,
    /// Moneyline with a draw on offer: a drawn game loses for home and away.
    MoneylineThreeWay,
    /// Handicap in whole, half and quarter points.
    Spread,
    /// Total in whole, half and quarter points.
    Total,
}

impl SettlementRule {
    const ALL: [Self; 4] = [Self::MoneylineTwoWay, Self::MoneylineThreeWay, Self::Spread, Self::Total];

    /// Returns the rule of a market; `three_way` says whether the league's moneyline has a draw.
    pub fn of(market: Market, three_way: bool) -> Self {
        match market {
            Market::Moneyline if three_way => Self::MoneylineThreeWay,
            Market::Moneyline => Self::MoneylineTwoWay,
            Market::Spread => Self::Spread,
            Market::Total => Self::Total,
        }
    }

    /// Returns the id that is stored on the bet.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MoneylineTwoWay => "moneyline-tie-push-1",
            Self::MoneylineThreeWay => "moneyline-three-way-1",
            Self::Spread => "spread-1",
            Self::Total => "total-1",
        }
    }

    /// Reads an id.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }

    /// Grades a selection on a final score; none when its points do not fit the rule.
    pub fn grade(self, selection: Selection, points: Option<Points>, home: u16, away: u16) -> Option<Grade> {
        let (home, away) = (i32::from(home), i32::from(away));
        let of_total = matches!(selection, Selection::Over | Selection::Under);
        match self {
            Self::MoneylineTwoWay if points.is_none() && !of_total => {
                settlement::moneyline_two_way(selection, home - away)
            }
            Self::MoneylineThreeWay if points.is_none() && !of_total => {
                settlement::grade(selection, None, home, away)
            }
            Self::Spread if points.is_some() && !of_total && selection != Selection::Draw => {
                settlement::grade(selection, points, home, away)
            }
            Self::Total if of_total => settlement::grade(selection, points, home, away),
            _ => None,
        }
    }
}

impl fmt::Display for SettlementRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Returns what a bet wins (or loses, negative), to the cent; half a cent goes away from zero.
pub fn profit(stake: Money, price: Price, grade: Grade) -> Money {
    stake.scale(grade.net(price))
}

impl Ledger {
    /// Returns the endings that follow from the results visible as of the night; append them to make them count.
    ///
    /// Only results with `known_at < night.as_of` are seen, the latest per game. A bet that ended otherwise than its
    /// game's result now says is corrected: one entry takes the ending back, one makes the new one. A bet voided
    /// because its game was moved stays void when the game is played on another day. `closing` gives the
    /// close for a bet as placed.
    pub fn settle(
        &self,
        results: &[ResultRow],
        closing: impl Fn(&Entry) -> Option<ClosingLine>,
        night: &Night,
    ) -> Vec<Entry> {
        let mut latest: BTreeMap<&GameId, &ResultRow> = BTreeMap::new();
        for result in results.iter().filter(|result| result.known_at < night.as_of) {
            let held = latest.entry(&result.game.game_id).or_insert(result);
            if result.known_at >= held.known_at {
                *held = result;
            }
        }
        let mut entries = Vec::new();
        for (placed, old) in self.bets() {
            let Some(terms) = &placed.terms else { continue };
            let Some(result) = latest.get(&terms.game_id) else { continue };
            let Some(ending) = ending(terms, result, closing(placed)) else { continue };
            let revision = self.revision(&placed.bet_id);
            match old {
                None => entries.push(ended(placed, ending, revision, night)),
                Some(old) if is_corrected(old, terms, &ending, result, night) => {
                    entries.push(taken_back(placed, old, revision, night));
                    entries.push(ended(placed, ending, revision + 1, night));
                }
                Some(_) => {}
            }
        }
        entries
    }
}

/// Returns how the bet ends on this result; none when its points do not fit its rule.
fn ending(terms: &Terms, result: &ResultRow, close: Option<ClosingLine>) -> Option<Ending> {
    let comparable = close.and_then(|close| Some((close, clv::clv(terms.price, terms.points, &close)?)));
    let (outcome, scores) = match result.status {
        GameStatus::Final => {
            let (home, away) = (result.home_score, result.away_score);
            let grade = terms.rule.grade(terms.selection, terms.points, home, away)?;
            (Outcome::Graded(grade), Some((home, away)))
        }
        void => (Outcome::Void(void), None),
    };
    Some(Ending {
        outcome,
        scores,
        closing_price: comparable.map(|(close, _)| close.price),
        closing_probability: comparable.map(|(close, _)| close.probability),
        ev_clv: comparable.map(|(_, clv)| clv.expected_value),
    })
}

fn is_corrected(old: &Entry, terms: &Terms, new: &Ending, result: &ResultRow, night: &Night) -> bool {
    let Some(before) = &old.ending else { return false };
    let differs = (before.outcome, before.scores) != (new.outcome, new.scores);
    let later = night.as_of > old.as_of;
    let moved = result.game.start_time.duration_since(terms.start_time).abs() > SAME_GAME_WITHIN;
    let replayed = matches!(before.outcome, Outcome::Void(_)) && moved;
    differs && later && !replayed
}

fn ended(placed: &Entry, ending: Ending, revision: u32, night: &Night) -> Entry {
    let (event, pnl) = match (ending.outcome, &placed.terms) {
        (Outcome::Graded(grade), Some(terms)) => (Event::Settled, profit(placed.stake, terms.price, grade)),
        _ => (Event::Voided, Money::ZERO),
    };
    follow(placed, event, pnl, ending, revision, night)
}

fn taken_back(placed: &Entry, old: &Entry, revision: u32, night: &Night) -> Entry {
    let ending = old.ending.unwrap_or(Ending {
        outcome: Outcome::Void(GameStatus::Cancelled),
        scores: None,
        closing_price: None,
        closing_probability: None,
        ev_clv: None,
    });
    follow(placed, Event::Corrected, -old.pnl, ending, revision, night)
}

fn follow(placed: &Entry, event: Event, pnl: Money, ending: Ending, revision: u32, night: &Night) -> Entry {
    Entry {
        stake: placed.stake,
        pnl,
        terms: placed.terms.clone(),
        ending: Some(ending),
        ..Entry::bare(night, event, placed.mode, placed.bet_id.clone(), revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_id_reads_back() {
        for rule in SettlementRule::ALL {
            assert_eq!(SettlementRule::parse(rule.as_str()), Some(rule));
        }
        assert_eq!(SettlementRule::parse("spread-0"), None);
    }

    #[test]
    fn points_that_do_not_fit_grade_nothing() {
        let half = Points::from_f64(2.5);
        assert_eq!(SettlementRule::Spread.grade(Selection::Home, None, 1, 0), None);
        assert_eq!(SettlementRule::Spread.grade(Selection::Over, half, 1, 0), None);
        assert_eq!(SettlementRule::Total.grade(Selection::Home, half, 1, 0), None);
        assert_eq!(SettlementRule::MoneylineThreeWay.grade(Selection::Home, half, 1, 0), None);
    }

    #[test]
    fn a_drawn_game_depends_on_the_rule() {
        let on = |rule: SettlementRule, selection| rule.grade(selection, None, 1, 1);
        assert_eq!(on(SettlementRule::MoneylineThreeWay, Selection::Home), Some(Grade::Loss));
        assert_eq!(on(SettlementRule::MoneylineThreeWay, Selection::Draw), Some(Grade::Win));
        assert_eq!(on(SettlementRule::MoneylineTwoWay, Selection::Away), Some(Grade::Push));
    }

    #[test]
    fn the_worst_that_can_happen_is_losing_the_stake() {
        let stake: Money = "13.37".parse().unwrap();
        for grade in Grade::ALL {
            assert!(profit(stake, Price::new(1.0001).unwrap(), grade) >= -stake);
        }
    }
}
