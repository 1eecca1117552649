//! Tonight's games: predictions, every fresh quote through the lenses, and what is staked on which.

use std::collections::BTreeMap;

use anyhow::Context as _;
use coordinator::{TaskContext, TaskOutput};
use data::{League, Snapshot};
use jiff::{SignedDuration, Timestamp};
use ledger::{
    Cut, Ledger, Proposal, Stake,
    stakes::{Purse, StakeSettings, growth_added, size},
};
use lenses::{
    Aggregate, Assessment, Candidate, Evidence, Lens, LensKind, Weights, assess, candidate::Quotes,
    circle_of_competence::effective_games, fat_pitch, moat::ClvRecord, mr_market::remaining_movement,
};
use market::{GameId, LeagueId, LineRow, Market, ModelCard, Name, Prediction, Predictor, ScoreForecast};
use serde::{Deserialize, Serialize};

use super::{Night, ledger_as_of, read_step, write_step};
use crate::{context::Context, table::counted};

/// A price that nobody has seen for longer may be gone.
const MAX_PRICE_AGE: SignedDuration = SignedDuration::from_hours(36);
/// Past games count half as much after a year.
const HALF_LIFE_DAYS: f64 = 365.0;
/// Prices usually stand for about five days before the start.
const USUAL_MARKET_HOURS: f64 = 120.0;

/// What the model said of the slate, and which model it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Predicted {
    pub(crate) model: ModelCard,
    pub(crate) predictions: Vec<Prediction>,
}

/// One quote with everything that was decided about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) line: LineRow,
    pub(crate) probability_model: Option<f64>,
    pub(crate) probability_market: Option<f64>,
    pub(crate) posterior: Option<lenses::Posterior>,
    pub(crate) edge: f64,
    pub(crate) lenses: [Lens; 5],
    pub(crate) aggregate: Aggregate,
    pub(crate) stake: Stake,
}

impl Verdict {
    /// Returns the lens that refused, or the rule that cut the stake to nothing.
    pub(crate) fn stopped_by(&self) -> Option<(Option<LensKind>, String)> {
        if self.stake.amount > market::Money::ZERO {
            return None;
        }
        if let Aggregate::Vetoed { vetoes } = &self.aggregate
            && let Some((kind, reason)) = vetoes.first()
        {
            return Some((Some(*kind), reason.clone()));
        }
        let cut = self.stake.cuts.first().copied().unwrap_or(Cut::NoGrowth);
        Some((None, cut.to_string()))
    }
}

/// The night's decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Slate {
    pub(crate) model: ModelCard,
    pub(crate) predictions: Vec<Prediction>,
    /// Leagues whose draw is bet on.
    pub(crate) three_way: Vec<LeagueId>,
    pub(crate) weights_version: String,
    pub(crate) prices_compared: usize,
    /// Quotes that were no candidates, by reason.
    pub(crate) refused: BTreeMap<String, usize>,
    /// Staked first, then by edge.
    pub(crate) verdicts: Vec<Verdict>,
}

impl Slate {
    /// Tells whether a draw is bet on in the game's league.
    pub(crate) fn has_draws(&self, prediction: &Prediction) -> bool {
        self.three_way.contains(&prediction.game.league)
    }

    pub(crate) fn picks(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| verdict.stake.amount > market::Money::ZERO)
    }

    /// Candidates that would have paid but for something that stopped them, best edge first, one per game.
    pub(crate) fn near_misses(&self) -> Vec<&Verdict> {
        let mut seen: Vec<&GameId> = self.picks().map(|verdict| &verdict.line.game.game_id).collect();
        let mut missed = Vec::new();
        for verdict in self.verdicts.iter().filter(|v| v.stake.amount == market::Money::ZERO && v.edge > 0.0)
        {
            if !seen.contains(&&verdict.line.game.game_id) {
                seen.push(&verdict.line.game.game_id);
                missed.push(verdict);
            }
        }
        missed
    }
}

/// Returns the members' mean of home, draw, away; without draws the two-way probabilities.
pub(crate) fn outcome_probabilities(members: &[ScoreForecast], draws: bool) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for member in members {
        let [home, draw, away] = if draws {
            member.moneyline_three_way()
        } else {
            let home = member.moneyline_two_way();
            [home, 0.0, 1.0 - home]
        };
        sum = [sum[0] + home, sum[1] + draw, sum[2] + away];
    }
    sum.map(|p| p / members.len().max(1) as f64)
}

