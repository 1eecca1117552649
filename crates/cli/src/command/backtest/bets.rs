//! What the lenses would have staked: every decision at the same desk as a night's, at prices that stood then.

use std::collections::BTreeMap;

use ::lenses::{Drifts, Weights};
use data::Snapshot;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use ledger::{ClosingLine, Entry, Ledger, Mode, clv};
use market::{GameId, LineRow, Money, Prediction, ResultRow};
use model::backtest::FoldForecast;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::lenses::{self, Claim, LensesJudged};
use crate::{
    night::{self, Desk, Played, Predicted, Slate, Verdict},
    settings::Settings,
};

/// Resamples behind each interval.
const RESAMPLES: usize = 2000;
const SEED: u64 = 95;

/// How the bets did.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Bets {
    pub(super) count: usize,
    pub(super) staked: Money,
    pub(super) profit: Money,
    /// Profit over stakes; none before anything was staked.
    pub(super) roi: Option<f64>,
    /// Bootstrap over games.
    pub(super) roi_interval_95: Option<(f64, f64)>,
    /// Mean expected value at the close, over bets with a comparable close.
    pub(super) mean_ev_clv: Option<f64>,
    pub(super) ev_clv_interval_95: Option<(f64, f64)>,
    /// Deepest fall of the bankroll from its peak, a negative share.
    pub(super) max_drawdown: f64,
}

/// A season of decisions as one ledger.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) bets: Bets,
    pub(super) ledger: Ledger,
    /// Why quotes with an edge were not bet on, by reason.
    pub(super) stopped: BTreeMap<String, usize>,
    /// What all claimed edges, bet on or not, say of the lenses.
    pub(super) lenses: LensesJudged,
}

/// Walks through all decisions in time; `snapshot` is everything known at the end.
pub(super) fn simulate(
    settings: &Settings,
    snapshot: &Snapshot,
    folds: &[FoldForecast],
) -> anyhow::Result<Simulated> {
    let mut lines: BTreeMap<&GameId, Vec<LineRow>> = BTreeMap::new();
    for line in &snapshot.lines {
        lines.entry(&line.game.game_id).or_default().push(line.clone());
    }
    let mut results: Vec<&ResultRow> = snapshot.results.iter().collect();
    results.sort_by_key(|result| result.known_at);
    let mut slates: BTreeMap<(Timestamp, usize), Vec<Prediction>> = BTreeMap::new();
    for (index, fold) in folds.iter().enumerate() {
        for prediction in &fold.predictions {
            slates.entry((prediction.as_of, index)).or_default().push(prediction.clone());
        }
    }
    let finals = snapshot.latest_results();
    let mut walk = Walk {
        settings,
        snapshot,
        lines,
        finals: finals.into_iter().map(|result| (&result.game.game_id, result)).collect(),
        closings: BTreeMap::new(),
        known: BTreeMap::new(),
        played: Played::default(),
        ledger: Ledger::default(),
        drifts: (Timestamp::MIN, Drifts::default()),
        claims: Vec::new(),
    };
    let mut unknown = results.into_iter().peekable();
    let mut stopped = BTreeMap::new();
    for ((as_of, fold), predictions) in slates {
        while let Some(result) = unknown.next_if(|result| result.known_at < as_of) {
            walk.learn(result);
        }
        walk.settle(as_of)?;
        let predicted = Predicted { model: folds[fold].card.clone(), predictions };
        walk.decide(predicted, as_of, &mut stopped)?;
    }
    unknown.for_each(|result| walk.learn(result));
    walk.settle(snapshot.as_of)?;
    let lenses = lenses::judge(&walk.claims);
    Ok(Simulated { bets: summary(&walk.ledger, settings.bankroll), ledger: walk.ledger, stopped, lenses })
}

struct Walk<'a> {
    settings: &'a Settings,
    snapshot: &'a Snapshot,
    lines: BTreeMap<&'a GameId, Vec<LineRow>>,
    /// Close of each bet, by its id.
    closings: BTreeMap<String, Option<ClosingLine>>,
    /// How each game ended, as it is known at the very end: judges claims, decides nothing.
    finals: BTreeMap<&'a GameId, &'a ResultRow>,
    /// The latest result of each game known by now.
    known: BTreeMap<&'a GameId, &'a ResultRow>,
    played: Played,
    ledger: Ledger,
    /// Drifts of the consensus, and when they were learnt.
    drifts: (Timestamp, Drifts),
    claims: Vec<Claim>,
}

/// Drifts are learnt anew after so long.
const DRIFTS_EVERY: SignedDuration = SignedDuration::from_hours(180 * 24);

impl<'a> Walk<'a> {
    fn writer(as_of: Timestamp) -> ledger::Night {
        let date = as_of.to_zoned(TimeZone::UTC).date();
        ledger::Night { date, as_of, run_id: "backtest".to_owned(), recorded_at: as_of }
    }

    fn learn(&mut self, result: &'a ResultRow) {
        self.known.insert(&result.game.game_id, result);
        self.played.add(result);
    }

    fn settle(&mut self, as_of: Timestamp) -> anyhow::Result<()> {
        let open = self.ledger.open_bets();
        let known = |bet: &&Entry| self.known.get(game_of(bet)?).map(|result| (*result).clone());
        let of_bets: Vec<ResultRow> = open.iter().filter_map(known).collect();
        if of_bets.is_empty() {
            return Ok(());
        }
        let close = |bet: &Entry| self.closings.get(&bet.bet_id).copied().flatten();
        let endings = self.ledger.settle(&of_bets, close, &Self::writer(as_of));
        self.ledger.append(endings, self.settings.bankroll)?;
        Ok(())
    }

