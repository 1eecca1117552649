//! The Heterogeneous Graph Transformer (Hu et al. 2020) on a whole graph at once: every row of every kind in each
//! step, as `PyTorch` Geometric's `HGTConv` computes it, and much faster on a processor.
//!
//! What makes it fast: only kinds and relations that reach the logits are computed; the matrices of a node kind and of a
//! relation are multiplied with one another before they meet any row; attention runs over neighbour lists
//! without a row per edge; and gradients of rows are written out, so that libtorch's own differentiation sees only the
//! small products of matrices.

mod input;
mod kernel;
mod layer;
mod plan;
#[cfg(test)]
mod tests;
mod weights;

use std::{collections::HashMap, error::Error, path::Path};

use tch::{Kind, Tensor};

pub use input::{FullGraph, Relation};
use layer::{Layer, LayerTape, Shape, States};
use plan::Plan;
use weights::{StepWeights, Weights};

/// Why a graph or weights cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FullGraphError {
    /// libtorch refused an operation.
    #[error("libtorch failed while {doing}")]
    Torch {
        /// What was attempted.
        doing: &'static str,
        /// libtorch's own words.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file lacks a tensor.
    #[error("tensor `{0}` is missing")]
    Missing(String),
    /// A tensor has another shape, or does not hold floats.
    #[error(
        "tensor `{name}` has the shape {found:?} or another type, the graph asks for {expected:?} of f32"
    )]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<i64>,
        /// The shape it should have.
        expected: Vec<i64>,
    },
    /// Values contradict one another.
    #[error("{0}")]
    Mismatch(String),
}

impl FullGraphError {
    fn torch(doing: &'static str) -> impl Fn(tch::TchError) -> Self {
        move |source| Self::Torch { doing, source: Box::new(source) }
    }
}

/// Sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Width of hidden states.
    pub hidden: usize,
    /// Heads of attention; a divisor of `hidden`.
    pub heads: usize,
    /// Layers.
    pub layers: usize,
}

/// What the forward pass leaves for the backward one, beside the layers' tapes.
struct Pass {
    /// Hidden states below the lowest layer.
    inputs: States,
    /// Hidden states of the seeds above the highest.
    top: Tensor,
    /// `[seeds, classes]`.
    logits: Tensor,
}

/// The network with its weights, bound to one graph.
#[derive(Debug)]
pub struct Hgt {
    plan: Plan,
    shape: Shape,
    features: Vec<Tensor>,
    weights: Weights,
    tapes: Vec<LayerTape>,
}

impl Hgt {
    /// Reads the reference's weights.
    pub fn from_safetensors(
        path: impl AsRef<Path>,
        graph: &FullGraph,
        settings: Settings,
    ) -> Result<Self, FullGraphError> {
        let weights = Tensor::read_safetensors(path).map_err(FullGraphError::torch("reading the weights"))?;
        Self::new(weights.into_iter().collect(), graph, settings)
    }

    /// Takes weights by their names in `PyTorch` Geometric.
    pub fn new(
        weights: HashMap<String, Tensor>,
        graph: &FullGraph,
        settings: Settings,
    ) -> Result<Self, FullGraphError> {
        let Settings { hidden, heads, layers } = settings;
        if heads == 0 || hidden == 0 || !hidden.is_multiple_of(heads) {
            return Err(FullGraphError::Mismatch(format!("{heads} heads do not share a width of {hidden}")));
        }
        let plan = Plan::new(graph, hidden, heads, layers)?;
        let weights = Weights::new(weights, graph, &plan, settings)?;
        let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
        Ok(Self {
            shape: Shape { hidden, heads, threads },
            features: graph.features().map(Tensor::shallow_clone).collect(),
            tapes: (0..layers).map(|_| LayerTape::default()).collect(),
            weights,
            plan,
        })
    }

