//! What is known of each league as of a decision, gathered once for all its prices.

use std::collections::BTreeMap;

use data::League;
use jiff::Timestamp;
use ledger::{Ledger, rule::HouseRules};
use lenses::moat::ClvRecord;
use market::{
    LeagueId, Market,
    predictor::{InformationWeight, LeagueScores, Ordinary},
    settlement::Tie,
};

use crate::settings::Settings;

/// Past games, and past bets against the close, count half as much after a year.
pub(super) const HALF_LIFE_DAYS: f64 = 365.0;

/// What is known of each league, gathered once for all its prices.
pub(super) struct Segments(BTreeMap<LeagueId, Segment>);

/// One league.
pub(super) struct Segment {
    pub(super) three_way: bool,
    pub(super) house: HouseRules,
    pub(super) past_clv: Option<ClvRecord>,
    scores: Option<LeagueScores>,
}

impl Segment {
    /// Returns what a drawn game is on the moneyline.
    pub(super) fn tie(&self) -> Tie {
        if self.three_way { Tie::Offered } else { self.house.tie }
    }

    /// Returns how much the model knew beyond the price of this market; of the spread, what it knew of who wins stands in.
    ///
    /// Nothing measured on one thing is claimed of another that has nothing to do with it: totals stand alone.
    pub(super) fn information(&self, market: Market) -> Option<InformationWeight> {
        let scores = self.scores.as_ref()?;
        let own = scores.information_on(market);
        if market == Market::Spread { own.or(scores.information) } else { own }
    }

    pub(super) fn ordinary(&self) -> Option<&Ordinary> {
        self.scores.as_ref()?.ordinary.as_ref()
    }
}

impl Segments {
    pub(super) fn new(
        settings: &Settings,
        ledger: &Ledger,
        scores: &[LeagueScores],
        leagues: &[League],
        as_of: Timestamp,
    ) -> Self {
        let segment = |league: &League| Segment {
            three_way: league.three_way,
            house: settings.house_rules(&league.id),
            past_clv: ClvRecord::of(&ledger.past_clv(&league.id, as_of), HALF_LIFE_DAYS),
            scores: scores.iter().find(|scores| scores.league == league.id).cloned(),
        };
        Self(leagues.iter().map(|league| (league.id.clone(), segment(league))).collect())
    }

    /// Returns what is known of a league; none of one that is not configured.
    pub(super) fn of(&self, league: &LeagueId) -> Option<&Segment> {
        self.0.get(league)
    }
}
