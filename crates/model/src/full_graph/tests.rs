use std::collections::{BTreeMap, HashMap};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{FullGraph, FullGraphError, Hgt, Relation, Settings, Weights};

/// Rows of each kind. Nothing flows into `e`; no row of `f` exists.
const ROWS: [(&str, i64); 7] =
    [("a", 150), ("b", 37), ("c", 5), ("d", 300), ("e", 20), ("f", 0), ("game", 60)];

/// Edges of each relation; `ghost` is a kind that the graph lacks.
const EDGES: [(&str, usize); 14] = [
    ("a__x__game", 200),
    ("c__y__game", 100),
    ("b__z__game", 70),
    ("d__w__game", 500),
    ("game__self__game", 90),
    ("game__rx__a", 400),
    ("b__p__a", 300),
    ("game__none__b", 0),
    ("a__q__c", 150),
    ("c__v__d", 250),
    ("e__only__game", 50),
    ("f__from_nowhere__game", 0),
    ("ghost__g__game", 0),
    ("a__unseen__f", 0),
];

struct Case {
    graph: FullGraph,
    named: HashMap<String, Tensor>,
    labels: Tensor,
    settings: Settings,
}

fn rows(kind: &str) -> i64 {
    ROWS.iter().find(|(name, _)| *name == kind).map_or(0, |(_, rows)| *rows)
}

fn case(seed: u64, settings: Settings) -> Case {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let Settings { hidden, heads, layers } = settings;
    let (hidden, heads) = (hidden as i64, heads as i64);
    let width = hidden / heads;
    let relations: Vec<Relation> = EDGES
        .iter()
        .map(|(id, edges)| {
            let ends: Vec<&str> = id.split("__").collect();
            let (sources, targets) = (rows(ends[0]) as f64, rows(ends[2]) as f64 * 0.9);
            let from: Vec<i64> =
                (0..*edges).map(|_| (random.random::<f64>().powi(3) * sources) as i64).collect();
            let to: Vec<i64> =
                (0..*edges).map(|_| (random.random::<f64>().powi(2) * targets) as i64).collect();
            let edges = Tensor::stack(&[Tensor::from_slice(&from), Tensor::from_slice(&to)], 0);
            Relation {
                source: ends[0].to_owned(),
                name: ends[1].to_owned(),
                target: ends[2].to_owned(),
                edges,
            }
        })
        .collect();
    let mut tensor = |shape: &[i64], scale: f32| {
        let count = shape.iter().product::<i64>();
        let numbers: Vec<f32> = (0..count).map(|_| random.random_range(-scale..scale)).collect();
        Tensor::from_slice(&numbers).view(shape)
    };
    let features: BTreeMap<String, Tensor> =
        (3..).zip(ROWS).map(|(width, (kind, rows))| (kind.to_owned(), tensor(&[rows, width], 1.5))).collect();
    let mut named = HashMap::new();
    for (width, (kind, _)) in (3..).zip(ROWS) {
        named.insert(format!("inp.{kind}.weight"), tensor(&[hidden, width], 0.4));
        named.insert(format!("inp.{kind}.bias"), tensor(&[hidden], 0.4));
    }
    let count = EDGES.len() as i64;
    for layer in 0..layers {
        let path = |name: String| format!("convs.{layer}.{name}");
        for (kind, _) in ROWS {
            named.insert(path(format!("kqv_lin.lins.{kind}.weight")), tensor(&[3 * hidden, hidden], 0.3));
            named.insert(path(format!("kqv_lin.lins.{kind}.bias")), tensor(&[3 * hidden], 0.3));
            named.insert(path(format!("out_lin.lins.{kind}.weight")), tensor(&[hidden, hidden], 0.3));
            named.insert(path(format!("out_lin.lins.{kind}.bias")), tensor(&[hidden], 0.3));
            named.insert(path(format!("skip.{kind}")), tensor(&[1], 1.0));
        }
        named.insert(path("k_rel.weight".to_owned()), tensor(&[heads * count, width, width], 0.5));
        named.insert(path("v_rel.weight".to_owned()), tensor(&[heads * count, width, width], 0.5));
        for (id, _) in EDGES {
            named.insert(path(format!("p_rel.{id}")), tensor(&[1, heads], 1.0));
        }
    }
    named.insert("out.weight".to_owned(), tensor(&[3, hidden], 0.3));
    named.insert("out.bias".to_owned(), tensor(&[3], 0.3));
    let labels: Vec<i64> = (0..rows("game")).map(|_| random.random_range(0..3)).collect();
    let graph = FullGraph::new(features, relations, "game").unwrap();
    Case { graph, named, labels: Tensor::from_slice(&labels), settings }
}

