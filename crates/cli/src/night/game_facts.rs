//! What a game's page states, kept beside the night that decided on it.

use std::{collections::BTreeMap, sync::Arc};

use coordinator::{TaskContext, TaskOutput};
use data::Snapshot;
use graph::Graph;
use lenses::LensKind;
use market::{
    Distribution, Explanation, GameQuery, LineRow, Market, ModelCard, Name, Prediction, Predictor,
    ScoreForecast, Selection,
    consensus::{consensus, market_points, markets, standing_quotes},
};
use report::pages::input::{
    GamePage, JudgedQuote, Neighbourhood, OutcomeProbability, PriceHistory, Quote, ShownEdge, ShownNode,
    Site, Variant,
};

use super::{
    Night, Slate, Verdict, best_predictor, graph_as_of, outcome_probabilities, read_slate,
    reporting::lens_view,
};
use crate::{context::Context, paths::Key, table::counted};

/// Games that are explained, the first of the slate; each is forecast a hundred times over.
const EXPLAINED: usize = 24;

/// Quotes whose verdict is shown: those that are staked, then the best.
const JUDGED: usize = 6;

pub(super) fn games_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let slate = read_slate(task.run_folder())?;
    let snapshot = context.snapshot(night.as_of)?;
    let desk = Desk {
        context,
        night,
        slate: &slate,
        snapshot: &snapshot,
        minds: Minds::open(context, night, &slate.model)?,
    };
    let store = context.store()?;
    for (index, prediction) in slate.predictions.iter().enumerate() {
        let key = Key::GameFacts(night.date, prediction.game.game_id.as_str()).to_string();
        let page = desk.page(prediction, index < EXPLAINED)?;
        store.put(&key, &serde_json::to_vec(&page)?)?;
    }
    Ok(TaskOutput::new(format!("{} described", counted(slate.predictions.len(), "game"))))
}

/// The model and the graph that decided, as far as they are still there.
struct Minds {
    predictor: Option<Arc<dyn Predictor>>,
    graph: Graph,
}

impl Minds {
    fn open(context: &Context, night: &Night, card: &ModelCard) -> anyhow::Result<Self> {
        // Another model than the one that predicted would explain another forecast.
        let predictor = best_predictor(context, night.as_of)?;
        let predictor = (predictor.model().version == card.version).then_some(predictor);
        Ok(Self { predictor, graph: graph_as_of(context, night.as_of)? })
    }

    fn explanations(&self, prediction: &Prediction) -> anyhow::Result<Vec<Explanation>> {
        let query = GameQuery::known(prediction.game.game_id.clone());
        let explained = self.predictor.as_ref().map(|predictor| predictor.explain(&query)).transpose()?;
        Ok(explained.flatten().into_iter().collect())
    }

    fn neighbourhood(&self, prediction: &Prediction, told: &[Explanation]) -> Option<Neighbourhood> {
        let seen = self.graph.neighbourhood_of(&prediction.game.game_id, prediction.as_of)?;
        let nodes = seen.nodes.into_iter().map(|node| ShownNode {
            kind: node.kind.as_str().to_owned(),
            label: node.name,
            hop: node.hop,
        });
        let edges = seen.rows.into_iter().map(|row| {
            let weighed = told.iter().flat_map(|told| &told.neighbours).find(|neighbour| {
                let last = neighbour.path.last().map(String::as_str);
                last == Some(row.relation.as_str()) && neighbour.effect.name == row.name
            });
            ShownEdge {
                relation: row.relation.as_str().to_owned(),
                source: row.source,
                target: row.target,
                age_days: row.instant.map(|_| row.age_days),
                says: row.says,
                attention: weighed.map(|neighbour| neighbour.attention),
                effect: weighed.map(|neighbour| neighbour.effect.home),
            }
        });
        Some(Neighbourhood { nodes: nodes.collect(), edges: edges.collect() })
    }
}

/// Everything that a night knows of its games.
struct Desk<'a> {
    context: &'a Context,
    night: &'a Night,
    slate: &'a Slate,
    snapshot: &'a Snapshot,
    minds: Minds,
}

impl Desk<'_> {
    fn page(&self, prediction: &Prediction, is_explained: bool) -> anyhow::Result<GamePage> {
        let game = &prediction.game;
        let lines: Vec<&LineRow> =
            self.snapshot.lines.iter().filter(|line| line.game.game_id == game.game_id).collect();
        let standing = standing_quotes(lines.iter().copied(), self.night.as_of);
        let verdicts: Vec<&Verdict> =
            self.slate.verdicts.iter().filter(|verdict| verdict.line.game.game_id == game.game_id).collect();
        let explanations = if is_explained { self.minds.explanations(prediction)? } else { Vec::new() };
        let winner = consensus(&standing).into_iter().find(|found| found.market == Market::Moneyline);
        Ok(GamePage {
            site: site(self.context, self.night.as_of),
            game: Arc::clone(game),
            as_of: self.night.as_of,
            score: None,
            model_version: Some(self.slate.model.version.clone()),
            variants: variants(prediction, self.slate.has_draws(prediction)),
            consensus: winner.map(|found| found.probabilities).unwrap_or_default(),
            margin: mean(&prediction.members, |member| &member.margin),
            total: mean(&prediction.members, |member| &member.total),
            quotes: quotes(&standing, &verdicts),
            history: history(&lines, self.night),
            judged: verdicts.iter().take(JUDGED).map(|verdict| judged(verdict)).collect(),
            neighbourhood: self.minds.neighbourhood(prediction, &explanations),
            explanations,
        })
    }
}

