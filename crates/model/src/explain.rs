//! What carried a forecast: one part after the other is left out, all in one batch of copies of the game.
//!
//! A neighbour is left out by hiding its edge, so that attention goes to the others, as it would have had the edge not been
//! there. The linear part's features are set to their mean one by one.

use std::collections::BTreeMap;

use graph::{Batch, NodeKind, Relation, Trace, features};
use market::explanation::{Effect, Neighbour, Step};
use tch::Tensor;

use crate::{
    Ensemble, ModelError, Variant,
    fit::Member,
    net::Attention,
    samples::Samples,
    tree::{Branch, Tree},
};

/// Neighbours told one by one.
const NEIGHBOURS: usize = 12;
/// Copies of the game that are forecast together.
const COPIES: usize = 128;
/// Features told one by one.
const FEATURES: usize = 6;

/// Effects on one game.
#[derive(Debug)]
pub(crate) struct Effects {
    pub(crate) steps: Vec<Step>,
    pub(crate) features: Vec<Effect>,
    pub(crate) kinds: Vec<Effect>,
    pub(crate) neighbours: Vec<Neighbour>,
}

/// One edge of the sampled tree: relations and places from the game outwards.
#[derive(Debug)]
struct Place<'a> {
    path: Vec<(Relation, usize)>,
    source: &'a Trace,
}

impl Ensemble {
    /// Finds what carried the variant's forecast of the one game in `batch`, of which `trace` knows the names.
    pub(crate) fn effects(
        &self,
        variant: Variant,
        batch: &Batch,
        trace: &Trace,
    ) -> Result<Effects, ModelError> {
        let mut places = Vec::new();
        collect(trace, &mut Vec::new(), &mut places);
        let mut kinds: Vec<NodeKind> = places.iter().map(|place| place.source.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let leagues: Vec<usize> = batch.league.iter().map(|league| *league as usize).collect();
        let tree = Tree::new(batch)?;
        let members = self.members(variant);
        let mut found = Found::new(kinds.len(), places.len(), features::columns(NodeKind::Game).len());
        for member in members {
            member.net.schema().check(&tree)?;
            let samples = Samples::of(
                tree.to_device(member.store.device()),
                leagues.clone(),
                batch.consensus.clone(),
                batch.expected.clone(),
            );
            tch::no_grad(|| found.add(self, member, &samples.anchored(self.table()), &kinds, &places))?;
        }
        Ok(found.told(members.len(), batch, &kinds, &places))
    }
}

/// Sums over members.
struct Found {
    /// Home's probability by the league alone, with the anchor, with the linear part, with the messages, calibrated.
    steps: [f64; 5],
    /// Change by feature of the game.
    features: Vec<f64>,
    kinds: Vec<f64>,
    places: Vec<f64>,
    attention: Vec<f64>,
}

impl Found {
    fn new(kinds: usize, places: usize, features: usize) -> Self {
        Self {
            steps: [0.0; 5],
            features: vec![0.0; features],
            kinds: vec![0.0; kinds],
            places: vec![0.0; places],
            attention: vec![0.0; places],
        }
    }

    fn add(
        &mut self,
        ensemble: &Ensemble,
        member: &Member,
        game: &Samples,
        kinds: &[NodeKind],
        places: &[Place<'_>],
    ) -> Result<(), ModelError> {
        let table = ensemble.table();
        let plain = |raw: &Tensor, anchor: &Tensor| -> Result<Vec<f64>, ModelError> {
            let league = game.league.expand([raw.size()[0]], false);
            let outcome = table.forecast(raw, anchor, &league).outcome.exp().select(1, 0);
            let outcome = outcome.to_device(tch::Device::Cpu).to_kind(tch::Kind::Double);
            Vec::<f64>::try_from(&outcome).map_err(ModelError::torch("explaining a forecast"))
        };
        let home = |raw: &Tensor, anchor: &Tensor| {
            plain(&member.net.calibrated(raw), &member.net.calibrated(anchor))
        };
        let direct = member.net.forward_direct(&game.tree, &game.league);
        let raw = member.net.forward(&game.tree, &game.league, false);
        let nothing = raw.zeros_like();
        let raws = Tensor::cat(&[&nothing, &nothing, &direct, &raw], 0);
        let unanchored = game.anchor.zeros_like();
        let anchors = Tensor::cat(&[&unanchored, &game.anchor, &game.anchor, &game.anchor], 0);
        let mut steps = plain(&raws, &anchors)?;
        steps.extend(home(&raw, &game.anchor)?);
        let whole = steps[4];
        self.steps.iter_mut().zip(&steps).for_each(|(sum, step)| *sum += step);

        let parts = member.net.direct_parts(&game.tree); // [features, TILTS]
        let anchor = game.anchor.expand([parts.size()[0], -1], false);
        for (column, without) in member.net.direct_columns().zip(home(&(&raw - &parts), &anchor)?) {
            self.features[column] += whole - without;
        }

        let of_kind = |kind: &NodeKind| -> Vec<&Place<'_>> {
            places.iter().filter(|place| place.source.kind == *kind).collect()
        };
        let cases: Vec<Vec<&Place<'_>>> =
            kinds.iter().map(of_kind).chain(places.iter().map(|place| vec![place])).collect();
        let sums = self.kinds.iter_mut().chain(&mut self.places);
        let mut without = Vec::with_capacity(cases.len());
        for cases in cases.chunks(COPIES) {
            let copies = game.select(&vec![0; cases.len()]);
            for (case, hidden) in cases.iter().enumerate() {
                for place in hidden {
                    hide(&copies.tree, case, &place.path);
                }
            }
            let raw = member.net.forward(&copies.tree, &copies.league, false);
            without.extend(home(&raw, &copies.anchor)?);
        }
        sums.zip(without).for_each(|(sum, without)| *sum += whole - without);
        let attention = member.net.attention(&game.tree);
        for (sum, place) in self.attention.iter_mut().zip(places) {
            *sum += paid(&attention, &place.path);
        }
        Ok(())
    }

