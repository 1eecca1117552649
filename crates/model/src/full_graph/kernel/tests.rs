use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{Inflow, Layout, Outflow, Table, blocks, into_sources, into_targets};
use crate::full_graph::plan::Edges;

/// Two relations into one kind, of which the second is lifted.
struct Case {
    heads: usize,
    width: usize,
    targets: usize,
    /// Sources of each relation.
    sources: [usize; 2],
    pairs: [Vec<(u32, u32)>; 2],
    /// `[targets, heads, width]`.
    query: Vec<f32>,
    /// `[sources, 2, heads, width]`.
    table: Vec<f32>,
    /// `[heads, targets, heads * width + 1]`.
    asked: Vec<f32>,
    /// `[sources, heads * width]`.
    states: Vec<f32>,
    /// Gradients of both results.
    slopes: [Vec<f32>; 2],
}

impl Case {
    /// Ends are skewed towards the first rows, so there are hubs, edges several times and rows without any.
    fn new(seed: u64, (heads, width): (usize, usize), edges: [usize; 2]) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (targets, sources, hidden) = (211, [90, 700], heads * width);
        let mut row = |rows: usize, power: i32| (random.random::<f64>().powi(power) * rows as f64) as u32;
        let pairs =
            [0, 1].map(|i| (0..edges[i]).map(|_| (row(sources[i], 2), row(targets - 20, 3))).collect());
        let mut numbers =
            |count: usize| (0..count).map(|_| random.random_range(-0.5..0.5)).collect::<Vec<f32>>();
        Self {
            query: numbers(targets * hidden),
            table: numbers(sources[0] * 2 * hidden),
            asked: numbers(heads * targets * (hidden + 1)),
            states: numbers(sources[1] * hidden),
            slopes: [numbers(targets * hidden), numbers(heads * targets * (hidden + 1))],
            heads,
            width,
            targets,
            sources,
            pairs,
        }
    }

    /// Results, then the gradients of queries, of what is asked, of the table and of the states.
    fn fast(&self, threads: usize) -> [Vec<f32>; 6] {
        let (heads, hidden, targets) = (self.heads, self.heads * self.width, self.targets);
        let edges = [0, 1].map(|i| Edges::new(&self.pairs[i], (self.sources[i], targets)));
        let blocks = blocks(&[&edges[0].by_target, &edges[1].by_target]);
        let run = (blocks.as_slice(), heads, threads);
        let plain = |start, row| Layout { start, row, head: self.width, width: self.width, affine: false };
        let asked =
            Layout { start: 0, row: hidden + 1, head: targets * (hidden + 1), width: hidden, affine: true };
        let heard = Layout { row: heads * (hidden + 1), head: hidden + 1, ..asked };
        let shared = Layout { start: 0, row: hidden, head: 0, width: hidden, affine: false };
        let [keys, values] =
            [0, hidden].map(|start| Table { data: &self.table, layout: plain(start, 2 * hidden) });
        let states = Table { data: &self.states, layout: shared };
        let pass = |left: [&[f32]; 2], [right, summed]: [Table<'_>; 2], weights: Option<&[Vec<f32>; 2]>| {
            let weights = |i: usize| weights.map(|weights| weights[i].as_slice());
            let inflows = [
                Inflow {
                    lists: &edges[0].by_target,
                    left: Table { data: left[0], layout: plain(0, hidden) },
                    right,
                    summed,
                    output: 0,
                    layout: plain(0, hidden),
                    weights: weights(0),
                },
                Inflow {
                    lists: &edges[1].by_target,
                    left: Table { data: left[1], layout: asked },
                    right: states,
                    summed: states,
                    output: 1,
                    layout: heard,
                    weights: weights(1),
                },
            ];
            let mut fresh = [0, 1].map(|i| vec![0.0; edges[i].len() * heads]);
            let mut sums = [vec![0.0; targets * hidden], vec![0.0; targets * heads * (hidden + 1)]];
            let [sum, lifted] = &mut sums;
            let outputs = vec![(sum.as_mut_slice(), hidden), (lifted.as_mut_slice(), heard.row)];
            into_targets(run, &inflows, fresh.iter_mut().map(Vec::as_mut_slice).collect(), outputs);
            (fresh, sums)
        };
        let (weights, [out, sums]) = pass([&self.query, &self.asked], [keys, values], None);
        let left = [self.slopes[0].as_slice(), self.slopes[1].as_slice()];
        let (slopes, [query, asked_slopes]) = pass(left, [values, keys], Some(&weights));

        let back = |i: usize, outflows: &[Outflow<'_>], row: usize| {
            let mut sums = vec![0.0; self.sources[i] * row];
            let run = (&edges[i].by_source, edges[i].source_blocks.as_slice(), heads, threads);
            into_sources(run, outflows, (&mut sums, row));
            sums
        };
        let flow =
            |weights, data, read, layout| Outflow { weights, summed: Table { data, layout: read }, layout };
        let read = plain(0, hidden);
        let table = [
            flow(&slopes[0], &self.query, read, plain(0, 2 * hidden)),
            flow(&weights[0], &self.slopes[0], read, plain(hidden, 2 * hidden)),
        ];
        let read = Layout { affine: false, ..asked };
        let states =
            [flow(&slopes[1], &self.asked, read, shared), flow(&weights[1], &self.slopes[1], read, shared)];
        [out, sums, query, asked_slopes, back(0, &table, 2 * hidden), back(1, &states, hidden)]
    }

    /// The same, target by target, by libtorch's differentiation.
    fn slow(&self) -> [Tensor; 6] {
        let (heads, width, targets) = (self.heads as i64, self.width as i64, self.targets as i64);
        let hidden = heads * width;
        let leaf = |data: &[f32], shape: &[i64]| Tensor::from_slice(data).view(shape).set_requires_grad(true);
        let query = leaf(&self.query, &[targets, heads, width]);
        let table = leaf(&self.table, &[-1, 2, heads, width]);
        let asked = leaf(&self.asked, &[heads, targets, hidden + 1]);
        let states = leaf(&self.states, &[-1, hidden]);
        let known =
            Tensor::cat(&[&states, &Tensor::ones([states.size()[0], 1], (Kind::Float, tch::Device::Cpu))], 1);
        let (mut out, mut heard) = (Vec::new(), Vec::new());
        for target in 0..targets {
            let sources = |i: usize| {
                let into = self.pairs[i].iter().filter(|pair| i64::from(pair.1) == target);
                Tensor::from_slice(&into.map(|pair| i64::from(pair.0)).collect::<Vec<_>>())
            };
            let (rows, known) = (table.index_select(0, &sources(0)), known.index_select(0, &sources(1)));
            let scores =
                (rows.select(1, 0) * query.select(0, target)).sum_dim_intlist(-1, false, Kind::Float);
            let weights = Tensor::cat(&[scores, known.matmul(&asked.select(1, target).tr())], 0)
                .softmax(0, Kind::Float);
            let weights = weights.split_with_sizes([rows.size()[0], known.size()[0]], 0);
            let values = rows.select(1, 1) * weights[0].unsqueeze(-1);
            out.push(values.sum_dim_intlist(0, false, Kind::Float));
            heard.push(weights[1].tr().matmul(&known));
        }
        let (out, heard) = (Tensor::stack(&out, 0), Tensor::stack(&heard, 0));
        let slope = Tensor::from_slice(&self.slopes[1]).view([heads, targets, hidden + 1]).transpose(0, 1);
        let loss = (&out * Tensor::from_slice(&self.slopes[0]).view_as(&out)).sum(Kind::Float)
            + (&heard * slope).sum(Kind::Float);
        loss.backward();
        [out, heard, query.grad(), asked.grad().transpose(0, 1), table.grad(), states.grad()]
    }
}

