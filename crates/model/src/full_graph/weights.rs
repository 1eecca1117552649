//! All parameters in one flat vector, the products of them that a step works with, and Adam.

use std::collections::HashMap;

use tch::{Kind, Tensor};

use super::{FullGraph, FullGraphError, Settings, plan::Plan};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Matrices of one layer; D = hidden / heads, the last column of each matrix is its bias.
#[derive(Debug)]
pub(crate) struct LayerWeights {
    /// `[live relations, 2, heads, D, hidden + 1]`: hidden state of a source to its keys, scaled by the relation's
    /// prior, and to its values.
    pub(crate) relations: Tensor,
    /// `[kinds, hidden, hidden + 1]`: hidden state of a target to its queries.
    pub(crate) query: Tensor,
    /// `[kinds, hidden, hidden + 1]`: activated message to the hidden state, times the share of what is new.
    pub(crate) out: Tensor,
    /// `[kinds]`: share of the hidden state that stays.
    pub(crate) keep: Tensor,
}

impl LayerWeights {
    fn tensors(&self) -> [&Tensor; 4] {
        [&self.relations, &self.query, &self.out, &self.keep]
    }
}

/// Every matrix of a step, or the gradients of all of them.
#[derive(Debug)]
pub(crate) struct StepWeights {
    /// `[hidden, features + 1]` of each kind.
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) layers: Vec<LayerWeights>,
    /// `[classes, hidden + 1]`.
    pub(crate) head: Tensor,
}

impl StepWeights {
    fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        let layers = self.layers.iter().flat_map(LayerWeights::tensors);
        self.inputs.iter().chain(layers).chain([&self.head])
    }

    /// Same shapes, filled with zeros.
    pub(crate) fn zeros_like(&self) -> Self {
        let layer = |layer: &LayerWeights| LayerWeights {
            relations: layer.relations.zeros_like(),
            query: layer.query.zeros_like(),
            out: layer.out.zeros_like(),
            keep: layer.keep.zeros_like(),
        };
        Self {
            inputs: self.inputs.iter().map(Tensor::zeros_like).collect(),
            layers: self.layers.iter().map(layer).collect(),
            head: self.head.zeros_like(),
        }
    }

    /// `[numbers]`: all tensors behind one another.
    fn flat(&self) -> Tensor {
        let flat: Vec<Tensor> = self.tensors().map(|tensor| tensor.reshape([-1])).collect();
        Tensor::cat(&flat, 0)
    }
}

/// Numbers of the live relations of a layer and of their source kinds, to gather by.
#[derive(Debug)]
struct Live {
    relations: Tensor,
    sources: Tensor,
}

/// The parameters, under the shapes of `PyTorch` Geometric's `HGTConv`, and Adam's moments.
#[derive(Debug)]
pub(crate) struct Weights {
    hidden: i64,
    heads: i64,
    kinds: i64,
    live: Vec<Live>,
    /// `[numbers]`, a leaf of the gradient.
    flat: Tensor,
    /// Shapes of the pieces of `flat`, in order.
    shapes: Vec<Vec<i64>>,
    mean: Tensor,
    square: Tensor,
    steps: i32,
}

/// Collects pieces by name.
struct Reader {
    named: HashMap<String, Tensor>,
    pieces: Vec<Tensor>,
    shapes: Vec<Vec<i64>>,
}

impl Reader {
    fn find(&self, name: &str, shape: &[i64]) -> Result<Tensor, FullGraphError> {
        let tensor = self.named.get(name).ok_or_else(|| FullGraphError::Missing(name.to_owned()))?;
        if tensor.size() == shape && tensor.kind() == Kind::Float {
            return Ok(tensor.reshape([-1]));
        }
        let (name, found, expected) = (name.to_owned(), tensor.size(), shape.to_vec());
        Err(FullGraphError::Shape { name, found, expected })
    }

    /// Appends a parameter that is kept under another `shape` of the same size.
    fn one(&mut self, name: &str, stored: &[i64], shape: &[i64]) -> Result<(), FullGraphError> {
        self.pieces.push(self.find(name, stored)?);
        self.shapes.push(shape.to_vec());
        Ok(())
    }

    /// Appends the same parameter of several kinds or relations as one piece.
    fn stack(&mut self, names: &[String], stored: &[i64], shape: &[i64]) -> Result<(), FullGraphError> {
        for name in names {
            self.pieces.push(self.find(name, stored)?);
        }
        self.shapes.push([&[names.len() as i64], shape].concat());
        Ok(())
    }
}

