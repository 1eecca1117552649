//! Where training stands, so that a run that was killed goes on where it was and ends with the same bits.
//!
//! # Example
//! ```
//! use std::{cell::RefCell, collections::BTreeMap, error::Error};
//! use model::Checkpoints;
//! #[derive(Default)]
//! struct InMemory(RefCell<BTreeMap<String, Vec<u8>>>);
//! impl Checkpoints for InMemory {
//!     fn load(&self, name: &str) -> Option<Vec<u8>> { self.0.borrow().get(name).cloned() }
//!     fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
//!         self.0.borrow_mut().insert(name.to_owned(), bytes.to_vec());
//!         Ok(())
//!     }
//! }
//! let kept = InMemory::default();
//! kept.save("hgt-0-fit", b"weights").unwrap();
//! assert!(kept.load("hgt-1-fit").is_none());
//! ```

use std::{collections::BTreeMap, error::Error, io::Cursor};

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::{
    ModelError,
    adam::AdamW,
    fit::{Earned, Member},
};

/// Keeps checkpoints by name; a checkpoint is whole or absent.
///
/// They belong to one training: other data or settings need another place.
pub trait Checkpoints {
    /// Returns what was kept under a name.
    fn load(&self, name: &str) -> Option<Vec<u8>>;

    /// Keeps bytes under a name, in place of what was there.
    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>>;
}

impl Checkpoints for () {
    fn load(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, _: &str, _: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// Where a fit stands between two mini-batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Epoch under way, from 1.
    pub(crate) epoch: usize,
    /// Mini-batches of it that are done.
    pub(crate) batch: usize,
    /// Sum of their losses.
    pub(crate) sum: f64,
    /// Steps of the optimizer.
    pub(crate) steps: i32,
    /// Loss and epoch of the best weights so far.
    pub(crate) best: Option<(f64, usize)>,
    /// Whether no further epoch is worth training.
    pub(crate) stopped: bool,
    /// Set when the fit is over: epoch kept, epochs run, validation loss, what the member has earned.
    pub(crate) over: Option<(usize, usize, Option<f64>, Earned)>,
}

/// Writes a fit's standing with all its tensors.
pub(crate) fn to_bytes(
    standing: &Standing,
    member: &Member,
    adam: &AdamW,
    best: &[(String, Tensor)],
) -> Result<Vec<u8>, ModelError> {
    let json = serde_json::to_vec(standing).map_err(ModelError::ModelFile)?;
    let mut named: BTreeMap<String, Tensor> = BTreeMap::new();
    named.insert("standing".to_owned(), Tensor::from_slice(&json));
    let weights = member.store.variables().into_iter().map(|(name, tensor)| (format!("now.{name}"), tensor));
    let best = best.iter().map(|(name, tensor)| (format!("best.{name}"), tensor.shallow_clone()));
    named.extend(weights.chain(best).chain(adam.state().1));
    let named: Vec<(String, Tensor)> =
        named.into_iter().map(|(name, tensor)| (name, tensor.detach().to_device(Device::Cpu))).collect();
    let mut bytes = Vec::new();
    Tensor::save_multi_to_stream(&named, &mut bytes).map_err(ModelError::torch("writing a checkpoint"))?;
    Ok(bytes)
}

/// A checkpoint as it was read.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) standing: Standing,
    tensors: BTreeMap<String, Tensor>,
}

impl Kept {
    /// Reads a checkpoint; none where the bytes are none.
    pub(crate) fn read(bytes: &[u8], device: Device) -> Option<Self> {
        let tensors = Tensor::load_multi_from_stream_with_device(Cursor::new(bytes), device).ok()?;
        let tensors: BTreeMap<String, Tensor> = tensors.into_iter().collect();
        let json = Vec::<u8>::try_from(&tensors.get("standing")?.to_device(Device::Cpu)).ok()?;
        Some(Self { standing: serde_json::from_slice(&json).ok()?, tensors })
    }

    /// Returns a tensor by its name.
    pub(crate) fn find(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Whether it holds every weight of the member in its shape: one of another build does not.
    pub(crate) fn fits(&self, member: &Member) -> bool {
        let same = |(name, variable): (String, Tensor)| {
            self.find(&format!("now.{name}")).is_some_and(|kept| kept.size() == variable.size())
        };
        member.store.variables().into_iter().all(same)
    }

    /// Gives the member the weights that it had.
    pub(crate) fn restore(&self, member: &Member) -> Result<(), ModelError> {
        for (name, mut variable) in member.store.variables() {
            let kept = self.find(&format!("now.{name}")).ok_or_else(|| ModelError::Weights(name.clone()))?;
            tch::no_grad(|| variable.f_copy_(kept)).map_err(ModelError::torch("taking up a checkpoint"))?;
        }
        Ok(())
    }

    /// Returns the best weights so far, by name.
    pub(crate) fn best(&self) -> Vec<(String, Tensor)> {
        let best =
            self.tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix("best.")?, tensor)));
        best.map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())).collect()
    }
}
