//! Attention over neighbour lists, forward and backward, in plain loops.
//!
//! Both directions are the same three movements. Forward: a score per edge is the product of query and key, the
//! softmax turns scores into weights, and each target sums its sources' values. Backward: a weight's slope is the
//! product of gradient and value, the softmax's derivative turns it into a score's slope, and each target sums its
//! sources' keys. What flows back to the sources is a sum over the lists by source.
//!
//! Every row is summed by one thread in the order of its list, so the result does not depend on the number of threads.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's vector unit")]

mod loops;

use std::{ops::Range, sync::Mutex, thread};

use pulp::{Arch, Simd, WithSimd};

use super::plan::Csr;
use loops::{entries, products, softmax, weighted_sum};

/// Edges and rows that a block holds at least: small enough that its rows stay in the cache between two passes.
const BLOCK: usize = 1024;

/// Where the vector of a row and head lies in a flat table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Offset of the first vector.
    pub(crate) start: usize,
    /// Distance between rows.
    pub(crate) row: usize,
    /// Distance between heads; 0 where all heads share one vector.
    pub(crate) head: usize,
    /// Length of a vector.
    pub(crate) width: usize,
    /// Whether one more number follows, which stands against a constant 1 at the other end.
    pub(crate) affine: bool,
}

/// Read-only vectors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) layout: Layout,
}

/// One relation's part in a pass over targets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inflow<'a> {
    pub(crate) lists: &'a Csr,
    /// Per target: queries forward, gradients backward.
    pub(crate) left: Table<'a>,
    /// Per source, multiplied with `left`: keys forward, values backward.
    pub(crate) right: Table<'a>,
    /// Per source, summed under the result: values forward, keys backward.
    pub(crate) summed: Table<'a>,
    /// Number of the output that takes the sum, and where in it.
    pub(crate) output: usize,
    pub(crate) layout: Layout,
    /// `[edges, heads]`: the forward pass's weights; none while that is what is computed.
    pub(crate) weights: Option<&'a [f32]>,
}

/// One sum over the lists by source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outflow<'a> {
    /// `[edges, heads]`.
    pub(crate) weights: &'a [f32],
    /// Per target.
    pub(crate) summed: Table<'a>,
    pub(crate) layout: Layout,
}

/// Rows of one thread's turn, with the parts of each relation's edges and of each output that belong to them.
struct Block<'a> {
    rows: Range<usize>,
    edges: Vec<&'a mut [f32]>,
    outputs: Vec<&'a mut [f32]>,
}

/// Boundaries of blocks of rows with about the same number of edges.
pub(crate) fn blocks(lists: &[&Csr]) -> Vec<usize> {
    let rows = lists.first().map_or(0, |lists| lists.rows());
    let mut boundaries = vec![0];
    let mut work = 0;
    for row in 0..rows {
        let edges = |lists: &&Csr| (lists.starts[row + 1] - lists.starts[row]) as usize;
        work += 1 + lists.iter().map(edges).sum::<usize>();
        if work >= BLOCK || row + 1 == rows {
            boundaries.push(row + 1);
            work = 0;
        }
    }
    boundaries
}

/// Computes one number per edge and head of every relation into a kind, and writes the sums to `outputs`, which come
/// with their distance between rows; without any relation it writes nothing.
pub(crate) fn into_targets(
    (blocks, heads, threads): (&[usize], usize, usize),
    inflows: &[Inflow<'_>],
    mut edges: Vec<&mut [f32]>,
    mut outputs: Vec<(&mut [f32], usize)>,
) {
    let parts = blocks.windows(2).map(|bounds| {
        let rows = bounds[0]..bounds[1];
        let of = |inflow: &Inflow<'_>| entries(inflow.lists, &rows).len() * heads;
        let edges = edges
            .iter_mut()
            .zip(inflows)
            .map(|(edges, inflow)| edges.split_off_mut(..of(inflow)).unwrap_or_default());
        let outputs =
            outputs.iter_mut().map(|(data, row)| data.split_off_mut(..rows.len() * *row).unwrap_or_default());
        Block { edges: edges.collect(), outputs: outputs.collect(), rows: rows.clone() }
    });
    let arch = Arch::new();
    parallel(parts.collect(), threads, |block| arch.dispatch(Attend { block, inflows, heads }));
}

/// Adds what flows back to the sources of one relation to `output`, whose rows lie `row` apart.
pub(crate) fn into_sources(
    (lists, blocks, heads, threads): (&Csr, &[usize], usize, usize),
    outflows: &[Outflow<'_>],
    (mut output, row): (&mut [f32], usize),
) {
    let parts = blocks.windows(2).map(|bounds| {
        let rows = bounds[0]..bounds[1];
        (output.split_off_mut(..rows.len() * row).unwrap_or_default(), rows)
    });
    let arch = Arch::new();
    parallel(parts.collect(), threads, |(part, rows)| {
        arch.dispatch(FlowBack { lists, outflows, heads, part, rows });
    });
}

/// Runs `work` on every part, each taken by the next free thread.
fn parallel<T: Send>(parts: Vec<T>, threads: usize, work: impl Fn(T) + Sync) {
    let helpers = threads.min(parts.len()).saturating_sub(1);
    if helpers == 0 {
        parts.into_iter().for_each(work);
        return;
    }
    let queue = Mutex::new(parts.into_iter());
    let next = || queue.lock().ok().and_then(|mut queue| queue.next());
    let drain = || {
        while let Some(part) = next() {
            work(part);
        }
    };
    thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(drain);
        }
        drain();
    });
}

/// A block of targets, with the vector instructions that this processor has.
struct Attend<'a> {
    block: Block<'a>,
    inflows: &'a [Inflow<'a>],
    heads: usize,
}

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut block, inflows, heads } = self;
        let rows = block.rows.clone();
        for (inflow, out) in inflows.iter().zip(&mut block.edges) {
            products(simd, inflow, rows.clone(), heads, out);
        }
        block.outputs.iter_mut().for_each(|output| output.fill(0.0));
        let mut scratch = vec![0.0; 2 * heads];
        for row in rows.clone() {
            softmax(row, rows.start, inflows, &mut block.edges, scratch.split_at_mut(heads));
        }
        for (inflow, weights) in inflows.iter().zip(&block.edges) {
            let first = inflow.lists.starts[rows.start] as usize;
            if let Some(output) = block.outputs.get_mut(inflow.output) {
                let output = (&mut **output, inflow.layout);
                let weight = |entry: usize| entry - first;
                weighted_sum(
                    simd,
                    inflow.lists,
                    rows.clone(),
                    (weights, heads),
                    weight,
                    inflow.summed,
                    output,
                );
            }
        }
    }
}

/// A block of sources.
struct FlowBack<'a> {
    lists: &'a Csr,
    outflows: &'a [Outflow<'a>],
    heads: usize,
    part: &'a mut [f32],
    rows: Range<usize>,
}

impl WithSimd for FlowBack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for outflow in self.outflows {
            let weight = |entry: usize| self.lists.edge[entry] as usize;
            let (weights, part) = ((outflow.weights, self.heads), (&mut *self.part, outflow.layout));
            weighted_sum(simd, self.lists, self.rows.clone(), weights, weight, outflow.summed, part);
        }
    }
}

#[cfg(test)]
mod tests;
