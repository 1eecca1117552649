use graph::{Batch, Block, Children};
use tch::Device;

use super::*;
use crate::{
    net::{Architecture, Net},
    schema::Schema,
    settings::TrainSettings,
    tree::Tree,
};

/// Numbers that look random and are the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u64 << 24) as f32) * 2.0 - 1.0
    }

    fn block(&mut self, kind: NodeKind, rows: usize, width: usize, children: Vec<Children>) -> Block {
        Block { kind, rows, width, features: (0..rows * width).map(|_| self.next()).collect(), children }
    }

    /// `counts[i]` sources are there for row `i` of the block above.
    fn children(&mut self, relation: Relation, fan_out: usize, counts: &[usize], block: Block) -> Children {
        let present: Vec<f32> =
            counts.iter().flat_map(|n| (0..fan_out).map(move |i| if i < *n { 1.0 } else { 0.0 })).collect();
        let age_days = present.iter().map(|p| p * (self.next() + 1.0) * 200.0).collect();
        Children { relation, fan_out, present, age_days, block }
    }
}

/// Two games, each with its teams and a referee, teams and referees with past outcomes; some rows are padding.
fn batch() -> Batch {
    let mut n = Numbers(3);
    let home_outcomes = n.block(NodeKind::Outcome, 6, 4, vec![]);
    let home_outcomes = n.children(Relation::TeamHomeOutcome, 3, &[2, 0], home_outcomes);
    let away_outcomes = n.block(NodeKind::Outcome, 6, 4, vec![]);
    let away_outcomes = n.children(Relation::TeamAwayOutcome, 3, &[3, 0], away_outcomes);
    let home = n.block(NodeKind::Team, 2, 3, vec![home_outcomes, away_outcomes]);
    let home = n.children(Relation::HomeTeam, 1, &[1, 1], home);
    let away = n.block(NodeKind::Team, 2, 3, vec![]);
    let away = n.children(Relation::AwayTeam, 1, &[1, 0], away);
    let refereed = n.block(NodeKind::Outcome, 8, 4, vec![]);
    let refereed = n.children(Relation::RefereeOutcome, 2, &[1, 0, 2, 0], refereed);
    let referees = n.block(NodeKind::Referee, 4, 2, vec![refereed]);
    let referees = n.children(Relation::Officiates, 2, &[1, 2], referees);
    let seeds = n.block(NodeKind::Game, 2, 5, vec![home, away, referees]);
    Batch { seeds, league: vec![0, 1], consensus: vec![None; 2], expected: vec![[0.0; 2]; 2] }
}

fn net(batch: &Batch, relative_time: bool) -> (nn::VarStore, Net, Tree) {
    tch::manual_seed(5);
    let tree = Tree::new(batch).unwrap();
    let store = nn::VarStore::new(Device::Cpu);
    let settings = TrainSettings { hidden: 8, heads: 2, relative_time, ..TrainSettings::default() };
    let net = Net::new(&store.root(), Architecture::new(&settings, 2, Schema::of(&tree)));
    // The head starts at zero, which would hide everything below it.
    for (name, mut tensor) in store.variables() {
        if name.starts_with("head.out") {
            let _ = tch::no_grad(|| tensor.uniform_(-0.5, 0.5));
        }
        if name.ends_with("prior") || name.ends_with("skip") {
            let _ = tch::no_grad(|| tensor.uniform_(0.3, 1.7));
        }
    }
    (store, net, tree)
}

fn says(net: &Net, tree: &Tree) -> Vec<Vec<f32>> {
    let raw = tch::no_grad(|| net.forward(tree, &Tensor::from_slice(&[0i64, 1]), false));
    Vec::<Vec<f32>>::try_from(&raw).unwrap()
}

/// A state with explicit nodes and edges: the naive layer, written edge by edge from the paper.
struct Naive<'a> {
    layer: &'a HgtLayer,
    d: usize,
    heads: usize,
}

type Vector = Vec<f64>;

fn matrix(tensor: &Tensor) -> Vec<Vector> {
    Vec::<Vec<f64>>::try_from(tensor).unwrap()
}

