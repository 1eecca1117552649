//! How much is really staked tonight, and why not more.
//!
//! The slate's growth is maximised over all games at once, bets on one game through their joint distribution; the *solution* is
//! scaled by the Kelly fraction and the drawdown throttle, and then capped per bet, book, game, league and day; amounts are
//! rounded down to what the book takes. No bet is staked higher than it deserves by itself, so that a cap on one never leaves
//! another too large.
//!
//! # Example
//! ```
//! use ledger::stakes::{Joints, Proposal, Purse, StakeSettings, size};
//! use market::{GameId, GradeProbabilities, LeagueId, Price, Selection};
//! let proposal = Proposal { game_id: GameId::from_text("nfl_2021-11-11_mia_bal"), league: LeagueId::new("nfl").unwrap(),
//!     book: "north".into(), selection: Selection::Home, points: None, price: Price::new(1.91).unwrap(),
//!     grades: GradeProbabilities([0.55, 0.0, 0.0, 0.0, 0.45]), score: Some(0.5) };
//! let stakes = size(&[proposal], &Joints::new(), &StakeSettings::default(), &Purse::new("1000.00".parse().unwrap()));
//! assert_eq!(stakes[0].amount.to_string(), "13.87", "a quarter of Kelly's 5.5 %");
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use lenses::fat_pitch::throttle;
use market::{GameId, GradeProbabilities, Joint, LeagueId, Money, Name, Points, Price, Selection};
use serde::{Deserialize, Serialize};

use crate::{
    kelly,
    same_game::{self, Shared},
    simultaneous::{self, Group, Marginal},
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
    /// Most on one league, bets still open included; the day's limit when absent.
    pub max_league: Option<f64>,
    /// Most bets on one game.
    pub bets_per_game: usize,
    /// Least expected net return.
    pub hurdle: f64,
    /// Least score of the lenses.
    pub min_score: f64,
    /// What amounts are rounded down to; the currency's smallest coin when absent.
    pub step: Option<Money>,
    /// Limits of single bookmakers, by name.
    pub books: BTreeMap<String, BookLimits>,
}

/// What one bookmaker takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BookLimits {
    /// Most on one bet.
    pub max_stake: Option<Money>,
    /// Least on one bet; less is not placed at all.
    pub min_stake: Option<Money>,
    /// What amounts are rounded down to.
    pub step: Option<Money>,
}

impl Default for StakeSettings {
    fn default() -> Self {
        Self {
            kelly_fraction: 0.25,
            max_bet: 0.02,
            max_day: 0.10,
            max_game: None,
            max_league: None,
            bets_per_game: 2,
            hurdle: 0.01,
            min_score: 0.25,
            step: None,
            books: BTreeMap::new(),
        }
    }
}

impl StakeSettings {
    fn limits_of(&self, book: &Name) -> BookLimits {
        self.books.get(book.as_str()).copied().unwrap_or_default()
    }
}

/// A bet that the lenses have looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The game.
    pub game_id: GameId,
    /// Its league.
    pub league: LeagueId,
    /// The bookmaker.
    pub book: Name,
    /// The side.
    pub selection: Selection,
    /// Its points, 0 on a moneyline whose draw returns the stake.
    pub points: Option<Points>,
    /// The price.
    pub price: Price,
    /// Probabilities of its five ends, averaged over what is believed.
    pub grades: GradeProbabilities,
    /// What the lenses say together; none when unscored.
    pub score: Option<f64>,
}

/// Joint distributions of margin and total, by game: how bets on one game hang together.
///
/// A game without one takes a single bet.
pub type Joints = BTreeMap<GameId, Joint>;

/// What there is to stake from.
#[derive(Debug, Clone, PartialEq)]
pub struct Purse {
    /// Balance.
    pub balance: Money,
    /// Stakes of bets that are still open.
    pub open: Money,
    /// The same by league.
    pub open_leagues: BTreeMap<LeagueId, Money>,
    /// Fall from the highest balance as a negative share.
    pub drawdown: f64,
    /// Games with an open bet.
    pub open_games: BTreeSet<GameId>,
}

impl Purse {
    /// Builds a purse without open bets, at its peak.
    pub fn new(balance: Money) -> Self {
        Self {
            balance,
            open: Money::ZERO,
            open_leagues: BTreeMap::new(),
            drawdown: 0.0,
            open_games: BTreeSet::new(),
        }
    }