/// The network as the reference writes it down, one row per edge.
fn slow_logits(case: &Case, named: &HashMap<String, Tensor>) -> Tensor {
    let (hidden, heads) = (case.settings.hidden as i64, case.settings.heads as i64);
    let (width, count) = (hidden / heads, EDGES.len() as i64);
    let linear = |x: &Tensor, name: String| {
        x.linear(&named[&format!("{name}.weight")], Some(&named[&format!("{name}.bias")]))
    };
    let mut states: BTreeMap<&str, Tensor> = BTreeMap::new();
    for (kind, x) in case.graph.kinds().zip(case.graph.features()) {
        states.insert(kind, linear(x, format!("inp.{kind}")).relu());
    }
    for layer in 0..case.settings.layers {
        let path = |name: &str| format!("convs.{layer}.{name}");
        let matrices = |name: &str| named[&path(name)].view([heads, count, width, width]);
        let (keys, values) = (matrices("k_rel.weight"), matrices("v_rel.weight"));
        let mut above = BTreeMap::new();
        for (kind, own) in &states {
            let projected = |kind: &str, state: &Tensor, part: i64| {
                let all = linear(state, path(&format!("kqv_lin.lins.{kind}")));
                all.view([state.size()[0], 3, heads, width]).select(1, part)
            };
            let query = projected(kind, own, 1);
            let (mut scores, mut messages, mut targets) = (Vec::new(), Vec::new(), Vec::new());
            let mut is_target = false;
            for (number, relation) in (0..).zip(case.graph.relations()).filter(|(_, r)| r.target == *kind) {
                is_target = true;
                let Some(state) = states.get(relation.source.as_str()) else { continue };
                let (from, to) = (relation.edges.select(0, 0), relation.edges.select(0, 1));
                let by = |part: i64, matrix: &Tensor| {
                    let rows = projected(&relation.source, state, part).index_select(0, &from);
                    rows.transpose(0, 1).bmm(&matrix.select(1, number)).transpose(0, 1)
                };
                let prior = &named[&path(&format!("p_rel.{}", relation.id()))] / (width as f64).sqrt();
                let score =
                    (by(0, &keys) * query.index_select(0, &to)).sum_dim_intlist(-1, false, Kind::Float);
                scores.push(score * prior);
                messages.push(by(2, &values));
                targets.push(to);
            }
            if !is_target {
                above.insert(*kind, own.shallow_clone());
                continue;
            }
            let mut message = own.zeros_like().view([-1, heads, width]);
            if !targets.is_empty() {
                let targets = Tensor::cat(&targets, 0);
                let weights = Tensor::cat(&scores, 0).exp();
                let total = own.zeros_like().narrow(1, 0, heads).index_add(0, &targets, &weights);
                let weights = (weights / total.index_select(0, &targets)).unsqueeze(-1);
                message = message.index_add(0, &targets, &(Tensor::cat(&messages, 0) * weights));
            }
            let message = message.reshape([-1, hidden]).gelu("none");
            let share = named[&path(&format!("skip.{kind}"))].sigmoid();
            let fresh = linear(&message, path(&format!("out_lin.lins.{kind}")));
            above.insert(*kind, fresh * &share + own * (1.0 - share));
        }
        states = above;
    }
    linear(&states["game"], "out".to_owned())
}

