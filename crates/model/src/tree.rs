//! Sampled neighbourhoods as tensors: one rectangle per branch of the tree, with the games in front.
//!
//! Because a game's neighbourhood always has the same shape, games can be picked out of a cached tree
//! along dimension 0: that is how mini-batches are made without sampling again.

use graph::{Batch, Block, NodeKind, Relation};
use tch::{Device, Tensor};

use crate::ModelError;

/// A block and what lies below it, for `games` seeds.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) kind: NodeKind,
    /// `[games, rows per game, width]`.
    pub(crate) features: Tensor,
    pub(crate) branches: Vec<Branch>,
}

/// One relation's sources for every row above.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) relation: Relation,
    pub(crate) fan_out: i64,
    /// `[games, rows above per game, fan_out]`: 1 for a source, 0 for padding.
    pub(crate) present: Tensor,
    /// Same shape, in days.
    pub(crate) age_days: Tensor,
    pub(crate) tree: Tree,
}

impl Tree {
    /// Copies a sampled batch.
    pub(crate) fn new(batch: &Batch) -> Result<Self, ModelError> {
        Self::of_block(&batch.seeds, batch.seeds.rows)
    }

    fn of_block(block: &Block, games: usize) -> Result<Self, ModelError> {
        let per_game = per_game(block, games)?;
        let features = tensor(&block.features, &[games as i64, per_game, block.width as i64])?;
        let branches = block
            .children
            .iter()
            .map(|children| {
                let fan_out = children.fan_out as i64;
                let shape = [games as i64, per_game, fan_out];
                Ok(Branch {
                    relation: children.relation,
                    fan_out,
                    present: tensor(&children.present, &shape)?,
                    age_days: tensor(&children.age_days, &shape)?,
                    tree: Self::of_block(&children.block, games)?,
                })
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { kind: block.kind, features, branches })
    }

    /// Returns the games at `index` (a tensor of i64), in that order.
    pub(crate) fn select(&self, index: &Tensor) -> Self {
        self.map(&|tensor| tensor.index_select(0, index))
    }

    /// Moves everything to `device`.
    pub(crate) fn to_device(&self, device: Device) -> Self {
        self.map(&|tensor| tensor.to_device(device))
    }

    fn map(&self, change: &dyn Fn(&Tensor) -> Tensor) -> Self {
        let branch = |branch: &Branch| Branch {
            relation: branch.relation,
            fan_out: branch.fan_out,
            present: change(&branch.present),
            age_days: change(&branch.age_days),
            tree: branch.tree.map(change),
        };
        Self {
            kind: self.kind,
            features: change(&self.features),
            branches: self.branches.iter().map(branch).collect(),
        }
    }

    /// Puts trees of the same shape behind one another.
    pub(crate) fn concatenate(trees: &[&Self]) -> Result<Self, ModelError> {
        let first = trees.first().ok_or_else(|| ModelError::Mismatch("no game was sampled".to_owned()))?;
        if trees.iter().any(|tree| tree.branches.len() != first.branches.len()) {
            return Err(ModelError::Mismatch("batches reach through different relations".to_owned()));
        }
        let cat = |pick: &dyn Fn(&Self) -> Tensor| {
            let parts: Vec<Tensor> = trees.iter().map(|tree| pick(tree)).collect();
            Tensor::f_cat(&parts, 0).map_err(ModelError::torch("putting batches together"))
        };
        let branches = (0..first.branches.len())
            .map(|i| {
                let below: Vec<&Self> = trees.iter().map(|tree| &tree.branches[i].tree).collect();
                Ok(Branch {
                    relation: first.branches[i].relation,
                    fan_out: first.branches[i].fan_out,
                    present: cat(&|tree| tree.branches[i].present.shallow_clone())?,
                    age_days: cat(&|tree| tree.branches[i].age_days.shallow_clone())?,
                    tree: Self::concatenate(&below)?,
                })
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { kind: first.kind, features: cat(&|tree| tree.features.shallow_clone())?, branches })
    }
}

fn per_game(block: &Block, games: usize) -> Result<i64, ModelError> {
    let fits =
        games > 0 && block.rows.is_multiple_of(games) && block.features.len() == block.rows * block.width;
    if !fits {
        let (kind, rows) = (block.kind.as_str(), block.rows);
        return Err(ModelError::Mismatch(format!(
            "{rows} rows of {kind} for {games} games are no rectangle"
        )));
    }
    Ok((block.rows / games) as i64)
}

fn tensor(values: &[f32], shape: &[i64]) -> Result<Tensor, ModelError> {
    Tensor::f_from_slice(values)
        .and_then(|flat| flat.f_view(shape))
        .map_err(ModelError::torch("copying a sampled batch"))
}