fn affine(linear: &nn::Linear, x: &[f64]) -> Vector {
    let bias: Vec<f64> = Vec::try_from(linear.bs.as_ref().unwrap()).unwrap();
    matrix(&linear.ws)
        .iter()
        .zip(bias)
        .map(|(row, b)| b + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>())
        .collect()
}

/// `x` of length `d / heads` times a `[d / heads, d / heads]` matrix.
fn times(x: &[f64], m: &[Vector]) -> Vector {
    (0..m[0].len()).map(|j| x.iter().zip(m).map(|(x, row)| x * row[j]).sum()).collect()
}

fn gelu(x: f64) -> f64 {
    let kernel = Tensor::from_slice(&[x]).gelu("none");
    kernel.double_value(&[0])
}

impl Naive<'_> {
    fn head(&self, x: &[f64], part: usize, head: usize) -> Vector {
        let width = self.d / self.heads;
        x[part * self.d + head * width..][..width].to_vec()
    }

    /// New state of a target with state `x` and edges `(relation, kind of the source, its state)`.
    fn update(&self, kind: NodeKind, x: &[f64], edges: &[(Relation, NodeKind, Vector)]) -> Vector {
        let Some(target) = self.layer.kinds.get(&kind).and_then(|k| k.target.as_ref()) else {
            return x.to_vec();
        };
        let width = self.d / self.heads;
        let own = affine(&self.layer.kinds[&kind].key_query_value, x);
        let mut message = vec![0.0; self.d];
        for head in 0..self.heads {
            let query = self.head(&own, 1, head);
            let mut weights = Vec::new();
            let mut values = Vec::new();
            for (relation, source, state) in edges {
                let r = &self.layer.relations[relation];
                let theirs = affine(&self.layer.kinds[source].key_query_value, state);
                let key = times(&self.head(&theirs, 0, head), &matrix(&r.key.get(head as i64)));
                let prior = r.prior.double_value(&[head as i64]);
                let score: f64 = query.iter().zip(&key).map(|(q, k)| q * k).sum();
                weights.push((score * prior / (width as f64).sqrt()).exp());
                values.push(times(&self.head(&theirs, 2, head), &matrix(&r.value.get(head as i64))));
            }
            let sum: f64 = weights.iter().sum();
            for (weight, value) in weights.iter().zip(&values) {
                for (i, v) in value.iter().enumerate() {
                    message[head * width + i] += weight / sum * v;
                }
            }
        }
        let activated: Vector = message.iter().map(|x| gelu(*x)).collect();
        let share = 1.0 / (1.0 + (-target.skip.double_value(&[0])).exp());
        affine(&target.out, &activated)
            .iter()
            .zip(x)
            .map(|(out, x)| share * out + (1.0 - share) * x)
            .collect()
    }

    /// The state of row `row` of `state` after this layer, by its edges only.
    fn row(&self, state: &State, row: usize) -> Vector {
        let own = matrix(&state.hidden)[row].clone();
        let mut edges = Vec::new();
        for sources in &state.sources {
            let hidden = matrix(&sources.state.hidden);
            let fan_out = sources.fan_out as usize;
            for i in 0..fan_out {
                if sources.present.double_value(&[row as i64, i as i64, 0]) > 0.0 {
                    edges.push((sources.relation, sources.state.kind, hidden[row * fan_out + i].clone()));
                }
            }
        }
        self.update(state.kind, &own, &edges)
    }
}

fn assert_rows_match(naive: &Naive<'_>, old: &State, new: &State) {
    for (row, said) in matrix(&new.hidden).iter().enumerate() {
        for (said, wanted) in said.iter().zip(naive.row(old, row)) {
            assert!((said - wanted).abs() < 1e-5, "{:?} row {row}: {said} for {wanted}", new.kind);
        }
    }
}

#[test]
fn a_layer_equals_message_passing_edge_by_edge() {
    let (_store, net, tree) = net(&batch(), false);
    let [first, second] = net.layers() else { panic!("two hops make two layers") };
    let naive = |layer| Naive { layer, d: 8, heads: 2 };
    tch::no_grad(|| {
        let start = net.project(&tree);
        let middle = first.forward(&start, 1, false);
        assert_rows_match(&naive(first), &start, &middle);
        for (old, new) in start.sources.iter().zip(&middle.sources) {
            assert_rows_match(&naive(first), &old.state, &new.state);
        }
        let end = second.forward(&middle, 0, false);
        assert_rows_match(&naive(second), &middle, &end);
        assert!(end.sources.is_empty(), "after the last layer only the games are left");
    });
}