fn distance(left: &Tensor, right: &Tensor) -> f64 {
    (left - right).abs().max().double_value(&[])
}

fn copies(named: &HashMap<String, Tensor>) -> HashMap<String, Tensor> {
    named.iter().map(|(name, tensor)| (name.clone(), tensor.copy())).collect()
}

const SIZES: [Settings; 4] = [
    Settings { hidden: 64, heads: 4, layers: 2 },
    Settings { hidden: 12, heads: 3, layers: 3 },
    Settings { hidden: 32, heads: 1, layers: 2 },
    Settings { hidden: 16, heads: 8, layers: 1 },
];

#[test]
fn logits_and_gradients_are_those_of_the_plain_network() {
    for (seed, settings) in (0..).zip(SIZES) {
        let case = case(seed, settings);
        let leaves: HashMap<String, Tensor> = copies(&case.named)
            .into_iter()
            .map(|(name, tensor)| (name, tensor.set_requires_grad(true)))
            .collect();
        let logits = slow_logits(&case, &leaves);
        logits.cross_entropy_for_logits(&case.labels).backward();
        let slopes = leaves.iter().map(|(name, leaf)| {
            let slope = leaf.grad();
            (name.clone(), if slope.defined() { slope } else { leaf.detach().zeros_like() })
        });
        let mut hgt = Hgt::new(copies(&case.named), &case.graph, settings).unwrap();
        let slopes = Weights::new(slopes.collect(), &case.graph, &hgt.plan, settings).unwrap();
        let off = distance(&hgt.logits(), &logits.detach());
        assert!(off < 2e-6, "{settings:?}: logits are off by {off}");
        let (_, found) = hgt.loss_and_slope(&case.labels).unwrap();
        let off = distance(&found, &slopes.flat().detach());
        assert!(off < 2e-6, "{settings:?}: gradients are off by {off}");
        assert!(found.abs().max().double_value(&[]) > 1e-3, "{settings:?}: no gradient at all");
    }
}

#[test]
fn training_is_the_same_on_any_number_of_threads() {
    let case = case(5, SIZES[0]);
    let losses = |threads: usize| {
        let hgt = Hgt::new(copies(&case.named), &case.graph, case.settings).unwrap();
        let mut hgt = hgt.with_threads(threads);
        (0..10).map(|_| hgt.step(&case.labels, 5e-3).unwrap()).collect::<Vec<f64>>()
    };
    let one = losses(1);
    assert_eq!(one, losses(2));
    assert!(one[9] < one[0], "{one:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let Case { graph, named, labels, settings } = case(6, SIZES[1]);
    let refused = |settings| Hgt::new(copies(&named), &graph, settings).err();
    assert!(matches!(refused(Settings { heads: 5, ..settings }), Some(FullGraphError::Mismatch(_))));
    assert!(matches!(refused(Settings { layers: 4, ..settings }), Some(FullGraphError::Missing(_))));
    assert!(matches!(refused(Settings { hidden: 24, ..settings }), Some(FullGraphError::Shape { .. })));
    let mut hgt = Hgt::new(copies(&named), &graph, settings).unwrap();
    assert!(hgt.step(&(labels + 3), 5e-3).is_err());
    let ids = |count: usize| EDGES.iter().take(count).map(|(id, _)| *id).collect::<Vec<_>>();
    assert!(graph.in_order(&ids(13)).is_err());
}

#[test]
fn an_edge_to_nowhere_is_refused() {
    let Case { graph, named, settings, .. } = case(7, SIZES[1]);
    let mut relations = graph.relations;
    relations[0].edges = Tensor::from_slice(&[0i64, 60]).view([2, 1]);
    let graph = FullGraph::new(graph.features, relations, "game").unwrap();
    assert!(matches!(Hgt::new(named, &graph, settings), Err(FullGraphError::Mismatch(_))));
}
