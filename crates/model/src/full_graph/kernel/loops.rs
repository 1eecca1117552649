//! The movements themselves, compiled once for each width and vector unit.

use std::ops::Range;

use pulp::Simd;

use super::{Csr, Inflow, Layout, Table};

impl Layout {
    /// Whether the heads of a row lie behind one another, with nothing between them.
    #[inline(always)]
    fn is_plain(self) -> bool {
        self.head == self.width && !self.affine
    }

    /// Offset of a vector.
    #[inline(always)]
    fn at(self, row: usize, head: usize) -> usize {
        self.start + row * self.row + head * self.head
    }

    /// Length of a vector, a constant unless `W` is 0.
    #[inline(always)]
    fn vector<const W: usize>(self) -> usize {
        if W == 0 { self.width } else { W }
    }
}

impl<'a> Table<'a> {
    /// One vector.
    #[inline(always)]
    fn get<const W: usize>(self, row: usize, head: usize) -> &'a [f32] {
        let at = self.layout.at(row, head);
        &self.data[at..at + self.layout.vector::<W>()]
    }

    /// All heads of a row of a plain layout.
    #[inline(always)]
    fn heads(self, row: usize, length: usize) -> &'a [f32] {
        &self.data[self.layout.at(row, 0)..][..length]
    }

    /// The number against a constant 1.
    #[inline(always)]
    fn constant(self, row: usize, head: usize) -> f32 {
        if self.layout.affine { self.data[self.layout.at(row, head) + self.layout.width] } else { 0.0 }
    }
}

/// Entries of the lists of `rows`.
#[inline(always)]
pub(super) fn entries(lists: &Csr, rows: &Range<usize>) -> Range<usize> {
    lists.starts[rows.start] as usize..lists.starts[rows.end] as usize
}

/// Turns scores into weights, or slopes of weights into slopes of scores, over all relations into one row.
#[inline(always)]
pub(super) fn softmax(
    row: usize,
    first: usize,
    inflows: &[Inflow<'_>],
    edges: &mut [&mut [f32]],
    (most, sum): (&mut [f32], &mut [f32]),
) {
    let heads = sum.len();
    let of = |inflow: &Inflow<'_>| {
        let all = entries(inflow.lists, &(row..row + 1));
        let skipped = inflow.lists.starts[first] as usize;
        (all.start * heads..all.end * heads, (all.start - skipped) * heads..(all.end - skipped) * heads)
    };
    most.fill(f32::NEG_INFINITY);
    sum.fill(0.0);
    for (inflow, edges) in inflows.iter().zip(edges.iter()) {
        let (all, local) = of(inflow);
        for (i, edges) in edges[local].chunks_exact(heads).enumerate() {
            match inflow.weights {
                None => most.iter_mut().zip(edges).for_each(|(most, score)| *most = most.max(*score)),
                Some(weights) => {
                    let weights = &weights[all.start + i * heads..][..heads];
                    for ((sum, weight), slope) in sum.iter_mut().zip(weights).zip(edges) {
                        *sum += weight * slope;
                    }
                }
            }
        }
    }
    for (inflow, edges) in inflows.iter().zip(edges.iter_mut()) {
        let (all, local) = of(inflow);
        for (i, edges) in edges[local].chunks_exact_mut(heads).enumerate() {
            match inflow.weights {
                None => {
                    for ((edge, most), sum) in edges.iter_mut().zip(most.iter()).zip(sum.iter_mut()) {
                        *edge = (*edge - most).exp();
                        *sum += *edge;
                    }
                }
                Some(weights) => {
                    let weights = &weights[all.start + i * heads..][..heads];
                    for ((edge, weight), sum) in edges.iter_mut().zip(weights).zip(sum.iter()) {
                        *edge = weight * (*edge - sum);
                    }
                }
            }
        }
    }
    for (inflow, edges) in inflows.iter().zip(edges.iter_mut()).filter(|(i, _)| i.weights.is_none()) {
        let (_, local) = of(inflow);
        for edges in edges[local].chunks_exact_mut(heads) {
            edges.iter_mut().zip(sum.iter()).for_each(|(edge, sum)| *edge /= sum + 1e-16);
        }
    }
}

/// Calls `$work` with the width as a constant where it is a usual one, so that the compiler unrolls the loops.
macro_rules! with_width {
    ($width:expr, $work:ident($($argument:expr),*)) => {
        match $width {
            16 => $work::<16, S>($($argument),*),
            32 => $work::<32, S>($($argument),*),
            64 => $work::<64, S>($($argument),*),
            _ => $work::<0, S>($($argument),*),
        }
    };
}