#[test]
fn a_target_without_any_source_receives_nothing() {
    let (_store, net, tree) = net(&batch(), false);
    let first = &net.layers()[0];
    tch::no_grad(|| {
        let start = net.project(&tree);
        let team = &start.sources[0].state; // row 1 has no past outcome
        let weights = &first.kinds[&NodeKind::Team];
        let message = first.aggregate(team, weights);
        let row: Vec<f64> = Vec::try_from(message.get(1)).unwrap();
        assert!(row.iter().all(|x| *x == 0.0), "{row:?}");
        let other: Vec<f64> = Vec::try_from(message.get(0)).unwrap();
        assert!(other.iter().any(|x| *x != 0.0));
    });
}

fn spoil_padding(block: &mut Block, exists: &[bool]) {
    for (row, exists) in exists.iter().enumerate() {
        if !exists {
            block.features[row * block.width..(row + 1) * block.width].fill(1e4);
        }
    }
    for children in &mut block.children {
        for (age, present) in children.age_days.iter_mut().zip(&children.present) {
            if *present == 0.0 {
                *age = 777.0;
            }
        }
        let below: Vec<bool> = children
            .present
            .iter()
            .enumerate()
            .map(|(i, present)| *present > 0.0 && exists[i / children.fan_out])
            .collect();
        spoil_padding(&mut children.block, &below);
    }
}

#[test]
fn what_stands_in_padding_changes_no_bit() {
    let clean = batch();
    let mut spoilt = clean.clone();
    spoil_padding(&mut spoilt.seeds, &[true, true]);
    assert_ne!(clean, spoilt);
    for relative_time in [false, true] {
        let (_store, net, tree) = net(&clean, relative_time);
        assert_eq!(says(&net, &tree), says(&net, &Tree::new(&spoilt).unwrap()));
    }
}

#[test]
fn the_age_of_an_edge_matters_only_with_relative_time() {
    let young = batch();
    let mut old = young.clone();
    for age in &mut old.seeds.children[0].block.children[0].age_days {
        *age *= 3.0;
    }
    for relative_time in [false, true] {
        let (_store, net, tree) = net(&young, relative_time);
        let differs = says(&net, &tree) != says(&net, &Tree::new(&old).unwrap());
        assert_eq!(differs, relative_time);
    }
}

#[test]
fn games_picked_from_a_tree_say_what_they_say_alone() {
    let batch = batch();
    let (_store, net, tree) = net(&batch, true);
    let both = says(&net, &tree);
    let second = tree.select(&Tensor::from_slice(&[1i64]));
    let alone = tch::no_grad(|| net.forward(&second, &Tensor::from_slice(&[1i64]), false));
    let alone = Vec::<Vec<f32>>::try_from(&alone).unwrap().remove(0);
    for (a, b) in alone.iter().zip(&both[1]) {
        assert!((a - b).abs() < 1e-5, "another batch size may round otherwise: {a} for {b}");
    }
    let again = Tree::concatenate(&[&tree.select(&Tensor::from_slice(&[0i64])), &second]).unwrap();
    assert_eq!(both, says(&net, &again));
}

#[test]
fn features_are_standardised_over_rows_that_exist() {
    let mut batch = batch();
    spoil_padding(&mut batch.seeds, &[true, true]);
    let (_store, mut net, tree) = net(&batch, true);
    net.standardise(&tree).unwrap();
    let referees = &net.projections()[&NodeKind::Referee];
    let mean: Vec<f64> = Vec::try_from(&referees.0).unwrap();
    let block = &batch.seeds.children[2].block;
    let present = [0usize, 2, 3]; // of the four rows, by `&[1, 2]` sources
    for (feature, mean) in mean.iter().enumerate() {
        let by_hand: f32 = present.iter().map(|row| block.features[row * 2 + feature]).sum::<f32>() / 3.0;
        assert!((mean - f64::from(by_hand)).abs() < 1e-6, "{mean} for {by_hand}");
    }
}
