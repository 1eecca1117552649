//! A graph as the network takes it: features by kind, relations by name.

use std::{collections::BTreeMap, path::Path};

use tch::{Kind, Tensor};

use super::FullGraphError;

/// Edges of one kind.
#[derive(Debug)]
pub struct Relation {
    /// Kind that messages come from.
    pub source: String,
    /// Name.
    pub name: String,
    /// Kind that messages go to.
    pub target: String,
    /// `[2, edges]` of i64: rows of sources over rows of targets.
    pub edges: Tensor,
}

impl Relation {
    /// `source__name__target`, as in the reference's files.
    pub fn id(&self) -> String {
        format!("{}__{}__{}", self.source, self.name, self.target)
    }

    fn from_id(id: &str, edges: Tensor) -> Result<Self, FullGraphError> {
        let parts: Vec<&str> = id.split("__").collect();
        let [source, name, target] = parts[..] else {
            return Err(FullGraphError::Mismatch(format!(
                "`{id}` is no relation: want source__name__target"
            )));
        };
        Ok(Self { source: source.to_owned(), name: name.to_owned(), target: target.to_owned(), edges })
    }

    /// Returns (source, target) of every edge; `rows` are the numbers of sources and of targets.
    pub(super) fn pairs(&self, rows: (usize, usize)) -> Result<Vec<(u32, u32)>, FullGraphError> {
        let ends: Vec<Vec<i64>> =
            Vec::try_from(&self.edges).map_err(FullGraphError::torch("reading edges"))?;
        let [sources, targets] = &ends[..] else {
            let (name, found) = (self.id(), self.edges.size());
            return Err(FullGraphError::Mismatch(format!(
                "edges of `{name}` are {found:?}, want [2, edges]"
            )));
        };
        let inside = |row: i64, rows: usize| u32::try_from(row).ok().filter(|row| (*row as usize) < rows);
        let pair =
            |(source, target): (&i64, &i64)| Some((inside(*source, rows.0)?, inside(*target, rows.1)?));
        sources.iter().zip(targets).map(pair).collect::<Option<_>>().ok_or_else(|| {
            FullGraphError::Mismatch(format!("an edge of `{}` leads to a row that does not exist", self.id()))
        })
    }
}

/// Rows of several kinds with features, and relations between them.
#[derive(Debug)]
pub struct FullGraph {
    /// `[rows, features]` of f32 by kind.
    pub(super) features: BTreeMap<String, Tensor>,
    /// In the order in which the weights count them.
    pub(super) relations: Vec<Relation>,
    /// Kind whose rows are classified.
    pub(super) seed: String,
}

impl FullGraph {
    /// `features` are `[rows, features]` of f32 by kind; `relations` come in the order in which the weights count them;
    /// `seed` is the kind whose rows are classified.
    pub fn new(
        features: BTreeMap<String, Tensor>,
        relations: Vec<Relation>,
        seed: &str,
    ) -> Result<Self, FullGraphError> {
        for (kind, tensor) in &features {
            if tensor.size().len() != 2 || tensor.kind() != Kind::Float {
                let (found, expected) = (tensor.size(), vec![-1, -1]);
                return Err(FullGraphError::Shape { name: format!("x_{kind}"), found, expected });
            }
        }
        Ok(Self { features, relations, seed: seed.to_owned() })
    }

    /// Reads `x_<kind>` and `edge__<source>__<name>__<target>`; classifies the kind `game`. Relations are sorted by
    /// name until [`in_order`](Self::in_order) says otherwise.
    pub fn read_safetensors(path: impl AsRef<Path>) -> Result<Self, FullGraphError> {
        let tensors = Tensor::read_safetensors(path).map_err(FullGraphError::torch("reading the graph"))?;
        let (mut features, mut relations) = (BTreeMap::new(), Vec::new());
        for (name, tensor) in tensors {
            if let Some(kind) = name.strip_prefix("x_") {
                features.insert(kind.to_owned(), tensor);
            } else if let Some(id) = name.strip_prefix("edge__") {
                relations.push(Relation::from_id(id, tensor)?);
            }
        }
        relations.sort_by_key(Relation::id);
        Self::new(features, relations, "game")
    }

    /// Puts the relations in the order in which the weights count them, which the weights' file does not tell; one
    /// that the graph lacks gets no edges.
    pub fn in_order(mut self, ids: &[impl AsRef<str>]) -> Result<Self, FullGraphError> {
        let mut left: BTreeMap<String, Relation> = self.relations.drain(..).map(|r| (r.id(), r)).collect();
        for id in ids.iter().map(AsRef::as_ref) {
            let empty = || Relation::from_id(id, Tensor::from_slice::<i64>(&[]).view([2, 0]));
            let relation = left.remove(id).map_or_else(empty, Ok)?;
            self.relations.push(relation);
        }
        match left.into_keys().next() {
            Some(id) => Err(FullGraphError::Mismatch(format!("relation `{id}` is not among those in order"))),
            None => Ok(self),
        }
    }

    /// Returns the relations.
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// Kinds in the order of their numbers.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.features.keys().map(String::as_str)
    }

    pub(super) fn features(&self) -> impl Iterator<Item = &Tensor> {
        self.features.values()
    }
}
