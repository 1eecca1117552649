//! Dense layers and activations over plain slices, for forecasts without libtorch.

use tch::{Device, Kind, Tensor, nn};

use crate::ModelError;

/// Outputs whose sums are kept in registers while the inputs go by.
const LANES: usize = 16;

/// Copies a tensor's numbers, row-major.
pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<f32>, ModelError> {
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view(-1);
    Vec::<f32>::try_from(&flat).map_err(ModelError::torch("copying weights"))
}

/// `y = W x + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    outputs: usize,
    /// `[outputs / LANES, inputs, LANES]`, zero beyond the last output.
    weights: Vec<[f32; LANES]>,
    bias: Vec<f32>,
}

impl Linear {
    /// Copies a layer.
    pub(crate) fn new(layer: &nn::Linear) -> Result<Self, ModelError> {
        Self::of(&layer.ws, layer.bs.as_ref())
    }

    /// Copies `[outputs, inputs]` weights and their bias, zero without one.
    pub(crate) fn of(weights: &Tensor, bias: Option<&Tensor>) -> Result<Self, ModelError> {
        let (outputs, inputs) = (weights.size()[0] as usize, weights.size()[1] as usize);
        let bias = bias.map(numbers).transpose()?;
        let numbers = numbers(weights)?;
        let mut blocked = vec![[0.0; LANES]; outputs.div_ceil(LANES) * inputs];
        for (output, row) in numbers.chunks_exact(inputs.max(1)).enumerate() {
            let (block, lane) = (output / LANES, output % LANES);
            for (input, weight) in row.iter().enumerate() {
                blocked[block * inputs + input][lane] = *weight;
            }
        }
        Ok(Self { outputs, weights: blocked, bias: bias.unwrap_or_else(|| vec![0.0; outputs]) })
    }

    /// Returns the number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Applies the layer to one row.
    pub(crate) fn apply(&self, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(&self.bias);
        self.add(input, output);
    }

    /// Adds `W x` to one row, input by input.
    fn add(&self, input: &[f32], output: &mut [f32]) {
        let blocks = self.weights.chunks_exact(input.len().max(1));
        for (weights, output) in blocks.zip(output.chunks_mut(LANES)) {
            let mut sums = [0.0; LANES];
            sums[..output.len()].copy_from_slice(output);
            for (x, weights) in input.iter().zip(weights) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += x * weight;
                }
            }
            output.copy_from_slice(&sums[..output.len()]);
        }
    }
}

/// Adds `x M` to `output`; `matrix` is `[inputs, outputs]`.
pub(crate) fn multiply(input: &[f32], matrix: &[f32], output: &mut [f32]) {
    const NARROW: usize = 8;
    if let Ok(sums) = <&mut [f32; NARROW]>::try_from(&mut *output) {
        for (x, row) in input.iter().zip(matrix.as_chunks::<NARROW>().0) {
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += x * weight);
        }
        return;
    }
    for (x, row) in input.iter().zip(matrix.chunks_exact(output.len())) {
        output.iter_mut().zip(row).for_each(|(sum, weight)| *sum += x * weight);
    }
}

/// Applies gelu as libtorch does by default: `x Φ(x)`.
pub(crate) fn gelu(values: &mut [f32]) {
    for value in values {
        *value *= 0.5 * (1.0 + erf(*value * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The error function within 5e-7: the rational function of Eigen, without a branch so that several go at once.
fn erf(value: f32) -> f32 {
    let x = value.clamp(-4.0, 4.0);
    let square = x * x;
    let polynomial = |coefficients: &[f32]| coefficients.iter().fold(0.0, |sum, c| sum * square + c);
    let above = polynomial(&[
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ]);
    let below = polynomial(&[-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_474e-2]);
    x * above / below
}

pub(crate) fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_the_mathematical_library() {
        for step in -60_000..=60_000 {
            let x = step as f32 / 10_000.0;
            assert!((erf(x) - libm::erff(x)).abs() < 5e-7, "erf({x}) = {}, not {}", erf(x), libm::erff(x));
        }
    }

    #[test]
    fn a_layer_of_any_width_sums_as_libtorch_does() {
        for (inputs, outputs) in [(1, 1), (3, 16), (9, 5), (32, 33), (40, 64)] {
            let weights = Tensor::randn([outputs, inputs], (Kind::Float, Device::Cpu));
            let bias = Tensor::randn([outputs], (Kind::Float, Device::Cpu));
            let x = Tensor::randn([inputs], (Kind::Float, Device::Cpu));
            let wanted = numbers(&(weights.mv(&x) + &bias)).unwrap();
            let linear = Linear::of(&weights, Some(&bias)).unwrap();
            let mut found = vec![f32::NAN; linear.outputs()];
            linear.apply(&numbers(&x).unwrap(), &mut found);
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
            }
        }
    }

    #[test]
    fn matrices_narrow_and_wide_multiply_alike() {
        let matrix: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let mut narrow = vec![1.0; 8];
        multiply(&[1.0, 2.0, -1.0], &matrix, &mut narrow);
        let wanted: Vec<f32> =
            (0..8).map(|i| 1.0 + i as f32 + 2.0 * (8 + i) as f32 - (16 + i) as f32).collect();
        assert_eq!(narrow, wanted);
        let mut wide = vec![1.0; 12];
        multiply(&[1.0, 2.0], &matrix, &mut wide);
        assert_eq!(wide[..1], [1.0 + 24.0]);
    }
}