pub(super) fn predict_step(
    context: &std::sync::Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let predictor = super::best_predictor(context, night.as_of)?;
    let predicted = predict(context, predictor.as_ref(), night.as_of)?;
    let output = write_step(task, &predicted)?;
    let games = predicted.predictions.len();
    Ok(TaskOutput::new(format!("{} by model {}", counted(games, "game"), predicted.model.version))
        .output(output)
        .fact("games", games))
}

/// Predicts what starts within the slate's hours from the as-of on.
pub(crate) fn predict(
    context: &Context,
    predictor: &dyn Predictor,
    as_of: Timestamp,
) -> anyhow::Result<Predicted> {
    let until = as_of.checked_add(SignedDuration::from_hours(context.settings.report.slate_hours.into()))?;
    Ok(Predicted { model: predictor.model(), predictions: predictor.slate(as_of, until)? })
}

pub(super) fn stake_step(
    context: &std::sync::Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let predicted: Predicted = read_step(task, "predict")?;
    let snapshot = context.snapshot(night.as_of)?;
    let slate = decide(context, night, predicted, &snapshot)?;
    let output = write_step(task, &slate)?;
    let picks = slate.picks().count();
    let summary = format!("{} compared, {}", counted(slate.prices_compared, "price"), counted(picks, "bet"));
    Ok(TaskOutput::new(summary).output(output).fact("picks", picks))
}

/// Looks at every fresh quote through the lenses and sizes what passes.
pub(crate) fn decide(
    context: &Context,
    night: &Night,
    predicted: Predicted,
    snapshot: &Snapshot,
) -> anyhow::Result<Slate> {
    let ledger = ledger_as_of(context, night)?;
    let purse = ledger.purse(context.settings.bankroll, night.mode());
    let desk = Desk { ledger: &ledger, purse, stakes: &context.settings.stakes, as_of: night.as_of };
    Ok(desk.decide(predicted, snapshot))
}

/// What a decision rests on beside predictions and prices; a backtest sits at the same desk as a night.
pub(crate) struct Desk<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) purse: Purse,
    pub(crate) stakes: &'a StakeSettings,
    pub(crate) as_of: Timestamp,
}

impl Desk<'_> {
    /// Decides over a slate; `snapshot` is what was known before the desk's as-of.
    pub(crate) fn decide(&self, predicted: Predicted, snapshot: &Snapshot) -> Slate {
        let weights = Weights::default();
        let lines = lines_of(&predicted.predictions, snapshot);
        let quotes = Quotes::at(&lines, self.as_of, MAX_PRICE_AGE);
        let mut refused = BTreeMap::new();
        for (_, refusal) in &quotes.refused {
            *refused.entry(kind_of(refusal).to_owned()).or_insert(0) += 1;
        }
        let seen = games_seen(&predicted.predictions, snapshot, self.as_of);
        let best = quotes.best();
        let looked: Vec<(&Candidate, Assessment)> = best
            .iter()
            .filter_map(|candidate| {
                let line = candidate.line();
                let prediction =
                    predicted.predictions.iter().find(|p| p.game.game_id == line.game.game_id)?;
                let evidence =
                    evidence(self.ledger, candidate, prediction, &quotes, &predicted.model, snapshot, &seen)?;
                Some((*candidate, assess(line.price, &evidence, self.stakes.hurdle)))
            })
            .collect();
        let verdicts = judge(self.stakes, &looked, &self.purse, &weights);
        Slate {
            model: predicted.model,
            predictions: predicted.predictions,
            three_way: snapshot.leagues.iter().filter(|l| l.three_way).map(|l| l.id.clone()).collect(),
            weights_version: weights.version().to_owned(),
            prices_compared: quotes.candidates.len(),
            refused,
            verdicts,
        }
    }
}

/// Returns how many games of each team count, recent ones more, by league and team.
fn games_seen(
    predictions: &[Prediction],
    snapshot: &Snapshot,
    as_of: Timestamp,
) -> BTreeMap<(LeagueId, Name), f64> {
    let results = snapshot.latest_results();
    let sides =
        predictions.iter().flat_map(|p| [(&p.game.league, &p.game.home), (&p.game.league, &p.game.away)]);
    sides
        .map(|(league, team)| {
            let ages = results
                .iter()
                .filter(|result| result.game.league == *league)
                .filter(|result| result.game.home == *team || result.game.away == *team)
                .map(|result| as_of.duration_since(result.game.start_time).as_secs_f64() / 86_400.0);
            ((league.clone(), team.clone()), effective_games(ages, HALF_LIFE_DAYS))
        })
        .collect()
}