    /// Takes `threads` for attention, as many as libtorch otherwise; the result is the same.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.shape.threads = threads;
        self
    }

    /// Returns `[seeds, classes]`.
    pub fn logits(&self) -> Tensor {
        let mut tapes: Vec<LayerTape> = self.tapes.iter().map(|_| LayerTape::default()).collect();
        tch::no_grad(|| self.forward(&self.weights.for_step(), &mut tapes).logits)
    }

    /// Takes one step of Adam on all seeds and returns the mean cross entropy before it; `labels` are `[seeds]` of
    /// i64.
    pub fn step(&mut self, labels: &Tensor, learning_rate: f64) -> Result<f64, FullGraphError> {
        let (loss, slope) = self.loss_and_slope(labels)?;
        self.weights.adam(&slope, learning_rate);
        Ok(loss)
    }

    fn loss_and_slope(&mut self, labels: &Tensor) -> Result<(f64, Tensor), FullGraphError> {
        let seeds = self.plan.rows[self.plan.seed] as i64;
        let classes = self.weights.classes();
        let fits = labels.kind() == Kind::Int64 && labels.size() == [seeds] && seeds > 0;
        if !fits || labels.min().int64_value(&[]) < 0 || labels.max().int64_value(&[]) >= classes {
            let wanted = format!("labels must be {seeds} numbers of i64 from 0 to {}", classes - 1);
            return Err(FullGraphError::Mismatch(wanted));
        }
        let weights = self.weights.for_step();
        let mut tapes = std::mem::take(&mut self.tapes);
        let (loss, slopes) = tch::no_grad(|| {
            let pass = self.forward(&weights, &mut tapes);
            let log = pass.logits.log_softmax(1, Kind::Float);
            let slope = (log.exp() - labels.one_hot(classes)) / seeds as f64;
            (log.nll_loss(labels), self.backward(&weights, &pass, &slope, &mut tapes))
        });
        self.tapes = tapes;
        let loss = loss.f_double_value(&[]).map_err(FullGraphError::torch("reading the loss"))?;
        Ok((loss, self.weights.slope(&weights, &slopes)?))
    }

    fn layer<'a>(&'a self, weights: &'a StepWeights, number: usize) -> Layer<'a> {
        Layer { plan: &self.plan.layers[number], weights: &weights.layers[number], shape: self.shape }
    }

    fn forward(&self, weights: &StepWeights, tapes: &mut [LayerTape]) -> Pass {
        let mut inputs: States = self.features.iter().map(|_| None).collect();
        for kind in self.plan.inputs.iter().copied() {
            inputs[kind] = Some(layer::affine(&self.features[kind], &weights.inputs[kind]).relu_());
        }
        let mut states: States =
            inputs.iter().map(|state| state.as_ref().map(Tensor::shallow_clone)).collect();
        for (number, tape) in tapes.iter_mut().enumerate() {
            states = self.layer(weights, number).forward(states, tape);
        }
        let top = states[self.plan.seed].take().unwrap_or_default();
        Pass { inputs, logits: layer::affine(&top, &weights.head), top }
    }

    /// Returns the gradients of all matrices; `slope` is that of the logits.
    fn backward(
        &self,
        weights: &StepWeights,
        pass: &Pass,
        slope: &Tensor,
        tapes: &mut [LayerTape],
    ) -> StepWeights {
        let slopes = weights.zeros_like();
        layer::affine_slopes(&pass.top, slope, &slopes.head);
        let mut states: States = self.features.iter().map(|_| None).collect();
        states[self.plan.seed] = Some(slope.mm(&weights.head.narrow(1, 0, self.shape.hidden as i64)));
        for (number, tape) in tapes.iter_mut().enumerate().rev() {
            states = self.layer(weights, number).backward(states, tape, &slopes.layers[number]);
        }
        for (kind, (state, slope)) in pass.inputs.iter().zip(&states).enumerate() {
            if let (Some(state), Some(slope)) = (state, slope) {
                let slope = state.threshold_backward(slope, 0.0);
                layer::affine_slopes(&self.features[kind], &slope, &slopes.inputs[kind]);
            }
        }
        slopes
    }
}
