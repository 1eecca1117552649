//! From payloads to rows in the lake, in steps that may each be the last.
//!
//! Per payload: the raw bytes and a receipt; then, once it is read, the games it speaks of, refused rows, one file of new
//! rows per partition, findings, and a marker. Each is whole or absent and named by its content. Whatever was cut short
//! is done again by the next run, which finds the rows that are there already and writes exactly the files that are missing.

use jiff::tz::TimeZone;
use market::Timestamp;

use super::{Lake, intake::Intake, report::IngestReport};
use crate::{Aliases, DataError, Pull, Source};

impl Lake {
    /// Pulls what a source offers at `until` into the lake; the same pull twice adds nothing.
    ///
    /// Rows known at or after `until` are kept too: only the as-of of a snapshot hides rows. A payload that cannot be read
    /// is a finding, and the others are taken; when none can be read, the first failure is the error.
    pub fn ingest(&self, source: &dyn Source, until: Timestamp) -> Result<IngestReport, DataError> {
        self.ingest_with(source, until, &Aliases::default())
    }

    /// Pulls like [`ingest`](Self::ingest), with the league's alias table at hand.
    pub fn ingest_with(
        &self,
        source: &dyn Source,
        until: Timestamp,
        aliases: &Aliases,
    ) -> Result<IngestReport, DataError> {
        let payloads = source.fetch(&Pull::remembering(until, &self.store))?;
        let settings = self.check_settings(source)?;
        let tables = self.tables_of(&source.league().id, settings.generation());
        let date = until.to_zoned(TimeZone::UTC).date();
        let mut intake = Intake::new(self, source, aliases, tables, settings.names(source.id()), Some(date))?;
        intake.report.payloads = payloads.len();
        let mut received = Vec::new();
        for payload in payloads {
            received.push((self.receive(source, until, &payload)?, payload));
        }
        intake.take_all(received, Some(&settings))?;
        Ok(intake.done())
    }
}