    /// Returns the share of the balance that is at stake in open bets.
    pub fn exposure(&self) -> f64 {
        self.share(self.open)
    }

    fn share(&self, amount: Money) -> f64 {
        if self.balance > Money::ZERO { amount.as_f64() / self.balance.as_f64() } else { 1.0 }
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
    /// Other bets on the same game promise more, and beside them it adds too little.
    AnotherOnTheGame,
    /// The slate grows fastest without it.
    NoGrowth,
    /// The drawdown shrinks or stops stakes.
    Drawdown,
    /// The limit per bet.
    MaxBet,
    /// The limit of the bookmaker.
    MaxBook,
    /// The limit per game.
    MaxGame,
    /// The limit per league.
    MaxLeague,
    /// The limit per day.
    MaxDay,
    /// What remains is less than the least that can be staked.
    BelowLeastStake,
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
            Self::MaxBook => "cut to what the bookmaker takes",
            Self::MaxGame => "cut to the limit per game",
            Self::MaxLeague => "cut to the limit per league",
            Self::MaxDay => "cut to the limit per day",
            Self::BelowLeastStake => "what remains is less than the least stake",
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

/// Sizes each proposal, in the order given.
///
/// Of each game the bet that grows fastest by itself is taken, and up to [`StakeSettings::bets_per_game`] in all as long
/// as another one makes the game grow by a twentieth more, judged by the joint distribution.
pub fn size(proposals: &[Proposal], joints: &Joints, settings: &StakeSettings, purse: &Purse) -> Vec<Stake> {
    let mut stakes: Vec<Stake> = proposals
        .iter()
        .map(|proposal| match refusal(proposal, settings, purse) {
            Some(cut) => Stake::refused(cut),
            None => Stake { amount: Money::ZERO, fraction: 0.0, full_kelly: 0.0, cuts: Vec::new() },
        })
        .collect();
    let open: Vec<usize> = (0..proposals.len()).filter(|i| stakes[*i].cuts.is_empty()).collect();
    let chosen = same_game::choose(proposals, &open, joints, settings.bets_per_game);
    let taken: BTreeSet<usize> = chosen.iter().flat_map(|game| game.bets.iter().copied()).collect();
    for i in open {
        if !taken.contains(&i) {
            stakes[i].cuts.push(Cut::AnotherOnTheGame);
        }
    }
    let groups: Vec<Group> = chosen.iter().map(|game| game.group.clone()).collect();
    let solution = simultaneous::allocate(&groups, None);
    let order = chosen.iter().flat_map(|game| game.bets.iter().copied());
    for (i, full) in order.zip(&solution.fractions) {
        let alone = kelly::of_grades(&proposals[i].grades, proposals[i].price);
        limit_one(&mut stakes[i], full.min(alone), &proposals[i], settings, purse);
    }
    limit_games(&mut stakes, &chosen, settings);
    limit_leagues(&mut stakes, proposals, settings, purse);
    limit_day(&mut stakes, settings, purse);
    for (stake, proposal) in stakes.iter_mut().zip(proposals) {
        round(stake, proposal, settings, purse);
    }
    stakes
}

/// Returns the expected log growth of the stakes that were sized, with bets on one game through their joint distribution.
pub fn growth(proposals: &[Proposal], joints: &Joints, stakes: &[Stake], purse: &Purse) -> f64 {
    let staked: Vec<usize> = (0..proposals.len()).filter(|i| stakes[*i].amount > Money::ZERO).collect();
    let games = same_game::together(proposals, &staked, joints);
    let groups: Vec<Group> = games.iter().map(|game| game.group.clone()).collect();
    let order = games.iter().flat_map(|game| game.bets.iter());
    let fractions: Vec<f64> = order.map(|i| purse.share(stakes[*i].amount)).collect();
    simultaneous::growth(&groups, &fractions)
}

/// Returns how much log growth each proposal adds to tonight's other games, whatever its score.
///
/// The other games hold their best bets at the stakes that fraction, throttle and the limits per bet and day leave them;
/// the proposal is staked like them. Other bets on its own game are left out, so that each is measured as if it were
/// the one chosen there.
pub fn growth_added(proposals: &[Proposal], settings: &StakeSettings, purse: &Purse) -> Vec<f64> {
    let every: Vec<usize> = (0..proposals.len()).collect();
    let best = same_game::choose(proposals, &every, &Joints::new(), 1);
    let fraction = |i: usize| -> f64 {
        if proposals[i].grades.expected_net(proposals[i].price) <= settings.hurdle {
            return 0.0;
        }
        let full = kelly::of_grades(&proposals[i].grades, proposals[i].price);
        (full * settings.kelly_fraction * throttle(purse.drawdown)).min(settings.max_bet).max(0.0)
    };
    let left = (settings.max_day - purse.exposure()).max(0.0);
    let own: Vec<f64> = best.iter().map(|game| fraction(game.bets[0])).collect();
    let total: f64 = own.iter().sum();
    let scale = if total > left { left / total } else { 1.0 };
    let groups: Vec<Group> = best.iter().map(|game| game.group.clone()).collect();
    let slate = Marginal::new(&groups, &own.iter().map(|f| f * scale).collect::<Vec<_>>());
    let places: BTreeMap<&GameId, usize> =
        best.iter().enumerate().map(|(place, game)| (&proposals[game.bets[0]].game_id, place)).collect();
    let added = |(i, proposal): (usize, &Proposal)| {
        let own_game = places.get(&proposal.game_id).copied();
        slate.growth_added(own_game, &proposal.grades, proposal.price, fraction(i) * scale)
    };
    proposals.iter().enumerate().map(added).collect()
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

fn limit_one(stake: &mut Stake, full: f64, proposal: &Proposal, settings: &StakeSettings, purse: &Purse) {
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
    let book = settings.limits_of(&proposal.book).max_stake.map(|most| purse.share(most));
    for (limit, cut) in [(Some(settings.max_bet), Cut::MaxBet), (book, Cut::MaxBook)] {
        if let Some(limit) = limit.filter(|limit| stake.fraction > *limit) {
            stake.fraction = limit.max(0.0);
            stake.cuts.push(cut);
        }
    }
}

fn limit_games(stakes: &mut [Stake], games: &[Shared], settings: &StakeSettings) {
    for game in games {
        fit(stakes, &game.bets, settings.max_game.unwrap_or(settings.max_bet), Cut::MaxGame);
    }
}

fn limit_leagues(stakes: &mut [Stake], proposals: &[Proposal], settings: &StakeSettings, purse: &Purse) {
    let Some(most) = settings.max_league else { return };
    let mut leagues: BTreeMap<&LeagueId, Vec<usize>> = BTreeMap::new();
    for (i, proposal) in proposals.iter().enumerate() {
        leagues.entry(&proposal.league).or_default().push(i);
    }
    for (league, bets) in leagues {
        let open = purse.open_leagues.get(league).copied().unwrap_or(Money::ZERO);
        fit(stakes, &bets, most - purse.share(open), Cut::MaxLeague);
    }
}

fn limit_day(stakes: &mut [Stake], settings: &StakeSettings, purse: &Purse) {
    let every: Vec<usize> = (0..stakes.len()).collect();
    fit(stakes, &every, settings.max_day - purse.exposure(), Cut::MaxDay);
}

/// Scales some stakes alike until they fit into `limit`.
fn fit(stakes: &mut [Stake], bets: &[usize], limit: f64, cut: Cut) {
    let limit = limit.max(0.0);
    let total: f64 = bets.iter().map(|i| stakes[*i].fraction).sum();
    if total <= limit {
        return;
    }
    for i in bets {
        if stakes[*i].fraction > 0.0 {
            stakes[*i].fraction *= limit / total;
            stakes[*i].cuts.push(cut);
        }
    }
}

/// Turns a share into an amount that the book takes, never a larger one.
fn round(stake: &mut Stake, proposal: &Proposal, settings: &StakeSettings, purse: &Purse) {
    let limits = settings.limits_of(&proposal.book);
    let amount = purse.balance.fraction_floor(stake.fraction);
    stake.amount = limits.step.or(settings.step).map_or(amount, |step| amount.floor_to(step));
    let least = limits.min_stake.unwrap_or(Money::ZERO);
    if stake.fraction > 0.0 && (stake.amount <= Money::ZERO || stake.amount < least) {
        stake.amount = Money::ZERO;
        stake.cuts.push(Cut::BelowLeastStake);
    }
}

#[cfg(test)]
mod tests;