/// The product of both ends of each edge, per head.
#[inline(always)]
pub(super) fn products<S: Simd>(
    simd: S,
    inflow: &Inflow<'_>,
    rows: Range<usize>,
    heads: usize,
    out: &mut [f32],
) {
    with_width!(inflow.left.layout.width, products_of(simd, inflow, rows, heads, out));
}

#[inline(always)]
fn products_of<const W: usize, S: Simd>(
    simd: S,
    inflow: &Inflow<'_>,
    rows: Range<usize>,
    heads: usize,
    out: &mut [f32],
) {
    let (left, right) = (inflow.left, inflow.right);
    let width = left.layout.vector::<W>();
    let plain = left.layout.is_plain() && right.layout.is_plain();
    let mut out = out.chunks_exact_mut(heads);
    for row in rows {
        let list = &inflow.lists.other[entries(inflow.lists, &(row..row + 1))];
        for (&source, out) in list.iter().zip(&mut out) {
            if plain {
                let left = left.heads(row, heads * width).chunks_exact(width);
                let right = right.heads(source as usize, heads * width).chunks_exact(width);
                out.iter_mut()
                    .zip(left.zip(right))
                    .for_each(|(out, (left, right))| *out = dot(simd, left, right));
                continue;
            }
            for (head, out) in out.iter_mut().enumerate() {
                let (left_part, right_part) =
                    (left.get::<W>(row, head), right.get::<W>(source as usize, head));
                *out = dot(simd, left_part, right_part) + left.constant(row, head);
            }
        }
    }
}

/// Adds to each row the vectors at the other ends of its list, weighted; `part` holds the rows of `rows`.
#[inline(always)]
pub(super) fn weighted_sum<S: Simd>(
    simd: S,
    lists: &Csr,
    rows: Range<usize>,
    weights: (&[f32], usize),
    weight: impl Fn(usize) -> usize,
    summed: Table<'_>,
    part: (&mut [f32], Layout),
) {
    with_width!(part.1.width, weighted_sum_of(simd, lists, rows, weights, weight, summed, part));
}

#[inline(always)]
fn weighted_sum_of<const W: usize, S: Simd>(
    simd: S,
    lists: &Csr,
    rows: Range<usize>,
    (weights, heads): (&[f32], usize),
    weight: impl Fn(usize) -> usize,
    summed: Table<'_>,
    (part, layout): (&mut [f32], Layout),
) {
    let width = layout.vector::<W>();
    let plain = layout.is_plain() && summed.layout.is_plain();
    for (local, row) in rows.enumerate() {
        for entry in entries(lists, &(row..row + 1)) {
            let weights = &weights[weight(entry) * heads..][..heads];
            if plain {
                let sums = part[layout.at(local, 0)..][..heads * width].chunks_exact_mut(width);
                let values = summed.heads(lists.other[entry] as usize, heads * width).chunks_exact(width);
                for ((sum, value), weight) in sums.zip(values).zip(weights) {
                    add_scaled(simd, sum, *weight, value);
                }
                continue;
            }
            for (head, weight) in weights.iter().enumerate() {
                let at = layout.at(local, head);
                add_scaled(
                    simd,
                    &mut part[at..at + width],
                    *weight,
                    summed.get::<W>(lists.other[entry] as usize, head),
                );
                if layout.affine {
                    part[at + width] += weight;
                }
            }
        }
    }
}

#[inline(always)]
fn dot<S: Simd>(simd: S, left: &[f32], right: &[f32]) -> f32 {
    let ((left, left_rest), (right, right_rest)) = (S::as_simd_f32s(left), S::as_simd_f32s(right));
    let mut lanes = simd.splat_f32s(0.0);
    for (left, right) in left.iter().zip(right) {
        lanes = simd.mul_add_f32s(*left, *right, lanes);
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    simd.reduce_sum_f32s(lanes) + rest
}

#[inline(always)]
fn add_scaled<S: Simd>(simd: S, sum: &mut [f32], weight: f32, values: &[f32]) {
    let ((sum, sum_rest), (values, values_rest)) = (S::as_mut_simd_f32s(sum), S::as_simd_f32s(values));
    let lanes = simd.splat_f32s(weight);
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum = simd.mul_add_f32s(lanes, *value, *sum);
    }
    sum_rest.iter_mut().zip(values_rest).for_each(|(sum, value)| *sum += weight * value);
}
