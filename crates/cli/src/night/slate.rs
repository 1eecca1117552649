//! Tonight's games: predictions, every fresh quote through the lenses, and what is staked on which.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use coordinator::{TaskContext, TaskOutput};
use data::{League, Snapshot};
use jiff::{SignedDuration, Timestamp};
use ledger::{
    Cut, Joints, Ledger, Proposal, SettlementRule, Stake,
    stakes::{Purse, growth_added, size},
};
use lenses::{
    Aggregate, Assessment, Candidate, Drifts, Evidence, GameQuotes, Lens, LensKind, Weights,
    arbitrage::{self, Middle, SureProfit},
    assess,
    candidate::Quotes,
    circle_of_competence::conformal_p,
    fat_pitch,
    mr_market::remaining_movement,
};
use market::{
    Distribution, Game, GameId, Joint, LeagueId, LineRow, Market, ModelCard, Points, Prediction, Predictor,
    ScoreForecast, settlement::Tie,
};
use serde::{Deserialize, Serialize};

use super::{
    Night, ledger_as_of,
    played::Played,
    read_step,
    segments::{Segment, Segments},
    write_step,
};
use crate::{context::Context, settings::Settings, table::counted};

/// A price that nobody has seen for longer may be gone.
const MAX_PRICE_AGE: SignedDuration = SignedDuration::from_hours(36);
/// Hours before the start at which the model measures how far the market still moves.
const MEASURED_HOURS: f64 = 6.0;

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
    /// Expected log growth that it adds to the slate's other games.
    pub(crate) growth_added: f64,
    pub(crate) stake: Stake,
    /// The rule by which it will be settled.
    pub(crate) rule: SettlementRule,
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
    /// Prices of different books that contradict one another, apart from the bets.
    #[serde(default)]
    pub(crate) sure_profits: Vec<SureProfit>,
    #[serde(default)]
    pub(crate) middles: Vec<Middle>,
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
    let desk = Desk {
        ledger: &ledger,
        purse,
        settings: &context.settings,
        weights: &super::weights::in_use(context, night.as_of)?,
        drifts: &Drifts::learn(&snapshot.lines, night.as_of),
        leagues: &snapshot.leagues,
        played: &Played::of(&snapshot.results),
        as_of: night.as_of,
    };
    let lines = lines_of(&predicted.predictions, snapshot);
    Ok(desk.decide(predicted, &lines))
}

/// What a decision rests on beside predictions and prices; a backtest sits at the same desk as a night.
pub(crate) struct Desk<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) purse: Purse,
    pub(crate) settings: &'a Settings,
    pub(crate) weights: &'a Weights,
    pub(crate) drifts: &'a Drifts,
    pub(crate) leagues: &'a [League],
    /// The games known before the as-of.
    pub(crate) played: &'a Played,
    pub(crate) as_of: Timestamp,
}

/// One game as the lenses look at it.
struct Tonight<'a> {
    prediction: &'a Prediction,
    quotes: GameQuotes,
    history: &'a [&'a LineRow],
    /// Past games of the team that has played less.
    effective_games: f64,
}

/// One price and what was made of it.
struct Looked<'a> {
    candidate: &'a Candidate,
    assessment: Assessment,
    rule: SettlementRule,
    proposal: Proposal,
}

