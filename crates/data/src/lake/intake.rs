//! One source's payloads on their way into one generation of its league's tables.

use std::collections::BTreeMap;

use market::{Date, LeagueId, Name, RawRef, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Lake,
    encode::encoded,
    known::{Known, Sorted},
    leagues::Settings,
    partitions::Tables,
    quarantine::{self, Origin, Quarantined},
    receipt::Receipt,
    report::{IngestReport, RowCounts},
    rows::Stored,
    sha256,
    sightings::Sighting,
};
use crate::{
    Aliases, DataError, Finding, Level, Parsed, Payload, Source,
    contract::{self, Shape},
    identity::{Registry, Seen, Speaker},
};

/// Kept per payload once all of its rows are in the lake.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    payload: String,
    rows: RowCounts,
    refused: BTreeMap<String, usize>,
    newest_known_at: Option<Timestamp>,
    #[serde(default)]
    newest_line: Option<Timestamp>,
    #[serde(default)]
    newest_start: Option<Timestamp>,
}

/// A payload that was read and not yet taken.
#[derive(Debug)]
struct Read {
    receipt: Receipt,
    /// Where the payload came from, when it came over a network just now.
    origin: Option<crate::pull::Origin>,
    parsed: Parsed,
}

/// What a file that grows broke, and the counts to keep of it, by path, when they changed.
type Grown = (Vec<Finding>, Option<(String, Shape)>);