    fn told(self, members: usize, batch: &Batch, kinds: &[NodeKind], places: &[Place<'_>]) -> Effects {
        let share = 1.0 / members.max(1) as f64;
        let anchor = if batch.consensus.iter().all(Option::is_none) { "the ratings" } else { "the prices" };
        let names = [
            "in this league",
            anchor,
            "the plain features",
            "the neighbours' messages",
            "corrections of past over- or underconfidence",
        ];
        let steps = names.into_iter().zip(self.steps);
        let steps = steps.map(|(name, home)| Step { name: name.to_owned(), home: home * share }).collect();
        let columns = features::columns(NodeKind::Game).iter();
        let features = columns.zip(self.features).zip(&batch.seeds.features);
        let mut features: Vec<Effect> = features
            .filter(|((_, home), _)| *home != 0.0)
            .map(|((name, home), value)| Effect {
                name: feature_in_words(name),
                says: format!("{value:+.2}"),
                home: home * share,
            })
            .collect();
        largest_first(&mut features, |effect| effect.home);
        features.truncate(FEATURES);
        let mut of_kinds: Vec<Effect> = kinds
            .iter()
            .zip(self.kinds)
            .map(|(kind, home)| {
                let count = places.iter().filter(|place| place.source.kind == *kind).count();
                let name = format!("{} nodes", kind.as_str());
                Effect { name, says: format!("in {count} places"), home: home * share }
            })
            .collect();
        largest_first(&mut of_kinds, |effect| effect.home);
        let mut neighbours: Vec<Neighbour> = places
            .iter()
            .zip(self.places.iter().zip(&self.attention))
            .map(|(place, (home, attention))| Neighbour {
                path: place.path.iter().map(|(relation, _)| relation.as_str().to_owned()).collect(),
                effect: Effect {
                    name: place.source.name.clone(),
                    says: place.source.says.clone(),
                    home: home * share,
                },
                age_days: place.source.age_days,
                attention: attention * share,
            })
            .collect();
        largest_first(&mut neighbours, |neighbour| neighbour.effect.home);
        neighbours.truncate(NEIGHBOURS);
        Effects { steps, features, kinds: of_kinds, neighbours }
    }
}

fn largest_first<T>(effects: &mut [T], of: impl Fn(&T) -> f64) {
    effects.sort_by(|a, b| of(b).abs().total_cmp(&of(a).abs()));
}

fn collect<'a>(trace: &'a Trace, path: &mut Vec<(Relation, usize)>, places: &mut Vec<Place<'a>>) {
    for (relation, sources) in &trace.branches {
        for (index, source) in sources.iter().enumerate() {
            path.push((*relation, index));
            places.push(Place { path: path.clone(), source });
            collect(source, path, places);
            path.pop();
        }
    }
}

/// Returns the branch that a path ends in, the row above it and the place in it.
fn find<'t>(tree: &'t Tree, path: &[(Relation, usize)]) -> Option<(&'t Branch, i64, i64)> {
    let ((relation, index), rest) = path.split_first()?;
    let mut branch = tree.branches.iter().find(|branch| branch.relation == *relation)?;
    let (mut row, mut place) = (0, *index as i64);
    for (relation, index) in rest {
        row = row * branch.fan_out + place;
        place = *index as i64;
        branch = branch.tree.branches.iter().find(|branch| branch.relation == *relation)?;
    }
    Some((branch, row, place))
}

/// Hides an edge of the `case`-th game.
fn hide(tree: &Tree, case: usize, path: &[(Relation, usize)]) {
    if let Some((branch, row, place)) = find(tree, path) {
        let _hidden = branch.present.get(case as i64).get(row).get(place).fill_(0.0);
    }
}

/// Returns the attention paid to an edge of the only game.
fn paid(attention: &Attention, path: &[(Relation, usize)]) -> f64 {
    let (mut level, mut row, mut found) = (attention, 0, 0.0);
    for (relation, index) in path {
        let Some((_, paid, below)) = level.0.iter().find(|(known, ..)| known == relation) else { return 0.0 };
        found = paid.double_value(&[row, *index as i64]);
        row = row * paid.size()[1] + *index as i64;
        level = below;
    }
    found
}

/// Says what a feature of a game is.
fn feature_in_words(column: &str) -> String {
    let known = BTreeMap::from([
        ("elo_difference", "Elo lead of the home side"),
        ("strength_margin", "margin that the strengths expect"),
        ("rate_log_ratio", "scoring rate of home over away"),
        ("rate_log_ratio_squared", "scoring rate of home over away, squared"),
        ("rate_log_mean", "scoring rate of both"),
        ("expected_total", "expected total"),
        ("rest_difference", "days of rest, home less away"),
        ("neutral", "neutral venue"),
        ("home_form", "form of the home side"),
        ("away_form", "form of the away side"),
        ("market_home_logit", "price of the home side"),
        ("market_draw_logit", "price of the draw"),
        ("market_margin", "margin that the spreads expect"),
        ("market_total", "total that the prices expect"),
        ("market_drift", "how the market lately moved for both sides"),
    ]);
    known.get(column).map_or_else(|| column.replace('_', " "), |words| (*words).to_owned())
}