    fn decide(
        &mut self,
        predicted: Predicted,
        as_of: Timestamp,
        stopped: &mut BTreeMap<String, usize>,
    ) -> anyhow::Result<()> {
        let of_game = |prediction: &Prediction| self.lines.get(&prediction.game.game_id);
        let lines: Vec<LineRow> = predicted
            .predictions
            .iter()
            .filter_map(of_game)
            .flatten()
            .filter(|line| line.known_at() < as_of)
            .cloned()
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        if self.drifts.0 == Timestamp::MIN || as_of.duration_since(self.drifts.0) > DRIFTS_EVERY {
            let past = self.lines.values().flatten().filter(|line| line.known_at() < as_of);
            self.drifts = (as_of, Drifts::learn(past, as_of));
        }
        let desk = Desk {
            ledger: &self.ledger,
            purse: self.ledger.purse(self.settings.bankroll, Mode::Paper),
            settings: self.settings,
            weights: &Weights::default(),
            drifts: &self.drifts.1,
            leagues: &self.snapshot.leagues,
            played: &self.played,
            as_of,
        };
        let slate = desk.decide(predicted, &lines);
        self.claims.extend(claims(&slate, &self.lines, &self.finals, &self.played, as_of));
        for missed in slate.near_misses() {
            if let Some((lens, reason)) = missed.stopped_by() {
                let why = lens.map_or(reason, |lens| lens.title().to_owned());
                *stopped.entry(why).or_default() += 1;
            }
        }
        let writer = Self::writer(as_of);
        let placed: Vec<Entry> = slate
            .picks()
            .map(|verdict| {
                let terms = night::terms(verdict, &slate);
                Entry::placed(&writer, Mode::Paper, verdict.stake.amount, terms)
            })
            .collect();
        for bet in &placed {
            let lines = game_of(bet).and_then(|game| self.lines.get(game)).into_iter().flatten();
            let close = bet.terms.as_ref().and_then(|terms| night::closing(terms, lines, &self.played));
            self.closings.insert(bet.bet_id.clone(), close);
        }
        self.ledger.append(placed, self.settings.bankroll)?;
        Ok(())
    }
}

/// Returns every price with a claimed edge, with its value at the close and its result.
fn claims(
    slate: &Slate,
    lines: &BTreeMap<&GameId, Vec<LineRow>>,
    finals: &BTreeMap<&GameId, &ResultRow>,
    played: &Played,
    as_of: Timestamp,
) -> Vec<Claim> {
    let week = as_of.as_second().div_euclid(7 * 86_400);
    let claimed = slate.verdicts.iter().filter(|verdict| verdict.edge > 0.0);
    let one = |verdict: &Verdict| {
        let game = &verdict.line.game.game_id;
        let terms = night::terms(verdict, slate);
        let close = night::closing(&terms, lines.get(game).into_iter().flatten(), played);
        let clv = close.and_then(|close| clv::clv(terms.price, terms.points, &close));
        Claim::new(verdict, clv.map(|clv| clv.expected_value), finals.get(game).copied(), week)
    };
    claimed.map(one).collect()
}

fn game_of(bet: &Entry) -> Option<&GameId> {
    bet.terms.as_ref().map(|terms| &terms.game_id)
}

fn summary(ledger: &Ledger, starting: Money) -> Bets {
    let record = ledger.record(Mode::Paper);
    let ended: Vec<&Entry> = ledger.bets().filter_map(|(_, ended)| ended).collect();
    // Bets on one game share its result: they are drawn together.
    let mut games: BTreeMap<&GameId, [(f64, f64); 2]> = BTreeMap::new();
    for entry in &ended {
        let Some(game) = game_of(entry) else { continue };
        let [money, clv] = games.entry(game).or_default();
        *money = (money.0 + entry.pnl.as_f64(), money.1 + entry.stake.as_f64());
        if let Some(value) = entry.ending.as_ref().and_then(|ending| ending.clv) {
            *clv = (clv.0 + value.expected_value, clv.1 + 1.0);
        }
    }
    let money: Vec<(f64, f64)> = games.values().map(|[money, _]| *money).collect();
    let clv: Vec<(f64, f64)> = games.values().map(|[_, clv]| *clv).filter(|(_, bets)| *bets > 0.0).collect();
    Bets {
        count: record.bets,
        staked: record.staked,
        profit: record.profit,
        roi: record.roi(),
        roi_interval_95: bootstrap(&money),
        mean_ev_clv: record.mean_ev_clv,
        ev_clv_interval_95: bootstrap(&clv),
        max_drawdown: ledger.bankroll(starting, Mode::Paper).max_drawdown,
    }
}

/// Returns the 95 % interval of a ratio of sums by resampling its rows; none of fewer than ten.
fn bootstrap(rows: &[(f64, f64)]) -> Option<(f64, f64)> {
    if rows.len() < 10 {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut top, mut bottom) = (0.0, 0.0);
            for _ in rows {
                let (a, b) = rows[random.random_range(0..rows.len())];
                top += a;
                bottom += b;
            }
            top / bottom
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| ratios[((ratios.len() - 1) as f64 * share).round() as usize];
    Some((at(0.025), at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_even_bets_is_that_of_the_textbook() {
        let rows: Vec<(f64, f64)> = (0..400).map(|i| (if i % 2 == 0 { 1.0 } else { -1.0 }, 1.0)).collect();
        let (low, high) = bootstrap(&rows).unwrap();
        // The mean of 400 signs has the standard error 1/20.
        assert!((low + 0.098).abs() < 0.012 && (high - 0.098).abs() < 0.012, "{low} to {high}");
        assert_eq!(bootstrap(&rows[..5]), None, "five bets say nothing");
    }
}
