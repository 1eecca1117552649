//! Walk-forward: every fold of games is forecast by a model trained as of the fold's first decision, as a night would have.
//!
//! A fold is trained on a graph that holds nothing known at or after its cutoff, and each of its games is then forecast as
//! of its own decision. Scores are taken over all folds together, models and baselines on the same games.
//!
//! # Example
//! ```
//! use model::backtest::{Cadence, folds};
//! use data::Snapshot;
//! use graph::Graph;
//! let snapshot = Snapshot::new("2021-11-11T09:00:00Z".parse().unwrap(), vec![], vec![], vec![], vec![]);
//! let graph = Graph::build(&snapshot);
//! let league = market::LeagueId::new("nfl").unwrap();
//! assert!(folds(&graph, &league, 2015, 2020, Cadence::Season).is_empty(), "no game, no fold");
//! ```

use std::{collections::BTreeMap, fmt, time::Instant};

use graph::{Graph, Seed};
use jiff::{Timestamp, tz::TimeZone};
use market::{
    GameId, LeagueId, ModelCard, Prediction, ScoreForecast,
    predictor::LeagueScores,
    score::{ReliabilityBin, reliability},
};
use serde::{Deserialize, Serialize};

use crate::{
    Checkpoints, MemberRecord, ModelError, Progress, Provenance, TrainSettings, Trainer, Variant,
    baselines::{Forecasts, League, baselines, fit_to_league},
    evaluate::compare,
    examples::{Example, examples},
    train::mean_outcome,
};

/// Bins of the reliability plots.
const BINS: usize = 10;

/// How often the model is trained again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Before each season.
    Season,
    /// Before each month with games.
    Month,
    /// Before each week with games.
    Week,
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Season => "season",
            Self::Month => "month",
            Self::Week => "week",
        })
    }
}

/// Finished games that one training serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// `2019`, `2019 from 2019-10-01`.
    pub name: String,
    /// Instant of the first decision: nothing known at or after it is trained on.
    pub cutoff: Timestamp,
    /// The games, by start, then id.
    pub games: Vec<GameId>,
}

/// What a fold's models and baselines said of its games.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FoldForecast {
    /// The fold.
    pub fold: Fold,
    /// Card of the model, with the information weight that was known by the cutoff.
    pub card: ModelCard,
    /// How each member was trained.
    pub members: Vec<MemberRecord>,
    /// Training and validation loss of each fit, by epoch.
    pub curves: Vec<LearningCurve>,
    /// Every game as of its decision, in the fold's order.
    pub predictions: Vec<Prediction>,
    /// Held-out games of the training, before the cutoff; not kept in files.
    #[serde(skip)]
    pub held_out: Vec<Prediction>,
    /// Baselines and the linear models, in the same order.
    beside: Vec<Forecasts>,
    /// Wall-clock time.
    pub seconds: f64,
}

/// Loss by epoch of one member's first fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// Inputs of the member.
    pub variant: Variant,
    /// Member, from 0.
    pub member: usize,
    /// `(training loss, validation loss)` after each epoch.
    pub epochs: Vec<(f64, f64)>,
}

/// Scores over all folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BacktestScores {
    /// Every forecast on the same games, with the information weight over all of them.
    pub scores: LeagueScores,
    /// Reliability of the home side's probability, by forecast.
    pub reliability: BTreeMap<String, Vec<ReliabilityBin>>,
    /// Ties of a 2-way league, which no score counts.
    pub ties_left_out: usize,
    /// Finished games of the folds that some forecast did not cover.
    pub not_covered: usize,
}

