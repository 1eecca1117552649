//! How did a bet end, under which rule, and what did it pay?
//!
//! # Example
//! ```
//! use ledger::{Ledger, Night};
//! let night = Night { date: "2021-11-12".parse().unwrap(), as_of: "2021-11-12T09:00:00Z".parse().unwrap(),
//!     run_id: "run-2".into(), recorded_at: "2021-11-12T09:03:00Z".parse().unwrap() };
//! assert!(Ledger::default().settle(&[], |_| None, &night).is_empty(), "no bets, no endings");
//! ```

use std::collections::BTreeMap;

use market::{GameId, GameStatus, Money, ResultRow};

use crate::{
    ClosingLine, Entry, Event, Ledger, Night, Outcome, clv,
    entry::{Ending, Terms},
};

/// The run id of endings that a person has written: no result takes them back.
pub const BY_HAND: &str = "by-hand";

impl Ledger {
    /// Returns the endings that follow from the results visible as of the night; append them to make them count.
    ///
    /// Only results with `known_at < night.as_of` are seen, the latest per game. A bet that ended otherwise than its
    /// game's result now says is corrected: one entry takes the ending back, one makes the new one; what a person has
    /// ended stays. A postponed game leaves its bets open until the rule's hours are over, then they are void, and stay so
    /// when it is played later. `closing` gives the close for a bet as placed.
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
            let Some(ending) = ending(terms, result, night) else { continue };
            let close = || with_close(ending, terms, closing(placed));
            let revision = self.revision(&placed.bet_id);
            match old {
                None => entries.push(ended(placed, close(), revision, night)),
                Some(old) if is_corrected(old, &ending, night) => {
                    entries.push(taken_back(placed, old, revision, night));
                    entries.push(ended(placed, close(), revision + 1, night));
                }
                Some(_) => {}
            }
        }
        entries
    }
}

/// Returns how the bet ends on this result; none while it is open, or when it does not fit its rule.
fn ending(terms: &Terms, result: &ResultRow, night: &Night) -> Option<Ending> {
    let within = terms.rule.moved_within();
    let moved = result.game.start_time.duration_since(terms.start_time).abs() > within;
    let void = |status| Some(Ending { outcome: Outcome::Void(status), scores: None, close: None, clv: None });
    match result.status {
        GameStatus::Final if moved => void(GameStatus::Postponed),
        GameStatus::Final => {
            let (home, away) = (result.home_score, result.away_score);
            let outcome = terms.rule.outcome(terms.selection, terms.points, home, away)?;
            Some(Ending { outcome, scores: Some((home, away)), close: None, clv: None })
        }
        GameStatus::Postponed if night.as_of.duration_since(terms.start_time) <= within => None,
        status => void(status),
    }
}

fn with_close(ending: Ending, terms: &Terms, close: Option<ClosingLine>) -> Ending {
    let valued = close.and_then(|close| Some((close, clv::clv(terms.price, terms.points, &close)?)));
    Ending { close: valued.map(|(close, _)| close), clv: valued.map(|(_, clv)| clv), ..ending }
}

fn is_corrected(old: &Entry, new: &Ending, night: &Night) -> bool {
    let Some(before) = &old.ending else { return false };
    let differs = (before.outcome, before.scores) != (new.outcome, new.scores);
    let void = |ending: &Ending| matches!(ending.outcome, Outcome::Void(_));
    differs && !(void(before) && void(new)) && night.as_of > old.as_of && old.run_id != BY_HAND
}

impl Ledger {
    /// Returns the entries with which a person ends a bet: one, or two when its ending before is taken back.
    ///
    /// `closing` gives the close for the bet as placed; where it gives none, that of the ending before stays. None when no
    /// such bet is there, or when it has ended so already.
    pub fn settle_by_hand(
        &self,
        bet_id: &str,
        outcome: Outcome,
        scores: Option<(u16, u16)>,
        closing: impl Fn(&Entry) -> Option<ClosingLine>,
        night: &Night,
    ) -> Option<Vec<Entry>> {
        let night = Night { run_id: BY_HAND.to_owned(), ..night.clone() };
        let (placed, old) = self.bet(bet_id)?;
        let revision = self.revision(bet_id);
        let before = old.and_then(|old| old.ending.as_ref()).and_then(|ending| ending.close);
        let ending = Ending { outcome, scores, close: None, clv: None };
        let ending = match &placed.terms {
            Some(terms) => with_close(ending, terms, closing(placed).or(before)),
            None => ending,
        };
        match old {
            None => Some(vec![ended(placed, ending, revision, &night)]),
            Some(old) if old.ending == Some(ending) => None,
            Some(old) => Some(vec![
                taken_back(placed, old, revision, &night),
                ended(placed, ending, revision + 1, &night),
            ]),
        }
    }
}

fn ended(placed: &Entry, ending: Ending, revision: u32, night: &Night) -> Entry {
    let (event, pnl) = match (ending.outcome, &placed.terms) {
        (Outcome::Void(_), _) | (_, None) => (Event::Voided, Money::ZERO),
        (outcome, Some(terms)) => (Event::Settled, terms.rule.profit(placed.stake, terms.price, outcome)),
    };
    follow(placed, event, pnl, ending, revision, night)
}

fn taken_back(placed: &Entry, old: &Entry, revision: u32, night: &Night) -> Entry {
    let nothing =
        Ending { outcome: Outcome::Void(GameStatus::Cancelled), scores: None, close: None, clv: None };
    follow(placed, Event::Corrected, -old.pnl, old.ending.unwrap_or(nothing), revision, night)
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