#[test]
fn attention_is_that_of_an_edge_by_edge_computation() {
    let cases = [((4, 16), [900, 1500]), ((2, 5), [2500, 300]), ((1, 64), [400, 0]), ((3, 8), [0, 700])];
    for (seed, (sizes, edges)) in (0..).zip(cases) {
        let case = Case::new(seed, sizes, edges);
        for (part, (fast, slow)) in case.fast(2).iter().zip(case.slow()).enumerate() {
            let difference = (Tensor::from_slice(fast) - slow.reshape([-1])).abs().max().double_value(&[]);
            let size = slow.abs().max().double_value(&[]).max(1.0);
            assert!(difference < 1e-5 * size, "case {seed}, part {part}: {difference} of {size}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let case = Case::new(9, (4, 16), [6000, 9000]);
    let one = case.fast(1);
    for threads in [2, 3, 7] {
        assert!(case.fast(threads) == one, "{threads} threads");
    }
}

#[test]
fn blocks_cover_all_rows_once() {
    let case = Case::new(3, (1, 4), [6000, 0]);
    let edges = Edges::new(&case.pairs[0], (case.sources[0], case.targets));
    let bounds = blocks(&[&edges.by_target]);
    assert!(bounds.len() > 3 && bounds.is_sorted() && bounds.last() == Some(&case.targets), "{bounds:?}");
    assert_eq!(blocks(&[]), [0]);
}
