//! From payloads to rows in the lake, in steps that may each be the last.
//!
//! Per payload: the raw bytes, then refused rows, then one file of new rows per partition, then a marker. Each is whole
//! or absent and named by its content. Whatever was cut short is done again by the next run, which finds the rows that
//! are there already and writes exactly the files that are missing.

use std::collections::BTreeMap;

use arrow::{error::ArrowError, record_batch::RecordBatch};
use jiff::tz::TimeZone;
use market::{Date, LeagueId, Name, RawRef, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Lake, encode,
    known::Known,
    quarantine::{self, Origin, Quarantined},
    rows::Stored,
};
use crate::{DataError, Parsed, Payload, Pull, Source};

/// How many rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Prices.
    pub lines: usize,
    /// Results.
    pub results: usize,
    /// Context rows.
    pub context: usize,
}

impl RowCounts {
    /// Returns the rows of all kinds.
    pub fn total(&self) -> usize {
        self.lines + self.results + self.context
    }
}

/// What one pull brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestReport {
    /// The league.
    pub league: LeagueId,
    /// The source's id.
    pub source: String,
    /// Payloads fetched.
    pub payloads: usize,
    /// Payloads never seen before.
    pub new_payloads: usize,
    /// Rows that the lake did not hold.
    pub rows_added: RowCounts,
    /// Rows that it held with the same value.
    pub already_known: usize,
    /// Rows refused in the new payloads, by reason.
    pub refused: BTreeMap<String, usize>,
    /// The newest `known_at` in the pulled payloads; after the pull's instant when a file holds a whole season.
    pub newest_known_at: Option<Timestamp>,
}

/// Kept per payload once all of its rows are in the lake.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    payload: String,
    rows: RowCounts,
    refused: BTreeMap<String, usize>,
    newest_known_at: Option<Timestamp>,
}

struct Pending<'a> {
    payload: &'a Payload,
    hash: Name,
    marker: String,
    parsed: Parsed,
}

#[derive(Debug)]
struct Everything {
    lines: Known<market::LineRow>,
    results: Known<market::ResultRow>,
    context: Known<market::ContextRow>,
}

impl Lake {
    /// Pulls what a source offers at `until` into the lake; the same pull twice adds nothing.
    ///
    /// Every payload is read before anything is written, so that one that cannot be read leaves the lake as it was.
    /// Rows known at or after `until` are kept too: only the as-of of a snapshot hides rows.
    pub fn ingest(&self, source: &dyn Source, until: Timestamp) -> Result<IngestReport, DataError> {
        let payloads = source.fetch(&Pull::remembering(until, &self.store))?;
        let mut report = IngestReport {
            league: source.league().id.clone(),
            source: source.id().to_owned(),
            payloads: payloads.len(),
            new_payloads: 0,
            rows_added: RowCounts::default(),
            already_known: 0,
            refused: BTreeMap::new(),
            newest_known_at: None,
        };
        let settings = self.check_settings(source)?;
        let mut pending = Vec::new();
        for payload in &payloads {
            let hash: Name = sha256(&payload.bytes).as_str().into();
            let marker = marker_path(source, &hash);
            if let Some(marker) = self.marker(&marker)? {
                report.already_known += marker.rows.total();
                report.newest_known_at = report.newest_known_at.max(marker.newest_known_at);
                continue;
            }
            let parsed = source.parse(payload, &hash)?;
            pending.push(Pending { payload, hash, marker, parsed });
        }
        settings.remember(self)?;
        let mut known = Everything { lines: Known::new(), results: Known::new(), context: Known::new() };
        let date = until.to_zoned(TimeZone::UTC).date();
        for pending in pending {
            self.take(source, date, pending, &mut known, &mut report)?;
        }
        tracing::info!(
            league.id = %report.league,
            source = report.source,
            payloads = report.payloads,
            rows = report.rows_added.total(),
            refused = report.refused.values().sum::<usize>(),
            "pulled {}",
            report.league
        );
        Ok(report)
    }

