//! Which kinds, widths and relations a network is built for: read off one sampled tree, kept beside the weights.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Block, NodeKind, Relation};
use serde::{Deserialize, Serialize};

use crate::{ModelError, tree::Tree};

/// Shape of a sampled neighbourhood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schema {
    /// Features of each kind.
    pub(crate) widths: BTreeMap<String, i64>,
    /// Relations whose targets lie at each depth; the seeds are at depth 0.
    pub(crate) relations: Vec<BTreeSet<String>>,
}

impl Schema {
    /// Reads the shape of `tree`.
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut schema = Self { widths: BTreeMap::new(), relations: Vec::new() };
        schema.visit(tree, 0);
        schema
    }

    fn visit(&mut self, tree: &Tree, depth: usize) {
        self.widths.insert(tree.kind.as_str().to_owned(), tree.features.size()[2]);
        if !tree.branches.is_empty() && self.relations.len() <= depth {
            self.relations.push(BTreeSet::new());
        }
        for branch in &tree.branches {
            self.relations[depth].insert(branch.relation.as_str().to_owned());
            self.visit(&branch.tree, depth + 1);
        }
    }

    /// Returns how many hops the tree reaches.
    pub(crate) fn hops(&self) -> usize {
        self.relations.len()
    }

    /// Returns the relations whose targets lie at most `depth` hops from the seeds.
    pub(crate) fn relations_within(&self, depth: usize) -> BTreeSet<Relation> {
        let names: BTreeSet<&String> = self.relations.iter().take(depth + 1).flatten().collect();
        Relation::ALL.into_iter().filter(|r| names.contains(&r.as_str().to_owned())).collect()
    }

    /// Returns every relation.
    pub(crate) fn all_relations(&self) -> BTreeSet<Relation> {
        self.relations_within(self.hops())
    }

    /// Returns the features of a kind; 0 when it does not occur.
    pub(crate) fn width(&self, kind: NodeKind) -> i64 {
        self.widths.get(kind.as_str()).copied().unwrap_or(0)
    }

    /// Returns each kind with its width.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (NodeKind, i64)> + '_ {
        NodeKind::ALL.into_iter().filter_map(|kind| Some((kind, *self.widths.get(kind.as_str())?)))
    }

    fn visit_block(&mut self, block: &Block, depth: usize) {
        self.widths.insert(block.kind.as_str().to_owned(), block.width as i64);
        if !block.children.is_empty() && self.relations.len() <= depth {
            self.relations.push(BTreeSet::new());
        }
        for children in &block.children {
            self.relations[depth].insert(children.relation.as_str().to_owned());
            self.visit_block(&children.block, depth + 1);
        }
    }

    /// Refuses a tree that the network was not built for.
    pub(crate) fn check(&self, tree: &Tree) -> Result<(), ModelError> {
        self.compare(&Self::of(tree))
    }

    /// Refuses a sampled batch that the network was not built for.
    pub(crate) fn check_block(&self, seeds: &Block) -> Result<(), ModelError> {
        let mut found = Self { widths: BTreeMap::new(), relations: Vec::new() };
        found.visit_block(seeds, 0);
        self.compare(&found)
    }

    fn compare(&self, found: &Self) -> Result<(), ModelError> {
        if self == found {
            return Ok(());
        }
        let differing = found.widths.iter().find(|(kind, width)| self.widths.get(*kind) != Some(width));
        Err(ModelError::Mismatch(match differing {
            Some((kind, width)) => {
                format!("`{kind}` has {width} features, the model expects {:?}", self.widths.get(kind))
            }
            None => "its neighbourhoods reach through other relations".to_owned(),
        }))
    }
}
