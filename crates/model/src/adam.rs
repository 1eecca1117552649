//! `AdamW` (Loshchilov and Hutter 2019) whose state can be kept and taken up again to the bit.

use tch::{Kind, Tensor};

use crate::ModelError;

const FIRST_DECAY: f64 = 0.9;
const SECOND_DECAY: f64 = 0.999;
const TINY: f64 = 1e-8;

/// Named parameters with their running moments.
#[derive(Debug)]
pub(crate) struct AdamW {
    parameters: Vec<(String, Tensor)>,
    first: Vec<Tensor>,
    second: Vec<Tensor>,
    steps: i32,
    weight_decay: f64,
}

impl AdamW {
    /// Starts with moments of 0.
    pub(crate) fn new(parameters: Vec<(String, Tensor)>, weight_decay: f64) -> Self {
        let zeros = || parameters.iter().map(|(_, parameter)| parameter.detach().zeros_like()).collect();
        let (first, second) = (zeros(), zeros());
        Self { parameters, first, second, steps: 0, weight_decay }
    }

    /// Steps down the gradient of `loss`, whose norm over all parameters is cut to `clip_norm`.
    pub(crate) fn step(&mut self, loss: &Tensor, rate: f64, clip_norm: f64) -> Result<(), ModelError> {
        for (_, parameter) in &mut self.parameters {
            parameter.zero_grad();
        }
        loss.f_backward().map_err(ModelError::torch("taking a gradient"))?;
        self.steps += 1;
        tch::no_grad(|| self.move_parameters(rate, clip_norm)).map_err(ModelError::torch("taking a step"))
    }

    fn move_parameters(&mut self, rate: f64, clip_norm: f64) -> Result<(), tch::TchError> {
        let gradients: Vec<Tensor> = self.parameters.iter().map(|(_, parameter)| parameter.grad()).collect();
        let squares: Vec<Tensor> = gradients
            .iter()
            .filter(|gradient| gradient.defined())
            .map(|gradient| gradient.square().sum(Kind::Float))
            .collect();
        if squares.is_empty() {
            return Ok(());
        }
        let norm = Tensor::f_stack(&squares, 0)?.sum(Kind::Float).sqrt().double_value(&[]);
        let scale = (clip_norm / (norm + 1e-6)).min(1.0);
        let first_bias = 1.0 - FIRST_DECAY.powi(self.steps);
        let second_bias = (1.0 - SECOND_DECAY.powi(self.steps)).sqrt();
        for (i, (_, parameter)) in self.parameters.iter_mut().enumerate() {
            if !gradients[i].defined() {
                continue;
            }
            let gradient = &gradients[i] * scale;
            let _decayed = parameter.f_mul_scalar_(1.0 - rate * self.weight_decay)?;
            let _first = self.first[i].f_lerp_(&gradient, 1.0 - FIRST_DECAY)?;
            let squared = gradient.square() * (1.0 - SECOND_DECAY);
            let _second = self.second[i].f_mul_scalar_(SECOND_DECAY)?.f_add_(&squared)?;
            let spread = self.second[i].sqrt() / second_bias + TINY;
            let _moved = parameter.f_sub_(&(&self.first[i] / spread * (rate / first_bias)))?;
        }
        Ok(())
    }

    /// Returns the number of steps and the moments by name.
    pub(crate) fn state(&self) -> (i32, Vec<(String, Tensor)>) {
        let named = |kind: &str, moments: &[Tensor]| -> Vec<(String, Tensor)> {
            let names = self.parameters.iter().map(|(name, _)| format!("{kind}.{name}"));
            names.zip(moments.iter().map(Tensor::shallow_clone)).collect()
        };
        let mut state = named("first", &self.first);
        state.extend(named("second", &self.second));
        (self.steps, state)
    }

    /// Takes up a state again; `find` gives a moment by its name.
    pub(crate) fn restore<'a>(
        &mut self,
        steps: i32,
        find: &dyn Fn(&str) -> Option<&'a Tensor>,
    ) -> Result<(), ModelError> {
        self.steps = steps;
        for (kind, moments) in [("first", &mut self.first), ("second", &mut self.second)] {
            for ((name, _), moment) in self.parameters.iter().zip(moments.iter_mut()) {
                let name = format!("{kind}.{name}");
                let kept = find(&name).ok_or(ModelError::Weights(name))?;
                moment.f_copy_(kept).map_err(ModelError::torch("taking up a checkpoint"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, nn, nn::OptimizerConfig};

    use super::*;

    /// Ten steps on a small regression, by libtorch's own `AdamW` or by this one.
    fn train(own: bool) -> Vec<f64> {
        tch::manual_seed(5);
        let store = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(store.root() / "layer", 3, 2, nn::LinearConfig::default());
        let inputs = Tensor::randn([16, 3], (Kind::Float, Device::Cpu));
        let wanted = inputs.narrow(1, 0, 2) * 2.0 - 1.0;
        let mut libtorch = nn::AdamW { wd: 0.1, ..nn::AdamW::default() }.build(&store, 0.05).unwrap();
        let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        let mut adam = AdamW::new(variables, 0.1);
        let loss = || (inputs.apply(&layer) - &wanted).square().mean(Kind::Float);
        (0..10)
            .map(|_| {
                let loss = loss();
                if own {
                    adam.step(&loss, 0.05, 0.5).unwrap();
                } else {
                    libtorch.backward_step_clip_norm(&loss, 0.5);
                }
                loss.double_value(&[])
            })
            .collect()
    }

    #[test]
    fn its_steps_are_those_of_libtorch() {
        for (own, libtorch) in train(true).iter().zip(train(false)) {
            assert!((own - libtorch).abs() < 1e-5, "f32 steps: {own} for {libtorch}");
        }
    }
}
