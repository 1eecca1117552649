//! How much is really staked tonight, and why not more.
//!
//! The slate's growth is maximised over independent games, the *solution* is scaled by the Kelly fraction and the
//! drawdown throttle, and then capped per bet, per game and per day; amounts are rounded down to the cent.
//!
//! # Example
//! ```
//! use ledger::stakes::{Proposal, Purse, StakeSettings, size};
//! use market::{GameId, GradeProbabilities, Price};
//! let proposal = Proposal { game_id: GameId::from_text("nfl_2021-11-11_mia_bal"),
//!     grades: GradeProbabilities([0.55, 0.0, 0.0, 0.0, 0.45]), price: Price::new(1.91).unwrap(), score: Some(0.5) };
//! let stakes = size(&[proposal], &StakeSettings::default(), &Purse::new("1000.00".parse().unwrap()));
//! assert_eq!(stakes[0].amount.to_string(), "13.87", "a quarter of Kelly's 5.5 %");
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use lenses::fat_pitch::throttle;
use market::{GameId, GradeProbabilities, Money, Price};
use serde::{Deserialize, Serialize};

use crate::{
    kelly,
    simultaneous::{self, Bet},
};

/// The rules of staking; shares of the bankroll.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StakeSettings {
    /// Share of the growth-optimal stakes that is really staked.
    pub kelly_fraction: f64,
    /// Most on one bet.
    pub max_bet: f64,
    /// Most in a day, bets still open included.
    pub max_day: f64,
    /// Most on one game; the bet's own limit when absent.
    pub max_game: Option<f64>,
    /// Least expected net return.
    pub hurdle: f64,
    /// Least score of the lenses.
    pub min_score: f64,
}

impl Default for StakeSettings {
    fn default() -> Self {
        Self {
            kelly_fraction: 0.25,
            max_bet: 0.02,
            max_day: 0.10,
            max_game: None,
            hurdle: 0.01,
            min_score: 0.25,
        }
    }
}

/// A bet that the lenses have looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The game.
    pub game_id: GameId,
    /// Shrunk probabilities of its five ends.
    pub grades: GradeProbabilities,
    /// The price.
    pub price: Price,
    /// What the lenses say together; none when unscored.
    pub score: Option<f64>,
}

impl Proposal {
    fn bet(&self) -> Bet {
        Bet { grades: self.grades, price: self.price }
    }
}

/// What there is to stake from.
#[derive(Debug, Clone, PartialEq)]
pub struct Purse {
    /// Balance.
    pub balance: Money,
    /// Stakes of bets that are still open.
    pub open: Money,
    /// Fall from the highest balance as a negative share.
    pub drawdown: f64,
    /// Games with an open bet.
    pub open_games: BTreeSet<GameId>,
}

impl Purse {
    /// Builds a purse without open bets, at its peak.
    pub fn new(balance: Money) -> Self {
        Self { balance, open: Money::ZERO, drawdown: 0.0, open_games: BTreeSet::new() }
    }

    /// Returns the share of the balance that is at stake in open bets.
    pub fn exposure(&self) -> f64 {
        if self.balance > Money::ZERO { self.open.as_f64() / self.balance.as_f64() } else { 1.0 }
    }
}

