//! Dense layers and activations over plain slices, for forecasts without libtorch.

use tch::{Device, Kind, Tensor, nn};

use crate::ModelError;

/// Copies a tensor's numbers, row-major.
pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<f32>, ModelError> {
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view(-1);
    Vec::<f32>::try_from(&flat).map_err(ModelError::torch("copying weights"))
}

/// `y = W x + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    outputs: usize,
    /// `[inputs, outputs]`, so that one input's row is added to all outputs at once.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// Copies the outputs `range` of a layer.
    pub(crate) fn part(layer: &nn::Linear, range: std::ops::Range<i64>) -> Result<Self, ModelError> {
        let length = range.end - range.start;
        let weights = layer.ws.narrow(0, range.start, length).transpose(0, 1);
        let bias = layer.bs.as_ref().map(|bias| numbers(&bias.narrow(0, range.start, length))).transpose()?;
        let outputs = length as usize;
        Ok(Self { outputs, weights: numbers(&weights)?, bias: bias.unwrap_or_else(|| vec![0.0; outputs]) })
    }

    /// Copies a layer.
    pub(crate) fn new(layer: &nn::Linear) -> Result<Self, ModelError> {
        Self::part(layer, 0..layer.ws.size()[0])
    }

    /// Applies the layer to one row.
    pub(crate) fn apply(&self, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(&self.bias);
        self.add(input, output);
    }

    /// Adds `W x` to one row.
    pub(crate) fn add(&self, input: &[f32], output: &mut [f32]) {
        for (x, row) in input.iter().zip(self.weights.chunks_exact(self.outputs)) {
            if *x != 0.0 {
                output.iter_mut().zip(row).for_each(|(y, w)| *y += x * w);
            }
        }
    }

    pub(crate) fn bias(&self) -> &[f32] {
        &self.bias
    }
}

/// Applies gelu as libtorch does by default: `x Φ(x)`.
pub(crate) fn gelu(values: &mut [f32]) {
    for value in values {
        *value *= 0.5 * (1.0 + libm::erff(*value * std::f32::consts::FRAC_1_SQRT_2));
    }
}

pub(crate) fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}