    fn take(
        &self,
        source: &dyn Source,
        date: Date,
        pending: Pending<'_>,
        known: &mut Everything,
        report: &mut IngestReport,
    ) -> Result<(), DataError> {
        let Pending { payload, hash, marker, parsed } = pending;
        self.put_raw(source.id(), date, payload, &hash)?;
        let rows = RowCounts {
            lines: parsed.lines.len(),
            results: parsed.results.len(),
            context: parsed.context.len(),
        };
        let newest = newest(&parsed);
        let mut refused: Vec<Quarantined> = parsed
            .refused
            .into_iter()
            .map(|row| Quarantined {
                raw_ref: RawRef { payload: hash.clone(), row: row.row },
                reason: row.reason,
                text: row.text,
            })
            .collect();
        let lines = known.lines.sort(self, parsed.lines)?;
        let results = known.results.sort(self, parsed.results)?;
        let context = known.context.sort(self, parsed.context)?;
        refused.extend(lines.conflicts);
        refused.extend(results.conflicts);
        refused.extend(context.conflicts);
        self.put_refused(source, date, &payload.name, &refused)?;
        report.rows_added.lines += self.put_rows(lines.new)?;
        report.rows_added.results += self.put_rows(results.new)?;
        report.rows_added.context += self.put_rows(context.new)?;

        let mut reasons = BTreeMap::new();
        for row in refused {
            *reasons.entry(row.reason).or_default() += 1;
        }
        report.new_payloads += 1;
        report.already_known += lines.already_known + results.already_known + context.already_known;
        report.newest_known_at = report.newest_known_at.max(newest);
        for (reason, count) in &reasons {
            *report.refused.entry(reason.clone()).or_default() += count;
        }
        let done = Marker { payload: payload.name.clone(), rows, refused: reasons, newest_known_at: newest };
        self.put_json(&marker, &done)
    }

    fn marker(&self, path: &str) -> Result<Option<Marker>, DataError> {
        self.try_get_json(path)
    }

    fn put_raw(&self, source: &str, date: Date, payload: &Payload, hash: &Name) -> Result<(), DataError> {
        let path = format!("data/raw/{source}/{date}/{hash}.{}.zst", payload.extension);
        let packed = zstd::encode_all(payload.bytes.as_slice(), 0).map_err(|cause| DataError::Encode {
            what: format!("the raw payload `{}`", payload.name),
            cause: Box::new(cause),
        })?;
        self.store.put_if_absent(&path, &packed).map(drop)
    }

    fn put_refused(
        &self,
        source: &dyn Source,
        date: Date,
        payload: &str,
        rows: &[Quarantined],
    ) -> Result<(), DataError> {
        if rows.is_empty() {
            return Ok(());
        }
        let origin = Origin { league: source.league().id.as_str(), source: source.id(), payload };
        self.put_batch(&format!("data/quarantine/{date}"), quarantine::encode(&origin, rows))
    }

    fn put_rows<R: Stored>(&self, partitions: BTreeMap<String, Vec<R>>) -> Result<usize, DataError> {
        let mut written = 0;
        for (partition, rows) in partitions {
            self.put_batch(&partition, R::encode(&rows))?;
            written += rows.len();
        }
        Ok(written)
    }

    /// Writes a file named by its content below `folder`.
    pub(super) fn put_batch(
        &self,
        folder: &str,
        batch: Result<RecordBatch, ArrowError>,
    ) -> Result<(), DataError> {
        let failed = |cause| DataError::Encode { what: format!("rows for `{folder}`"), cause };
        let batch = batch.map_err(|cause| failed(Box::new(cause)))?;
        let bytes = encode::parquet(&batch).map_err(|cause| failed(Box::new(cause)))?;
        let path = format!("{folder}/{}.parquet", sha256(&bytes));
        self.store.put_if_absent(&path, &bytes).map(drop)
    }
}

fn newest(parsed: &Parsed) -> Option<Timestamp> {
    let lines = parsed.lines.iter().map(market::LineRow::known_at);
    let results = parsed.results.iter().map(|row| row.known_at);
    let context = parsed.context.iter().map(|row| row.known_at);
    lines.chain(results).chain(context).max()
}

/// The same bytes may be read in another way under other settings or for another league.
fn marker_path(source: &dyn Source, hash: &Name) -> String {
    let taken = source.settings() + &source.part().unwrap_or_default();
    let settings = &sha256(taken.as_bytes())[..16];
    format!("data/ingested/{}/{}/{hash}-{settings}.json", source.id(), source.league().id)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