impl Desk<'_> {
    /// Decides over a slate; `lines` are all prices of its games known before the desk's as-of.
    pub(crate) fn decide(&self, predicted: Predicted, lines: &[LineRow]) -> Slate {
        let quotes = Quotes::at(lines, self.as_of, MAX_PRICE_AGE);
        let mut refused = BTreeMap::new();
        for (_, refusal) in &quotes.refused {
            *refused.entry(kind_of(refusal).to_owned()).or_insert(0) += 1;
        }
        let mut of_games: BTreeMap<&GameId, Vec<&LineRow>> = BTreeMap::new();
        for candidate in &quotes.candidates {
            of_games.entry(&candidate.line().game.game_id).or_default().push(candidate.line());
        }
        let mut best: BTreeMap<&GameId, Vec<&Candidate>> = BTreeMap::new();
        for candidate in quotes.best() {
            best.entry(&candidate.line().game.game_id).or_default().push(candidate);
        }
        let mut history: BTreeMap<&GameId, Vec<&LineRow>> = BTreeMap::new();
        for line in lines {
            history.entry(&line.game.game_id).or_default().push(line);
        }
        let segments =
            Segments::new(self.settings, self.ledger, &predicted.model.scores, self.leagues, self.as_of);
        let (mut looked, mut joints) = (Vec::new(), Joints::new());
        let (mut sure_profits, mut middles) = (Vec::new(), Vec::new());
        for prediction in &predicted.predictions {
            let game_id = &prediction.game.game_id;
            let Some(lines) = of_games.get(game_id) else { continue };
            let forecast = mean_forecast(&prediction.members);
            let Some(segment) = segments.of(&prediction.game.league) else { continue };
            sure_profits.extend(arbitrage::sure_profits(lines, segment.tie()));
            middles.extend(arbitrage::middles(lines, forecast.as_ref()));
            let Game { league, home, away, .. } = prediction.game.as_ref();
            let games_of = |team| self.played.games_of(league, team, self.as_of);
            let tonight = Tonight {
                prediction,
                quotes: GameQuotes::of(lines),
                history: history.get(game_id).map_or(&[][..], Vec::as_slice),
                effective_games: games_of(home).min(games_of(away)),
            };
            let before = looked.len();
            let candidates = best.get(game_id).into_iter().flatten();
            looked.extend(candidates.filter_map(|candidate| self.look(candidate, &tonight, segment)));
            if looked.len() > before + 1 {
                joints.extend(forecast.map(|forecast| (game_id.clone(), Joint::of(&forecast))));
            }
        }
        let verdicts = self.judge(looked, &joints);
        Slate {
            model: predicted.model,
            predictions: predicted.predictions,
            three_way: self.leagues.iter().filter(|l| l.three_way).map(|l| l.id.clone()).collect(),
            weights_version: self.weights.version().to_owned(),
            prices_compared: quotes.candidates.len(),
            refused,
            verdicts,
            sure_profits,
            middles,
        }
    }

    /// Looks at one price through the first four lenses; none without a belief.
    fn look<'c>(
        &self,
        candidate: &'c Candidate,
        tonight: &Tonight<'_>,
        segment: &Segment,
    ) -> Option<Looked<'c>> {
        let line = candidate.line();
        let tie = segment.tie();
        let seen = Evidence::of_quotes(line, tonight.prediction, &tonight.quotes, tie);
        let ordinary = segment.ordinary();
        let distance = ordinary.and_then(|past| past.distance(&tonight.prediction.members_without_market));
        let evidence = Evidence {
            information: segment.information(line.market),
            conformal_p: ordinary
                .zip(distance)
                .and_then(|(past, distance)| conformal_p(distance, past.past())),
            drift: self.drifts.of(line, seen.consensus, tonight.history, candidate.hours_to_start()),
            effective_games: Some(tonight.effective_games),
            remaining_movement: remaining_movement(candidate.hours_to_start(), MEASURED_HOURS),
            past_clv: segment.past_clv,
            ..seen
        };
        let assessment = assess(line.price, &evidence, self.settings.stakes.hurdle);
        assessment.edge?;
        let level = line.market == Market::Moneyline && matches!(tie, Tie::Push | Tie::DeadHeat);
        let proposal = Proposal {
            game_id: line.game.game_id.clone(),
            league: line.game.league.clone(),
            book: line.book.clone(),
            selection: line.selection,
            points: line.points.or(level.then(|| Points::from_quarters(0))),
            price: line.price,
            grades: assessment.stake_grades?,
            score: None,
        };
        let rule = segment.house.rule(line.market, segment.three_way);
        Some(Looked { candidate, assessment, rule, proposal })
    }

    /// Adds the fifth lens, aggregates, and sizes the stakes.
    fn judge(&self, looked: Vec<Looked<'_>>, joints: &Joints) -> Vec<Verdict> {
        let (settings, purse) = (self.settings.stakes(), &self.purse);
        let mut proposals: Vec<Proposal> = looked.iter().map(|looked| looked.proposal.clone()).collect();
        let growth = growth_added(&proposals, &settings, purse);
        let usual = fat_pitch::reference_growth(&self.ledger.growth_added());
        let pitch = |added: f64| {
            fat_pitch::score(&fat_pitch::Inputs {
                growth_added: Some(added),
                reference_growth: usual,
                exposure: purse.exposure(),
                exposure_cap: settings.max_day,
                drawdown: purse.drawdown,
            })
        };
        let judged: Vec<_> = looked
            .iter()
            .zip(&growth)
            .map(|(looked, added)| looked.assessment.with_fat_pitch(pitch(*added), self.weights))
            .collect();
        for (proposal, (_, aggregate)) in proposals.iter_mut().zip(&judged) {
            proposal.score = aggregate.score();
        }
        let stakes = size(&proposals, joints, &settings, purse);
        let mut verdicts: Vec<Verdict> = looked
            .into_iter()
            .zip(judged)
            .zip(growth.into_iter().zip(stakes))
            .map(|((looked, (lenses, aggregate)), (growth_added, stake))| Verdict {
                line: looked.candidate.line().clone(),
                probability_model: looked.assessment.probability_model,
                probability_market: looked.assessment.probability_market,
                posterior: looked.assessment.posterior,
                edge: looked.assessment.edge.unwrap_or_default(),
                lenses,
                aggregate,
                growth_added,
                stake,
                rule: looked.rule,
            })
            .collect();
        verdicts.sort_by(|a, b| b.stake.amount.cmp(&a.stake.amount).then(b.edge.total_cmp(&a.edge)));
        verdicts
    }
}

/// Returns the mean of the members' distributions; none without members or when they do not agree on their range.
fn mean_forecast(members: &[ScoreForecast]) -> Option<ScoreForecast> {
    let mean = |of: fn(&ScoreForecast) -> &Distribution| -> Option<Distribution> {
        let mut sums: BTreeMap<i32, f64> = BTreeMap::new();
        for (value, p) in members.iter().flat_map(|member| of(member).iter()) {
            *sums.entry(value).or_insert(0.0) += p / members.len() as f64;
        }
        let (first, last) = (*sums.keys().next()?, *sums.keys().last()?);
        let mass = (first..=last).map(|value| sums.get(&value).copied().unwrap_or(0.0)).collect();
        Distribution::new(first, mass).ok()
    };
    Some(ScoreForecast { margin: mean(|member| &member.margin)?, total: mean(|member| &member.total)? })
}

fn lines_of(predictions: &[Prediction], snapshot: &Snapshot) -> Vec<LineRow> {
    let games: BTreeSet<&GameId> = predictions.iter().map(|prediction| &prediction.game.game_id).collect();
    snapshot.lines.iter().filter(|line| games.contains(&line.game.game_id)).cloned().collect()
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

/// Reads what the night's stake step decided.
pub(crate) fn read_slate(folder: &std::path::Path) -> anyhow::Result<Slate> {
    let path = folder.join("stake").join("result.json");
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}