/// Returns what every page says at its edge.
pub(crate) fn site(context: &Context, now: jiff::Timestamp) -> Site {
    let report = &context.settings.report;
    Site {
        title: report.title.clone(),
        time_zone: report.time_zone.clone(),
        locale: report.locale.clone(),
        currency: context.settings.currency.clone(),
        now,
    }
}

/// What both variants say of who wins; the one that is bet on first.
fn variants(prediction: &Prediction, draws: bool) -> Vec<Variant> {
    let variant = |uses_market: bool, members: &[ScoreForecast]| {
        let each: Vec<[f64; 3]> =
            members.iter().map(|member| outcome_probabilities(std::slice::from_ref(member), draws)).collect();
        let sides = [Selection::Home, Selection::Draw, Selection::Away].into_iter().enumerate();
        let outcomes = sides.filter(|(_, selection)| draws || *selection != Selection::Draw);
        let outcomes = outcomes.map(|(side, selection)| {
            let said: Vec<f64> = each.iter().map(|member| member[side]).collect();
            let probability = outcome_probabilities(members, draws)[side];
            OutcomeProbability { selection, probability, interval_90: interval(&said) }
        });
        Variant { uses_market, outcomes: outcomes.collect() }
    };
    let both = [(true, &prediction.members), (false, &prediction.members_without_market)];
    let said = both.into_iter().filter(|(_, members)| !members.is_empty());
    said.map(|(uses_market, members)| variant(uses_market, members)).collect()
}

/// 90 % of a normal spread around the members' mean; none with one member.
fn interval(said: &[f64]) -> Option<(f64, f64)> {
    let count = said.len() as f64;
    let mean = said.iter().sum::<f64>() / count;
    let variance = said.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = 1.645 * variance.sqrt();
    (said.len() > 1).then(|| ((mean - half).max(0.0), (mean + half).min(1.0)))
}

/// The members' mean distribution, ascending.
fn mean(members: &[ScoreForecast], of: fn(&ScoreForecast) -> &Distribution) -> Vec<(i32, f64)> {
    let mut sums: BTreeMap<i32, f64> = BTreeMap::new();
    for (value, probability) in members.iter().flat_map(|member| of(member).iter()) {
        *sums.entry(value).or_default() += probability;
    }
    let count = members.len() as f64;
    sums.into_iter().map(|(value, sum)| (value, sum / count)).collect()
}

fn quotes(standing: &[&LineRow], verdicts: &[&Verdict]) -> Vec<Quote> {
    let markets = markets(standing);
    let no_vig = |line: &LineRow| {
        let points = market_points(line.selection, line.points);
        let market = markets.iter().find(|market| (market.market, market.points) == (line.market, points))?;
        let side = market.selections.iter().position(|selection| *selection == line.selection)?;
        let book = market.books.iter().find(|quote| quote.book == line.book)?;
        Some(1.0 / (1.0 + (-book.logits[side]).exp()))
    };
    let same = |a: &LineRow, b: &LineRow| {
        (&a.book, a.market, a.selection, a.points) == (&b.book, b.market, b.selection, b.points)
    };
    let quote = |line: &&LineRow| Quote {
        market: line.market,
        selection: line.selection,
        points: line.points,
        book: line.book.clone(),
        price: line.price,
        captured_at: line.captured_at,
        no_vig: no_vig(line),
        edge: verdicts.iter().find(|verdict| same(&verdict.line, line)).map(|verdict| verdict.edge),
    };
    standing.iter().map(quote).collect()
}

/// The moneyline prices in time, by selection and book.
fn history(lines: &[&LineRow], night: &Night) -> Vec<PriceHistory> {
    let mut by_book: BTreeMap<(Selection, &Name), BTreeMap<jiff::Timestamp, market::Price>> = BTreeMap::new();
    let seen = lines.iter().filter(|line| line.market == Market::Moneyline && line.known_at() < night.as_of);
    for line in seen {
        by_book.entry((line.selection, &line.book)).or_default().insert(line.captured_at, line.price);
    }
    let history = by_book.into_iter().map(|((selection, book), prices)| PriceHistory {
        selection,
        book: book.clone(),
        prices: prices.into_iter().collect(),
    });
    history.collect()
}

fn judged(verdict: &Verdict) -> JudgedQuote {
    let line = &verdict.line;
    let is_bet = verdict.stake.amount > market::Money::ZERO;
    // What a lens says stands beside its bar.
    let cut = verdict.stopped_by().filter(|(kind, _)| kind.is_none()).map(|(_, reason)| reason);
    JudgedQuote {
        market: line.market,
        selection: line.selection,
        points: line.points,
        book: line.book.clone(),
        price: line.price,
        edge: verdict.edge,
        lenses: LensKind::ALL.into_iter().zip(&verdict.lenses).map(lens_view).collect(),
        score: verdict.aggregate.score(),
        stake: is_bet.then_some(verdict.stake.amount),
        verdict: cut.unwrap_or_default(),
    }
}
