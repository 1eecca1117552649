//! Where the numbers of a layer lie, and affine maps.

use tch::{Kind, Tensor};

use crate::full_graph::kernel::Layout;

/// Sizes, and how many threads attention may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) threads: usize,
}

impl Shape {
    /// Width of a head.
    pub(super) fn width(self) -> usize {
        self.hidden / self.heads
    }

    /// Heads behind one another in rows of `row` numbers.
    pub(super) fn plain(self, start: usize, row: usize) -> Layout {
        Layout { start, row, head: self.width(), width: self.width(), affine: false }
    }

    /// Hidden states, the same for all heads.
    pub(super) fn shared(self) -> Layout {
        Layout { start: 0, row: self.hidden, head: 0, width: self.hidden, affine: false }
    }

    /// `[heads, targets, hidden + 1]`.
    pub(super) fn asked(self, targets: usize) -> Layout {
        let row = self.hidden + 1;
        Layout { start: 0, row, head: targets * row, width: self.hidden, affine: true }
    }

    /// `[targets, heads, hidden + 1]`.
    pub(super) fn heard(self) -> Layout {
        let head = self.hidden + 1;
        Layout { start: 0, row: self.heads * head, head, width: self.hidden, affine: true }
    }

    /// `[rows, hidden]` → `[heads, rows, D]`.
    pub(super) fn by_head(self, states: &Tensor) -> Tensor {
        states.view([-1, self.heads as i64, self.width() as i64]).transpose(0, 1)
    }

    /// `[targets, heads, hidden + 1]` → `[heads, targets, hidden + 1]`.
    pub(super) fn sums(self, sums: &[f32]) -> Tensor {
        Tensor::from_slice(sums).view([-1, self.heads as i64, self.hidden as i64 + 1]).transpose(0, 1)
    }
}

/// `[rows, in]` → `[rows, out]` by `[out, in + 1]`, whose last column is the bias.
pub(crate) fn affine(states: &Tensor, weight: &Tensor) -> Tensor {
    let width = weight.size()[1] - 1;
    weight.select(1, width).addmm(states, &weight.narrow(1, 0, width).tr())
}

/// Sets `slope`, the gradient of the weight in [`affine`], by `slopes`, those of its result.
pub(crate) fn affine_slopes(states: &Tensor, slopes: &Tensor, slope: &Tensor) {
    let width = slope.size()[1] - 1;
    slope.narrow(1, 0, width).copy_(&slopes.tr().mm(states));
    slope.select(1, width).copy_(&slopes.sum_dim_intlist(0, false, Kind::Float));
}
