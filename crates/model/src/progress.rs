//! How training tells its caller where it stands.
//!
//! # Example
//! ```
//! use model::{Progress, Step};
//! struct Count(usize);
//! impl Progress for Count {
//!     fn step(&mut self, _: &Step) { self.0 += 1; }
//! }
//! let mut nobody = ();
//! let watchers: [&mut dyn Progress; 2] = [&mut Count(0), &mut nobody];
//! assert_eq!(watchers.len(), 2);
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which inputs a member sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// No price reaches it.
    Hgt,
    /// Lines, books and the consensus are among its inputs.
    HgtMarket,
}

impl Variant {
    /// Both, the one without prices first.
    pub const ALL: [Self; 2] = [Self::Hgt, Self::HgtMarket];

    /// Returns the name in tables and checkpoints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hgt => "hgt",
            Self::HgtMarket => "hgt_market",
        }
    }

    /// Returns the name of the linear part alone, without messages.
    pub fn linear_name(self) -> &'static str {
        match self {
            Self::Hgt => "linear",
            Self::HgtMarket => "linear_market",
        }
    }

    /// Whether it sees prices.
    pub fn uses_market(self) -> bool {
        self == Self::HgtMarket
    }
}

/// What a fit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// On the training games, to be scored.
    Fit,
    /// On all games, to be deployed.
    Refit,
    /// On all games, from where yesterday's member stood.
    Update,
}

/// Where training stands after one mini-batch, or at the end of an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Inputs of the member.
    pub variant: Variant,
    /// Member, from 0.
    pub member: usize,
    /// Members of each variant.
    pub members: usize,
    /// What the fit is for.
    pub stage: Stage,
    /// Epoch, from 1.
    pub epoch: usize,
    /// Most epochs of this fit.
    pub epochs: usize,
    /// Mini-batches done in this epoch.
    pub batch: usize,
    /// Mini-batches per epoch.
    pub batches: usize,
    /// Mean training loss of the epoch so far.
    pub loss: f64,
    /// Loss on the validation games, at the end of an epoch of a [`Stage::Fit`].
    pub validation_loss: Option<f64>,
    /// Time since this fit began.
    pub elapsed: Duration,
}

/// Watches training; `()` watches nothing.
pub trait Progress {
    /// Called after every mini-batch and at the end of every epoch.
    fn step(&mut self, step: &Step);
}

impl Progress for () {
    fn step(&mut self, _: &Step) {}
}