/// Cuts the finished games of a league's seasons `from..=to` into folds, in time.
pub fn folds(graph: &Graph, league: &LeagueId, from: i32, to: i32, cadence: Cadence) -> Vec<Fold> {
    let zone = graph.leagues().iter().find(|known| known.id == *league);
    let zone = zone.and_then(|league| TimeZone::get(&league.time_zone).ok()).unwrap_or(TimeZone::UTC);
    let mut folds: BTreeMap<(i32, Option<jiff::civil::Date>), Fold> = BTreeMap::new();
    for example in examples(graph) {
        let game = &graph.games()[example.game];
        if game.league != *league || !(from..=to).contains(&game.season) {
            continue;
        }
        let date = example.start.to_zoned(zone.clone()).date();
        let begin = match cadence {
            Cadence::Season => None,
            Cadence::Month => Some(date.first_of_month()),
            Cadence::Week => {
                let days = i64::from(date.weekday().to_monday_zero_offset());
                Some(date.saturating_sub(jiff::Span::new().days(days)))
            }
        };
        let name = || begin.map_or_else(|| game.season.to_string(), |b| format!("{} from {b}", game.season));
        let fold = folds.entry((game.season, begin)).or_insert_with(|| Fold {
            name: name(),
            cutoff: example.as_of,
            games: Vec::new(),
        });
        fold.cutoff = fold.cutoff.min(example.as_of);
        fold.games.push(game.game_id.clone());
    }
    folds.into_values().collect()
}