/// One source's payloads on their way into one generation of its league's tables.
pub(super) struct Intake<'a> {
    lake: &'a Lake,
    source: &'a dyn Source,
    aliases: &'a Aliases,
    names_teams: bool,
    tables: Tables<'a>,
    /// The date of the pull; none for payloads that are filed by when they first came.
    date: Option<Date>,
    registry: Registry,
    lines: Known<market::LineRow>,
    results: Known<market::ResultRow>,
    context: Known<market::ContextRow>,
    sightings: Known<Sighting>,
    pub(super) report: IngestReport,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        lake: &'a Lake,
        source: &'a dyn Source,
        aliases: &'a Aliases,
        tables: Tables<'a>,
        names_teams: bool,
        date: Option<Date>,
    ) -> Result<Self, DataError> {
        let registry = Registry::new(source.league(), Lake::sightings(&tables)?)?;
        let report = IngestReport {
            league: source.league().id.clone(),
            source: source.id().to_owned(),
            payloads: 0,
            new_payloads: 0,
            rows_added: RowCounts::default(),
            already_known: 0,
            corrected: 0,
            refused: BTreeMap::new(),
            findings: Vec::new(),
            newest_known_at: None,
        };
        let (lines, results, context) = (Known::new(), Known::new(), Known::new());
        let sightings = Known::new();
        Ok(Self {
            lake,
            source,
            aliases,
            names_teams,
            tables,
            date,
            registry,
            lines,
            results,
            context,
            sightings,
            report,
        })
    }

    pub(super) fn done(self) -> IngestReport {
        let report = self.report;
        tracing::info!(
            league.id = %report.league,
            source = report.source,
            payloads = report.payloads,
            rows = report.rows_added.total(),
            refused = report.refused.values().sum::<usize>(),
            "pulled {}",
            report.league
        );
        report
    }

    /// Reads all payloads before any row is written; `settings` are remembered between the two.
    pub(super) fn take_all(
        &mut self,
        received: Vec<(Receipt, Payload)>,
        settings: Option<&Settings>,
    ) -> Result<(), DataError> {
        let mut pending = Vec::new();
        let mut unreadable = Vec::new();
        let mut readable = 0;
        for (receipt, payload) in received {
            if let Some(marker) = self.lake.try_get_json::<Marker>(&self.marker(&receipt.hash)?)? {
                readable += 1;
                self.pass_over(&receipt, &payload, &marker)?;
                continue;
            }
            match self.source.parse(&payload, &receipt.hash) {
                Ok(parsed) => {
                    readable += 1;
                    pending.push(Read { receipt, origin: payload.origin, parsed });
                }
                Err(error) => unreadable.push((receipt, error)),
            }
        }
        let failures: Vec<(Receipt, String)> =
            unreadable.iter().map(|(receipt, error)| (receipt.clone(), error.to_string())).collect();
        if readable == 0
            && let Some((_, error)) = unreadable.into_iter().next()
            && settings.is_some()
        {
            return Err(error);
        }
        if let Some(settings) = settings {
            settings.remember(self.lake)?;
        }
        for (receipt, says) in failures {
            let finding = Finding::new("unreadable", Level::File, says);
            self.keep_findings(&receipt, vec![finding])?;
        }
        for read in pending {
            self.take(read)?;
        }
        Ok(())
    }

    /// Accounts for a payload whose rows are all there.
    fn pass_over(&mut self, receipt: &Receipt, payload: &Payload, marker: &Marker) -> Result<(), DataError> {
        self.report.already_known += marker.rows.total();
        self.report.newest_known_at = self.report.newest_known_at.max(marker.newest_known_at);
        if payload.received_at.is_some()
            && !self.source.accumulates()
            && let Some(finding) = contract::frozen(marker.newest_line, marker.newest_start, self.lake.now())
        {
            self.keep_findings(receipt, vec![finding])?;
        }
        match &payload.origin {
            // The same bytes under a new version or another address.
            Some(origin) => origin.remember(&self.lake.store, &receipt.raw, receipt.received_at),
            None => Ok(()),
        }
    }

    fn take(&mut self, read: Read) -> Result<(), DataError> {
        let Read { receipt, origin, mut parsed } = read;
        let rows = RowCounts::of(&parsed);
        let newest_line = parsed.lines.iter().map(|row| row.captured_at).max();
        let newest_start = parsed.lines.iter().map(|row| row.game.start_time).max();
        let newest = newest(&parsed);
        let (mut findings, seen) = self.check(&receipt, &mut parsed);
        let (of_shape, shape) = self.shape(&receipt, &parsed)?;
        findings.extend(of_shape);
        if origin.is_some() && !self.source.accumulates() {
            findings.extend(contract::frozen(newest_line, newest_start, self.lake.now()));
        }
        let mut refused: Vec<Quarantined> = parsed
            .refused
            .into_iter()
            .map(|row| Quarantined {
                raw_ref: RawRef { payload: receipt.hash.clone(), row: row.row },
                reason: row.reason,
                text: row.text,
            })
            .collect();
        let at = receipt.received_at;
        let sightings = self.sightings.sort(&self.tables, seen, at)?;
        let mut lines = self.lines.sort(&self.tables, parsed.lines, at)?;
        let mut results = self.results.sort(&self.tables, parsed.results, at)?;
        let mut context = self.context.sort(&self.tables, parsed.context, at)?;
        findings.extend(score_changes(&results));
        for conflicts in [&mut lines.conflicts, &mut results.conflicts, &mut context.conflicts] {
            refused.append(conflicts);
        }
        self.report.already_known += lines.already_known + results.already_known + context.already_known;
        self.report.corrected += results.corrections.len() + context.corrections.len();
        self.put_rows(sightings)?;
        self.put_refused(&receipt, &refused)?;
        self.report.rows_added.lines += self.put_rows(lines)?;
        self.report.rows_added.results += self.put_rows(results)?;
        self.report.rows_added.context += self.put_rows(context)?;

        let mut reasons = BTreeMap::new();
        for row in refused {
            *reasons.entry(row.reason).or_default() += 1;
        }
        self.report.new_payloads += 1;
        self.report.newest_known_at = self.report.newest_known_at.max(newest);
        for (reason, count) in &reasons {
            *self.report.refused.entry(reason.clone()).or_default() += count;
        }
        self.keep_findings(&receipt, findings)?;
        if let Some((path, shape)) = shape {
            self.lake.put_json(&path, &shape)?;
        }
        let payload = receipt.name.clone();
        let done =
            Marker { payload, rows, refused: reasons, newest_known_at: newest, newest_line, newest_start };
        self.lake.put_json(&self.marker(&receipt.hash)?, &done)?;
        match origin {
            Some(origin) => origin.remember(&self.lake.store, &receipt.raw, receipt.received_at),
            None => Ok(()),
        }
    }

    /// Finds out which games the rows speak of and whether they can be what they say.
    fn check(&mut self, receipt: &Receipt, parsed: &mut Parsed) -> (Vec<Finding>, Vec<Sighting>) {
        let source: Name = self.source.id().into();
        let speaker = Speaker { source: &source, names_teams: self.names_teams, aliases: self.aliases };
        let resolved = self.registry.resolve(&speaker, parsed);
        // A file of a season has no time of its own: that a game moved is known since the file came, not since before.
        if self.source.accumulates() {
            for row in parsed.context.iter_mut().filter(|row| resolved.moved.contains(&row.game.game_id)) {
                row.known_at = row.known_at.max(receipt.received_at);
            }
        }
        if let Some(finding) = contract::refuse_file(parsed, &resolved) {
            return (vec![finding], Vec::new());
        }
        let findings = contract::check_prices(parsed);
        let sighting =
            |(seen, row)| sighting(&self.report.league, seen, RawRef { payload: receipt.hash.clone(), row });
        (findings, resolved.seen.into_iter().map(sighting).collect())
    }

    /// Compares a file that only grows with what it held before; the new counts are to be kept after the findings.
    fn shape(&self, receipt: &Receipt, parsed: &Parsed) -> Result<Grown, DataError> {
        if !self.source.accumulates() {
            return Ok((Vec::new(), None));
        }
        let name = &sha256(receipt.name.as_bytes())[..16];
        let generation = match self.tables.generation()? {
            0 => String::new(),
            generation => format!("g{generation}-"),
        };
        let path = format!("data/shapes/{}/{}/{generation}{name}.json", self.source.id(), self.report.league);
        let before: Option<Shape> = self.lake.try_get_json(&path)?;
        let now = Shape::of(parsed);
        let findings = contract::check_shape(parsed, before.as_ref(), &now);
        let mut kept = before.clone().unwrap_or_default();
        kept.merge(&now);
        let changed = before.as_ref() != Some(&kept);
        Ok((findings, changed.then_some((path, kept))))
    }

    /// The same bytes may be read in another way under other settings or for another league.
    fn marker(&self, hash: &Name) -> Result<String, DataError> {
        let taken = self.source.settings() + &self.source.part().unwrap_or_default();
        let settings = &sha256(taken.as_bytes())[..16];
        let rebuilt = match self.tables.generation()? {
            0 => String::new(),
            generation => format!("-g{generation}"),
        };
        Ok(format!(
            "data/ingested/{}/{}/{hash}-{settings}{rebuilt}.json",
            self.source.id(),
            self.report.league
        ))
    }

    fn keep_findings(&mut self, receipt: &Receipt, mut findings: Vec<Finding>) -> Result<(), DataError> {
        if findings.is_empty() {
            return Ok(());
        }
        for finding in &mut findings {
            finding.league = self.report.league.to_string();
            self.source.id().clone_into(&mut finding.source);
            finding.payload.clone_from(&receipt.name);
        }
        let folder = format!("data/findings/{}", self.date.unwrap_or(receipt.date));
        let said: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let hash = sha256(said.join("\n").as_bytes());
        self.lake.put_json(&format!("{folder}/{}{hash}.json", self.prefix()?), &findings)?;
        self.report.findings.append(&mut findings);
        Ok(())
    }

    /// Names the origin of a file that is kept by date.
    fn prefix(&self) -> Result<String, DataError> {
        Ok(format!("{}.{}.g{}.", self.report.league, self.source.id(), self.tables.generation()?))
    }

    fn put_refused(&self, receipt: &Receipt, rows: &[Quarantined]) -> Result<(), DataError> {
        if rows.is_empty() {
            return Ok(());
        }
        let origin =
            Origin { league: self.report.league.as_str(), source: self.source.id(), payload: &receipt.name };
        let folder = format!("data/quarantine/{}", self.date.unwrap_or(receipt.date));
        let (bytes, hash) = encoded(&folder, quarantine::encode(&origin, rows))?;
        self.lake.store.put_if_absent(&format!("{folder}/{}{hash}.parquet", self.prefix()?), &bytes).map(drop)
    }

    fn put_rows<R: Stored>(&self, sorted: Sorted<R>) -> Result<usize, DataError> {
        let mut written = 0;
        for (season, rows) in sorted.new {
            self.tables.put(season, &rows)?;
            written += rows.len();
        }
        Ok(written)
    }
}

fn newest(parsed: &Parsed) -> Option<Timestamp> {
    let lines = parsed.lines.iter().map(market::LineRow::known_at);
    let results = parsed.results.iter().map(|row| row.known_at);
    let context = parsed.context.iter().map(|row| row.known_at);
    lines.chain(results).chain(context).max()
}

fn score_changes(results: &Sorted<market::ResultRow>) -> Option<Finding> {
    let first = results.corrections.first()?;
    let says = format!("{} results were changed, among them {first}", results.corrections.len());
    Some(Finding::new("score_changed", Level::Warn, says))
}

fn sighting(league: &LeagueId, seen: Seen, raw_ref: RawRef) -> Sighting {
    let Seen { id, season, home, away, start, number, source, event } = seen;
    let game = market::Game { league: league.clone(), game_id: id, season, start_time: start, home, away };
    Sighting { game: game.into(), event, number, source, raw_ref }
}
