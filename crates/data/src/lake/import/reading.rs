//! The first pass: one thread reads files, others check their rows.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    thread::{self, ScopedJoinHandle},
};

use super::{
    blocks::{self, Block, InputFile},
    names::{Names, Numbering},
    origin::Origins,
    parse::{BlockRows, Parsed, Worker},
    scratch_failed,
};
use crate::DataError;

/// How files are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) scratch: &'a Path,
    pub(super) workers: usize,
    pub(super) keep_raw: bool,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) parsed: Vec<Parsed>,
    /// Each block and which worker had it, in the order of the files.
    pub(super) blocks: Vec<(usize, BlockRows)>,
    pub(super) names: Names,
    pub(super) origins: Origins,
}

impl Read {
    pub(super) fn rows(&self) -> u64 {
        self.blocks.iter().map(|(_, block)| u64::from(block.rows)).sum()
    }
}

/// The files, and the first block of each.
type Files = (Vec<InputFile>, Vec<u32>);

impl Reading<'_> {
    pub(super) fn read(&self, paths: &[PathBuf], progress: &dyn Fn(u64)) -> Result<Read, DataError> {
        let numbering = Numbering::default();
        let workers = (0..self.workers).map(|number| Worker::new(&numbering, self.scratch, number));
        let workers: io::Result<Vec<_>> = workers.collect();
        let workers = workers.map_err(|cause| scratch_failed(self.scratch, cause))?;
        let (send, receive) = mpsc::sync_channel(2 * self.workers);
        let (files, parsed) = thread::scope(|scope| {
            let receive = Arc::new(Mutex::new(receive));
            let mut running = Vec::new();
            for worker in workers {
                let receive = Arc::clone(&receive);
                running.push(scope.spawn(move || worker.run(&receive)));
            }
            // Workers that failed must not leave the sender waiting.
            drop(receive);
            let files = self.send(paths, progress, &send);
            drop(send);
            let parsed: io::Result<Vec<Parsed>> = running.into_iter().map(joined).collect();
            (files, parsed)
        });
        let (files, first_blocks) = files?;
        let parsed = parsed.map_err(|cause| scratch_failed(self.scratch, cause))?;
        let of_worker = |(worker, parsed): (usize, &Parsed)| -> Vec<_> {
            parsed.blocks.iter().map(|block| (worker, *block)).collect()
        };
        let mut blocks: Vec<_> = parsed.iter().enumerate().flat_map(of_worker).collect();
        blocks.sort_unstable_by_key(|(_, block)| block.block);
        let origins = Origins::new(files, &first_blocks, blocks.iter().map(|(_, block)| *block))?;
        Ok(Read { parsed, blocks, names: numbering.finish(), origins })
    }

    fn send(
        &self,
        paths: &[PathBuf],
        progress: &dyn Fn(u64),
        blocks: &mpsc::SyncSender<Block>,
    ) -> Result<Files, DataError> {
        let (mut files, mut first_blocks) = (Vec::new(), Vec::new());
        let (mut number, mut before) = (0, 0);
        for (index, path) in paths.iter().enumerate() {
            first_blocks.push(number);
            let raw = self.keep_raw.then(|| self.scratch.join(format!("raw-{index}")));
            let file = blocks::read(path, raw, &|bytes| progress(before + bytes), |mut block| {
                block.number = number;
                number += 1;
                blocks.send(block).is_ok()
            })?;
            before += file.bytes;
            files.push(file);
        }
        Ok((files, first_blocks))
    }
}

fn joined<T>(thread: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))
}