/// Why a stake is less than the scaled optimum, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Nothing left to stake.
    NoBankroll,
    /// The lenses could not score it.
    Unscored,
    /// A lens refuses it.
    Vetoed,
    /// The score is below the least.
    LowScore,
    /// The expected return is below the hurdle.
    LowEdge,
    /// The game has an open bet already.
    OpenBet,
    /// Another bet on the same game promises more.
    AnotherOnTheGame,
    /// The slate grows fastest without it.
    NoGrowth,
    /// The drawdown shrinks or stops stakes.
    Drawdown,
    /// The limit per bet.
    MaxBet,
    /// The limit per game.
    MaxGame,
    /// The limit per day.
    MaxDay,
    /// What remains is less than a cent.
    BelowOneCent,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoBankroll => "there is nothing left to stake",
            Self::Unscored => "the lenses lack the data to score it",
            Self::Vetoed => "a lens refuses it",
            Self::LowScore => "its score is below the least that is bet on",
            Self::LowEdge => "its expected return is below the hurdle",
            Self::OpenBet => "there is an open bet on the game already",
            Self::AnotherOnTheGame => "another bet on the same game promises more",
            Self::NoGrowth => "the slate grows fastest without it",
            Self::Drawdown => "the bankroll is well below its peak",
            Self::MaxBet => "cut to the limit per bet",
            Self::MaxGame => "cut to the limit per game",
            Self::MaxDay => "cut to the limit per day",
            Self::BelowOneCent => "what remains is less than a cent",
        })
    }
}

/// What is staked on one proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stake {
    /// The amount; zero when refused.
    pub amount: Money,
    /// Share of the balance before rounding.
    pub fraction: f64,
    /// Share that would maximise the slate's growth, before any scaling; 0 when not considered.
    pub full_kelly: f64,
    /// Every rule that made it smaller, in the order applied.
    pub cuts: Vec<Cut>,
}

impl Stake {
    fn refused(cut: Cut) -> Self {
        Self { amount: Money::ZERO, fraction: 0.0, full_kelly: 0.0, cuts: vec![cut] }
    }
}

/// Sizes each proposal, in the order given; at most one bet per game, the one that grows fastest by itself.
pub fn size(proposals: &[Proposal], settings: &StakeSettings, purse: &Purse) -> Vec<Stake> {
    let mut stakes: Vec<Stake> = proposals
        .iter()
        .map(|proposal| match refusal(proposal, settings, purse) {
            Some(cut) => Stake::refused(cut),
            None => Stake { amount: Money::ZERO, fraction: 0.0, full_kelly: 0.0, cuts: Vec::new() },
        })
        .collect();
    let chosen = best_per_game(proposals, &stakes, settings);
    for (i, stake) in stakes.iter_mut().enumerate() {
        if stake.cuts.is_empty() && !chosen.contains(&i) {
            stake.cuts.push(Cut::AnotherOnTheGame);
        }
    }
    let bets: Vec<Bet> = chosen.iter().map(|i| proposals[*i].bet()).collect();
    let solution = simultaneous::allocate(&bets, None);
    for (i, full) in chosen.iter().zip(&solution.fractions) {
        limit_one(&mut stakes[*i], *full, settings, purse);
    }
    limit_day(&mut stakes, settings, purse);
    for stake in &mut stakes {
        stake.amount = purse.balance.fraction_floor(stake.fraction);
        if stake.fraction > 0.0 && stake.amount <= Money::ZERO {
            stake.cuts.push(Cut::BelowOneCent);
        }
    }
    stakes
}

/// Returns the expected log growth of the stakes that `size` would place on `proposals`, whatever their scores.
///
/// The fat-pitch lens asks for it with and without a bet: the difference is what the bet adds.
pub fn portfolio_growth(proposals: &[Proposal], settings: &StakeSettings, purse: &Purse) -> f64 {
    let unscored = StakeSettings { min_score: 0.0, ..settings.clone() };
    let scored: Vec<Proposal> =
        proposals.iter().map(|proposal| Proposal { score: Some(1.0), ..proposal.clone() }).collect();
    let fractions: Vec<f64> = size(&scored, &unscored, purse).iter().map(|stake| stake.fraction).collect();
    let bets: Vec<Bet> = proposals.iter().map(Proposal::bet).collect();
    simultaneous::growth(&bets, &fractions)
}