fn lines_of(predictions: &[Prediction], snapshot: &Snapshot) -> Vec<LineRow> {
    let games: Vec<&GameId> = predictions.iter().map(|prediction| &prediction.game.game_id).collect();
    snapshot.lines.iter().filter(|line| games.contains(&&line.game.game_id)).cloned().collect()
}

fn kind_of(refusal: &lenses::Refusal) -> &'static str {
    match refusal {
        lenses::Refusal::NotYetKnown { .. } => "not yet known",
        lenses::Refusal::InPlay { .. } => "in play",
        lenses::Refusal::Stale { .. } => "stale",
        lenses::Refusal::Superseded => "superseded",
        _ => "malformed",
    }
}

/// Gathers what is known of a candidate; a piece that is not known stays empty.
fn evidence(
    ledger: &Ledger,
    candidate: &Candidate,
    prediction: &Prediction,
    quotes: &Quotes,
    model: &ModelCard,
    snapshot: &Snapshot,
    seen: &BTreeMap<(LeagueId, Name), f64>,
) -> Option<Evidence> {
    let line = candidate.line();
    let league: &League = snapshot.leagues.iter().find(|league| league.id == line.game.league)?;
    let of_game: Vec<&LineRow> = quotes
        .candidates
        .iter()
        .map(Candidate::line)
        .filter(|other| other.game.game_id == line.game.game_id)
        .collect();
    let scores = model.scores.iter().find(|scores| scores.league == line.game.league);
    // The weight was measured on who wins; nothing was measured on totals, so none is claimed there.
    let information = scores.and_then(|scores| scores.information).filter(|_| line.market != Market::Total);
    let games = |team: &Name| seen.get(&(line.game.league.clone(), team.clone())).copied().unwrap_or(0.0);
    Some(Evidence {
        information,
        effective_games: Some(games(&line.game.home).min(games(&line.game.away))),
        remaining_movement: remaining_movement(candidate.hours_to_start(), USUAL_MARKET_HOURS),
        past_clv: ClvRecord::of(&ledger.past_clv(&line.game.league, candidate.as_of()), HALF_LIFE_DAYS),
        ..Evidence::of_quotes(line, prediction, &of_game, league.three_way)
    })
}

/// Adds the fifth lens, aggregates, and sizes the stakes.
fn judge(
    settings: &StakeSettings,
    looked: &[(&Candidate, Assessment)],
    purse: &Purse,
    weights: &Weights,
) -> Vec<Verdict> {
    let usable: Vec<&(&Candidate, Assessment)> = looked
        .iter()
        .filter(|(_, assessment)| assessment.grades.is_some() && assessment.edge.is_some())
        .collect();
    let mut proposals: Vec<Proposal> = usable
        .iter()
        .filter_map(|(candidate, assessment)| {
            let line = candidate.line();
            let game_id = line.game.game_id.clone();
            Some(Proposal { game_id, grades: assessment.grades?, price: line.price, score: None })
        })
        .collect();
    let growth = growth_added(&proposals, settings, purse);
    let mut judged = Vec::new();
    for ((_, assessment), added) in usable.iter().zip(growth) {
        let pitch = fat_pitch::score(&fat_pitch::Inputs {
            growth_added: Some(added),
            reference_growth: fat_pitch::REFERENCE_GROWTH,
            exposure: purse.exposure(),
            exposure_cap: settings.max_day,
            drawdown: purse.drawdown,
        });
        judged.push(assessment.with_fat_pitch(pitch, weights));
    }
    for (proposal, (_, aggregate)) in proposals.iter_mut().zip(&judged) {
        proposal.score = aggregate.score();
    }
    let stakes = size(&proposals, settings, purse);
    let mut verdicts: Vec<Verdict> = usable
        .iter()
        .zip(judged)
        .zip(stakes)
        .map(|(((candidate, assessment), (lenses, aggregate)), stake)| Verdict {
            line: candidate.line().clone(),
            probability_model: assessment.probability_model,
            probability_market: assessment.probability_market,
            posterior: assessment.posterior,
            edge: assessment.edge.unwrap_or_default(),
            lenses,
            aggregate,
            stake,
        })
        .collect();
    verdicts.sort_by(|a, b| b.stake.amount.cmp(&a.stake.amount).then(b.edge.total_cmp(&a.edge)));
    verdicts
}

/// Reads what the night's stake step decided.
pub(crate) fn read_slate(folder: &std::path::Path) -> anyhow::Result<Slate> {
    let path = folder.join("stake").join("result.json");
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}
