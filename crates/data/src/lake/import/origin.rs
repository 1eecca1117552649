//! Of which file, and of which row in it, the rows of each block are.

use super::{blocks::InputFile, parse::BlockRows};
use crate::DataError;

/// The files, and where in them each block begins.
#[derive(Debug)]
pub(super) struct Origins {
    pub(super) files: Vec<InputFile>,
    /// By block.
    starts: Vec<Start>,
}

#[derive(Debug, Clone, Copy)]
struct Start {
    file: usize,
    row: u32,
}

impl Origins {
    /// Counts rows; `first_blocks` has the first block of each file, `blocks` is in order.
    pub(super) fn new(
        files: Vec<InputFile>,
        first_blocks: &[u32],
        blocks: impl Iterator<Item = BlockRows>,
    ) -> Result<Self, DataError> {
        let mut starts: Vec<Start> = Vec::new();
        let (mut file, mut row) = (0, 0);
        for block in blocks {
            let of = first_blocks.partition_point(|first| *first <= block.block).saturating_sub(1);
            if of != file {
                (file, row) = (of, 0);
            }
            starts.push(Start { file, row });
            row = row.checked_add(block.rows).ok_or_else(|| DataError::Payload {
                name: files.get(file).map(|file| file.name.clone()).unwrap_or_default(),
                problem: "has more rows than can be numbered".to_owned(),
                advice: "split it".to_owned(),
            })?;
        }
        Ok(Self { files, starts })
    }

    /// Returns the index of a block's file.
    pub(super) fn file(&self, block: u32) -> usize {
        self.starts[block as usize].file
    }

    /// Returns the hash of a block's file.
    pub(super) fn payload(&self, block: u32) -> &str {
        self.files[self.file(block)].sha256.as_str()
    }

    /// Returns the row in the file of a row in a block.
    pub(super) fn row(&self, block: u32, row: u32) -> u32 {
        self.starts[block as usize].row + row
    }
}
