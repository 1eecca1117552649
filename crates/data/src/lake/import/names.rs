//! Every text and every game's header of an import once, as numbers that rows can carry.

use std::{
    collections::hash_map::Entry,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use rustc_hash::FxHashMap;

/// A game's header, its texts as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Header {
    pub(super) league: u32,
    pub(super) game: u32,
    pub(super) season: i32,
    pub(super) start_time: i64,
    pub(super) home: u32,
    pub(super) away: u32,
}

#[derive(Debug, Default)]
struct Tables {
    text_numbers: FxHashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    header_numbers: FxHashMap<Header, u32>,
    headers: Vec<Header>,
    partition_numbers: FxHashMap<(u32, i32), u32>,
    partitions: Vec<(u32, i32)>,
}

/// Numbers that all workers share, in the order of first sight.
#[derive(Debug, Default)]
pub(super) struct Numbering(Mutex<Tables>);

impl Numbering {
    pub(super) fn text(&self, text: &str) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).text(text)
    }

    /// Returns the numbers of a header and of its partition.
    pub(super) fn header(
        &self,
        [league, game, home, away]: [&str; 4],
        season: i32,
        start_time: i64,
    ) -> (u32, u32) {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (league, game) = (tables.text(league), tables.text(game));
        let (home, away) = (tables.text(home), tables.text(away));
        let Tables { header_numbers, headers, partition_numbers, partitions, .. } = &mut *tables;
        let header = Header { league, game, season, start_time, home, away };
        (number(header_numbers, headers, header), number(partition_numbers, partitions, (league, season)))
    }

    /// Ends the numbering; from now on, a smaller number is a smaller text.
    pub(super) fn finish(self) -> Names {
        let mut tables = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<u32> = (0..tables.texts.len() as u32).collect();
        order.sort_unstable_by(|a, b| tables.texts[*a as usize].cmp(&tables.texts[*b as usize]));
        let mut ranks = vec![0; order.len()];
        for (rank, number) in order.iter().enumerate() {
            ranks[*number as usize] = rank as u32;
        }
        for number in tables.text_numbers.values_mut() {
            *number = ranks[*number as usize];
        }
        for header in &mut tables.headers {
            for text in [&mut header.league, &mut header.game, &mut header.home, &mut header.away] {
                *text = ranks[*text as usize];
            }
        }
        for (league, _) in &mut tables.partitions {
            *league = ranks[*league as usize];
        }
        let mut texts = mem::take(&mut tables.texts);
        texts.sort_unstable();
        Names {
            ranks,
            texts,
            numbers: tables.text_numbers,
            headers: tables.headers,
            partitions: tables.partitions,
        }
    }
}

impl Tables {
    fn text(&mut self, text: &str) -> u32 {
        if let Some(number) = self.text_numbers.get(text) {
            return *number;
        }
        number(&mut self.text_numbers, &mut self.texts, Arc::from(text))
    }
}

fn number<T: Clone + std::hash::Hash + Eq>(numbers: &mut FxHashMap<T, u32>, all: &mut Vec<T>, one: T) -> u32 {
    match numbers.entry(one) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(unknown) => {
            let number = all.len() as u32;
            all.push(unknown.key().clone());
            *unknown.insert(number)
        }
    }
}

/// All texts in their order, and the headers that name them.
#[derive(Debug)]
pub(super) struct Names {
    /// Rank of a text by the number that rows were spilled with.
    pub(super) ranks: Vec<u32>,
    texts: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, u32>,
    pub(super) headers: Vec<Header>,
    /// League and season of each partition.
    pub(super) partitions: Vec<(u32, i32)>,
}

impl Names {
    pub(super) fn text(&self, rank: u32) -> &str {
        &self.texts[rank as usize]
    }

    /// Returns a text's rank if the import holds it.
    pub(super) fn rank(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }
}
