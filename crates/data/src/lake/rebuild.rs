//! From raw payloads to fresh tables, which take the old ones' place at once.

use market::LeagueId;

use super::{Lake, intake::Intake, receipt, report::IngestReport};
use crate::{Aliases, DataError, Source};

const ROW_KINDS: [&str; 4] = ["lines", "results", "context", "games"];

impl Lake {
    /// Rebuilds a league's tables from the raw payloads of its sources, the first of which names the teams.
    ///
    /// Readers see the old tables until the new ones are whole, and then only these.
    pub fn rebuild(&self, sources: &[(&dyn Source, &Aliases)]) -> Result<Vec<IngestReport>, DataError> {
        let Some((first, _)) = sources.first() else { return Ok(Vec::new()) };
        let league = first.league().clone();
        self.refuse_partial_rebuild(&league.id, sources)?;
        let only: Vec<&dyn Source> = sources.iter().map(|(source, _)| *source).collect();
        let settings = self.rebuilt(&league, &only)?;
        let tables = self.tables_of(&league.id, settings.generation());
        // What a rebuild that was killed left behind.
        tables.clear(&ROW_KINDS)?;
        let mut reports = Vec::new();
        for (index, (source, aliases)) in sources.iter().enumerate() {
            let mut intake = Intake::new(self, *source, aliases, tables.clone(), index == 0, None)?;
            for receipt in self.receipts(source.id(), &league.id)? {
                let payload = self.received(&receipt)?;
                intake.report.payloads += 1;
                intake.take_all(vec![(receipt, payload)], None)?;
            }
            reports.push(intake.done());
        }
        settings.remember(self)?;
        tables.sweep(&ROW_KINDS)?;
        Ok(reports)
    }

    /// Refuses to leave out what another source brought, or what came before receipts were kept.
    fn refuse_partial_rebuild(
        &self,
        league: &LeagueId,
        sources: &[(&dyn Source, &Aliases)],
    ) -> Result<(), DataError> {
        if self.was_imported(league)? {
            return Err(DataError::Setting(format!(
                "rows of league {league} were imported in bulk, which no rebuild can repeat; import them into a new store instead"
            )));
        }
        for path in self.store.list("data/ingested")? {
            let mut parts = path.split('/').skip(2);
            let (Some(source), Some(of), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            if of != league.as_str() {
                continue;
            }
            if sources.iter().all(|(known, _)| known.id() != source) {
                return Err(DataError::Setting(format!(
                    "league {league} also holds rows of {source}, which is not configured; configure it again to rebuild"
                )));
            }
            let hash = file.split(['-', '.']).next().unwrap_or_default();
            if !self.store.exists(&receipt::path(source, league, hash))? {
                return Err(DataError::Setting(format!(
                    "a payload of {source} was taken before receipts were kept; fetch it once more before a rebuild"
                )));
            }
        }
        Ok(())
    }
}