/// Returns how much log growth each proposal adds: all of them with it, minus all of them without it.
///
/// Other bets on its own game are left out, so that each is measured as if it were the one chosen there.
pub fn growth_added(proposals: &[Proposal], settings: &StakeSettings, purse: &Purse) -> Vec<f64> {
    let best = best_per_game(proposals, &[], settings);
    let mut without: BTreeMap<&GameId, (Vec<Proposal>, f64)> = BTreeMap::new();
    proposals
        .iter()
        .map(|proposal| {
            let (others, growth) = without.entry(&proposal.game_id).or_insert_with(|| {
                let elsewhere = best.iter().map(|i| &proposals[*i]).filter(|p| p.game_id != proposal.game_id);
                let others: Vec<Proposal> = elsewhere.cloned().collect();
                let growth = portfolio_growth(&others, settings, purse);
                (others, growth)
            });
            let mut all = others.clone();
            all.push(proposal.clone());
            portfolio_growth(&all, settings, purse) - *growth
        })
        .collect()
}

fn refusal(proposal: &Proposal, settings: &StakeSettings, purse: &Purse) -> Option<Cut> {
    let edge = proposal.grades.expected_net(proposal.price);
    match proposal.score {
        _ if purse.balance <= Money::ZERO => Some(Cut::NoBankroll),
        _ if purse.open_games.contains(&proposal.game_id) => Some(Cut::OpenBet),
        None => Some(Cut::Unscored),
        Some(score) if score.is_nan() || score <= 0.0 => Some(Cut::Vetoed),
        Some(score) if score < settings.min_score => Some(Cut::LowScore),
        Some(_) if edge.is_nan() || edge <= settings.hurdle => Some(Cut::LowEdge),
        Some(_) => None,
    }
}

/// Indices of the proposals without a cut that grow fastest by themselves, one per game, ascending.
fn best_per_game(proposals: &[Proposal], stakes: &[Stake], settings: &StakeSettings) -> Vec<usize> {
    let mut best: BTreeMap<&GameId, (f64, usize)> = BTreeMap::new();
    for (i, proposal) in proposals.iter().enumerate() {
        if stakes.get(i).is_some_and(|stake| !stake.cuts.is_empty()) {
            continue;
        }
        let full = kelly::of_grades(&proposal.grades, proposal.price);
        let fraction = (full * settings.kelly_fraction).min(settings.max_bet);
        let growth = kelly::growth(&proposal.grades, proposal.price, fraction);
        let held = best.entry(&proposal.game_id).or_insert((growth, i));
        if growth > held.0 {
            *held = (growth, i);
        }
    }
    let mut chosen: Vec<usize> = best.into_values().map(|(_, i)| i).collect();
    chosen.sort_unstable();
    chosen
}

fn limit_one(stake: &mut Stake, full: f64, settings: &StakeSettings, purse: &Purse) {
    let throttle = throttle(purse.drawdown);
    stake.full_kelly = full;
    if full <= 0.0 {
        stake.cuts.push(Cut::NoGrowth);
        return;
    }
    if throttle < 1.0 {
        stake.cuts.push(Cut::Drawdown);
    }
    stake.fraction = full * settings.kelly_fraction * throttle;
    for (limit, cut) in [(Some(settings.max_bet), Cut::MaxBet), (settings.max_game, Cut::MaxGame)] {
        if let Some(limit) = limit.filter(|limit| stake.fraction > *limit) {
            stake.fraction = limit.max(0.0);
            stake.cuts.push(cut);
        }
    }
}

/// Scales all stakes alike until they fit into what the day has left.
fn limit_day(stakes: &mut [Stake], settings: &StakeSettings, purse: &Purse) {
    let total: f64 = stakes.iter().map(|stake| stake.fraction).sum();
    let left = (settings.max_day - purse.exposure()).max(0.0);
    if total <= left {
        return;
    }
    for stake in stakes.iter_mut().filter(|stake| stake.fraction > 0.0) {
        stake.fraction *= left / total;
        stake.cuts.push(Cut::MaxDay);
    }
}

#[cfg(test)]
mod tests;