impl Weights {
    /// Takes the parameters that the graph needs out of `named`.
    pub(crate) fn new(
        named: HashMap<String, Tensor>,
        graph: &FullGraph,
        plan: &Plan,
        settings: Settings,
    ) -> Result<Self, FullGraphError> {
        let (hidden, heads) = (settings.hidden as i64, settings.heads as i64);
        let (width, relations) = (hidden / heads, graph.relations().len() as i64);
        let classes = named.get("out.bias").map_or(0, |bias| bias.numel() as i64);
        let mut reader = Reader { named, pieces: Vec::new(), shapes: Vec::new() };
        for (kind, features) in graph.kinds().zip(graph.features()) {
            let weight = [hidden, features.size()[1]];
            reader.one(&format!("inp.{kind}.weight"), &weight, &weight)?;
            reader.one(&format!("inp.{kind}.bias"), &[hidden], &[hidden, 1])?;
        }
        for layer in 0..settings.layers {
            let per_kind = |part: &str, end: &str| -> Vec<String> {
                graph.kinds().map(|kind| format!("convs.{layer}.{part}.{kind}{end}")).collect()
            };
            let (kqv, out) = ("kqv_lin.lins", "out_lin.lins");
            reader.stack(&per_kind(kqv, ".weight"), &[3 * hidden, hidden], &[3, heads, width, hidden])?;
            reader.stack(&per_kind(kqv, ".bias"), &[3 * hidden], &[3, heads, width, 1])?;
            reader.stack(&per_kind(out, ".weight"), &[hidden, hidden], &[hidden, hidden])?;
            reader.stack(&per_kind(out, ".bias"), &[hidden], &[hidden, 1])?;
            reader.stack(&per_kind("skip", ""), &[1], &[])?;
            let (stored, kept) = ([heads * relations, width, width], [heads, relations, width, width]);
            reader.one(&format!("convs.{layer}.k_rel.weight"), &stored, &kept)?;
            reader.one(&format!("convs.{layer}.v_rel.weight"), &stored, &kept)?;
            let priors = graph.relations().iter().map(|r| format!("convs.{layer}.p_rel.{}", r.id()));
            reader.stack(&priors.collect::<Vec<_>>(), &[1, heads], &[heads, 1, 1])?;
        }
        reader.one("out.weight", &[classes, hidden], &[classes, hidden])?;
        reader.one("out.bias", &[classes], &[classes, 1])?;
        let flat = Tensor::cat(&reader.pieces, 0);
        let live = plan.layers.iter().map(|layer| {
            let (relations, sources): (Vec<i64>, Vec<i64>) =
                layer.live.iter().map(|(relation, source)| (*relation as i64, *source as i64)).unzip();
            Live { relations: Tensor::from_slice(&relations), sources: Tensor::from_slice(&sources) }
        });
        Ok(Self {
            hidden,
            heads,
            kinds: plan.rows.len() as i64,
            live: live.collect(),
            mean: flat.zeros_like(),
            square: flat.zeros_like(),
            flat: flat.set_requires_grad(true),
            shapes: reader.shapes,
            steps: 0,
        })
    }

    /// Number of classes.
    pub(crate) fn classes(&self) -> i64 {
        self.shapes.last().map_or(0, |bias| bias[0])
    }

    /// Multiplies out what does not depend on a row; the result remembers how, for [`slope`](Self::slope).
    pub(crate) fn for_step(&self) -> StepWeights {
        let sizes: Vec<i64> = self.shapes.iter().map(|shape| shape.iter().product()).collect();
        let pieces = self.flat.split_with_sizes(sizes, 0);
        let mut pieces = pieces.iter().zip(&self.shapes).map(|(piece, shape)| piece.view(shape.as_slice()));
        let mut next = || pieces.next().unwrap_or_default();
        let mut affine = || Tensor::cat(&[next(), next()], -1);
        let inputs = (0..self.kinds).map(|_| affine()).collect();
        let mut layers = Vec::with_capacity(self.live.len());
        for live in &self.live {
            let projection = Tensor::cat(&[next(), next()], -1); // [kinds, 3, heads, D, hidden + 1]
            let out = Tensor::cat(&[next(), next()], -1);
            let fresh = next().sigmoid();
            let (keys, values, prior) = (next(), next(), next());
            layers.push(LayerWeights {
                relations: self.relations(live, &projection, (&keys, &values, &prior)),
                query: projection.select(1, 1).reshape([self.kinds, self.hidden, self.hidden + 1]),
                out: out * fresh.view([-1, 1, 1]),
                keep: 1.0 - fresh,
            });
        }
        StepWeights { inputs, layers, head: Tensor::cat(&[next(), next()], -1) }
    }

    fn relations(&self, live: &Live, projection: &Tensor, of: (&Tensor, &Tensor, &Tensor)) -> Tensor {
        let (keys, values, prior) = of;
        let scale = prior.index_select(0, &live.relations) / ((self.hidden / self.heads) as f64).sqrt();
        let transposed = |matrix: &Tensor| matrix.index_select(1, &live.relations).permute([1, 0, 3, 2]);
        let source = projection.index_select(0, &live.sources); // [live, 3, heads, D, hidden + 1]
        let key = (transposed(keys) * scale).matmul(&source.select(1, 0));
        let value = transposed(values).matmul(&source.select(1, 2));
        Tensor::stack(&[key, value], 1)
    }

    /// `[numbers]`: gradient of the parameters by the gradients of what [`for_step`](Self::for_step) returned.
    pub(crate) fn slope(
        &self,
        weights: &StepWeights,
        slopes: &StepWeights,
    ) -> Result<Tensor, FullGraphError> {
        let surface = weights.flat().dot(&slopes.flat());
        let slopes = Tensor::f_run_backward(&[surface], &[&self.flat], false, false);
        let slopes = slopes.map_err(FullGraphError::torch("finding the parameters' gradient"))?;
        Ok(slopes.into_iter().next().unwrap_or_default())
    }

    /// Takes one step of Adam down `slope`.
    pub(crate) fn adam(&mut self, slope: &Tensor, rate: f64) {
        self.steps += 1;
        let (bias1, bias2) = (1.0 - BETA1.powi(self.steps), 1.0 - BETA2.powi(self.steps));
        tch::no_grad(|| {
            let _ = self.mean.lerp_(slope, 1.0 - BETA1);
            let _ = self.square.g_mul_scalar_(BETA2).addcmul_(slope, &(slope * (1.0 - BETA2)));
            let spread = self.square.sqrt().g_div_scalar_(bias2.sqrt()).g_add_scalar_(EPSILON);
            let _ = self.flat.addcdiv_(&(&self.mean * (-rate / bias1)), &spread);
        });
    }

    /// `[numbers]`: the parameters.
    #[cfg(test)]
    pub(crate) fn flat(&self) -> &Tensor {
        &self.flat
    }
}