/// Trains on `history`, the graph as of the fold's cutoff, and forecasts the fold's games on `graph`; a training of which
/// there are checkpoints goes on from them.
///
/// # Errors
/// When `history` knows more than the cutoff allows, has too few games, or training fails.
pub fn forecast_fold(
    history: &Graph,
    graph: &Graph,
    fold: &Fold,
    settings: &TrainSettings,
    with_market: bool,
    checkpoints: &dyn Checkpoints,
    progress: &mut dyn Progress,
) -> Result<FoldForecast, ModelError> {
    if history.as_of() > fold.cutoff {
        return Err(ModelError::LookAhead { as_of: history.as_of(), cutoff: fold.cutoff });
    }
    let begun = Instant::now();
    let trainer = Trainer::new(history, settings.clone(), Provenance::default()).checkpoints(checkpoints);
    let trainer = if with_market { trainer } else { trainer.without_market() };
    let mut curves = Curves { curves: Vec::new(), progress };
    let trained = trainer.train(&mut curves)?;
    let curves = curves.curves;
    let all = examples(graph);
    let test = of_fold(graph, &all, fold);
    let seeds: Vec<Seed> = test.iter().map(|e| Seed { game: e.game, as_of: e.as_of }).collect();
    let predictions = trained.ensemble.predict(graph, &seeds)?;
    let Some(first) = test.first() else { return Err(ModelError::TooFewGames { found: 0, needed: 1 }) };
    let three_way = graph.leagues()[first.league].three_way;
    let all: Vec<Example> = all.into_iter().filter(|e| e.league == first.league).collect();
    let train: Vec<Example> = all.iter().filter(|e| e.result_known_at < fold.cutoff).copied().collect();
    let mut beside = baselines(&League { graph, three_way, all: &all, train: &train, test: &test });
    let linear = trained.linear.predict(graph, &seeds)?;
    for variant in Variant::ALL.into_iter().filter(|variant| with_market || !variant.uses_market()) {
        beside.push(outcomes(graph, variant.linear_name(), variant, &linear, three_way));
    }
    Ok(FoldForecast {
        fold: fold.clone(),
        card: trained.ensemble.card().clone(),
        members: trained.ensemble.file().members.clone(),
        curves,
        predictions,
        held_out: trained.held_out,
        beside,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// Scores all folds together; none without a game that every forecast covers.
///
/// `graph` is the one that the games were forecast on.
pub fn score(graph: &Graph, league: &LeagueId, folds: &[FoldForecast]) -> Option<BacktestScores> {
    let index = graph.leagues().iter().position(|known| known.id == *league)?;
    let three_way = graph.leagues()[index].three_way;
    let all: Vec<Example> = examples(graph).into_iter().filter(|e| e.league == index).collect();
    let (mut test, mut together) = (Vec::new(), BTreeMap::<String, Forecasts>::new());
    let mut names: Vec<String> = Vec::new();
    for fold in folds {
        let games = of_fold(graph, &all, &fold.fold);
        let mut said = fold.beside.clone();
        for variant in Variant::ALL {
            if fold.members.iter().any(|member| member.variant == variant) {
                said.push(outcomes(graph, variant.as_str(), variant, &fold.predictions, three_way));
            }
        }
        for forecasts in said {
            if !names.contains(&forecasts.name) {
                names.push(forecasts.name.clone());
            }
            let whole = together.entry(forecasts.name.clone()).or_insert_with(|| Forecasts {
                name: forecasts.name.clone(),
                uses_market: forecasts.uses_market,
                games: Vec::new(),
            });
            // A fold in which a forecast is missing altogether leaves a gap there.
            whole.games.resize(test.len(), None);
            whole.games.extend(forecasts.games);
        }
        test.extend(games);
    }
    let forecasts: Vec<Forecasts> = names
        .iter()
        .filter_map(|name| together.remove(name))
        .map(|mut forecasts| {
            forecasts.games.resize(test.len(), None);
            forecasts
        })
        .collect();
    let here = League { graph, three_way, all: &all, train: &[], test: &test };
    let evaluation = compare(league, &here, forecasts.clone())?;
    let scored: Vec<&str> = evaluation.scores.forecasts.iter().map(|f| f.name.as_str()).collect();
    let kept = forecasts.iter().filter(|f| scored.contains(&f.name.as_str()));
    let reliability = kept.map(|forecast| {
        let home = |(p, e): (&Option<[f64; 3]>, &Example)| Some((p.as_ref()?[0], e.margin > 0));
        let decided = forecast.games.iter().zip(&test).filter(|(_, e)| three_way || e.margin != 0);
        (forecast.name.clone(), reliability(&decided.filter_map(home).collect::<Vec<_>>(), BINS))
    });
    let reliability = reliability.collect();
    let covered = evaluation.scores.forecasts.first().map_or(0, |f| f.games);
    let not_covered = test.len() - evaluation.ties_left_out.min(test.len()) - covered;
    let (scores, ties_left_out) = (evaluation.scores, evaluation.ties_left_out);
    Some(BacktestScores { scores, reliability, ties_left_out, not_covered })
}

fn of_fold(graph: &Graph, all: &[Example], fold: &Fold) -> Vec<Example> {
    let by_game: BTreeMap<usize, &Example> = all.iter().map(|example| (example.game, example)).collect();
    let found = fold.games.iter().filter_map(|game| graph.find(game).and_then(|game| by_game.get(&game)));
    found.map(|example| **example).collect()
}

/// Returns a variant's probabilities; none where it needs a price and the game has none.
fn outcomes(
    graph: &Graph,
    name: &str,
    variant: Variant,
    predictions: &[Prediction],
    three_way: bool,
) -> Forecasts {
    let of = |prediction: &Prediction| {
        let members: &[ScoreForecast] = if variant.uses_market() {
            graph.consensus(graph.find(&prediction.game.game_id)?, prediction.as_of)?;
            &prediction.members
        } else {
            &prediction.members_without_market
        };
        fit_to_league(mean_outcome(members.iter()), three_way)
    };
    let (name, uses_market) = (name.to_owned(), variant.uses_market());
    Forecasts { name, uses_market, games: predictions.iter().map(of).collect() }
}

/// Collects learning curves on the way.
struct Curves<'a> {
    curves: Vec<LearningCurve>,
    progress: &'a mut dyn Progress,
}

impl Progress for Curves<'_> {
    fn step(&mut self, step: &crate::Step) {
        if let Some(validation) = step.validation_loss {
            let known = self.curves.iter_mut().find(|c| c.variant == step.variant && c.member == step.member);
            match known {
                Some(curve) => curve.epochs.push((step.loss, validation)),
                None => self.curves.push(LearningCurve {
                    variant: step.variant,
                    member: step.member,
                    epochs: vec![(step.loss, validation)],
                }),
            }
        }
        self.progress.step(step);
    }
}
