//! From configured leagues to their sources.

use data::{
    DataError, FootballData, IngestReport, Leads, League, Location, Nflverse, Parsed, Payload, Pull, Source,
    demo::DemoSource,
};
use market::{Name, Timestamp};

use crate::{
    context::Context,
    guard::{self, Guarded},
    paths::Key,
    settings::{LeagueSettings, Settings, SourceKind},
};

/// Returns each league's source, in the configured order.
pub(crate) fn sources(settings: &Settings) -> anyhow::Result<Vec<Box<dyn Source>>> {
    settings.leagues().iter().map(source).collect()
}

/// Returns each league's own description.
pub(crate) fn leagues(settings: &Settings) -> anyhow::Result<Vec<League>> {
    Ok(sources(settings)?.iter().map(|source| source.league().clone()).collect())
}

/// Returns one league's source.
pub(crate) fn source(league: &LeagueSettings) -> anyhow::Result<Box<dyn Source>> {
    let location = Location::new(league.path.to_vec());
    let id = league.id.as_str();
    Ok(match league.source {
        SourceKind::Demo => Box::new(demo(league)?),
        SourceKind::Nflverse => {
            Box::new(Nflverse::new(Nflverse::league(id)?, location, leads(league, Nflverse::LEADS))?)
        }
        SourceKind::FootballData => {
            let described = FootballData::league(id, league.time_zone.as_deref().unwrap_or("Europe/London"))?;
            Box::new(FootballData::new(described, location, leads(league, FootballData::LEADS))?)
        }
    })
}

/// Pulls one league into the store; of the demo league the true chances are kept beside, where no reader of rows looks.
pub(crate) fn ingest(
    context: &Context,
    league: &LeagueSettings,
    until: Timestamp,
    since: Option<Timestamp>,
) -> anyhow::Result<IngestReport> {
    let (lake, source) = (context.lake()?, source(league)?);
    let _alone = guard::wait(context, Guarded::League(league.id.as_str()))?;
    let report = match since {
        Some(since) => lake.ingest(&StartingFrom { source, since }, until)?,
        None => lake.ingest(source.as_ref(), until)?,
    };
    if league.source == SourceKind::Demo {
        let truth = demo(league)?.truth_payload(until)?;
        context.store()?.put(&Key::Truth(league.id.as_str()).to_string(), &truth.bytes)?;
    }
    Ok(report)
}

fn demo(league: &LeagueSettings) -> anyhow::Result<DemoSource> {
    let seed = league.seed.unwrap_or(data::demo::DEFAULT_SEED);
    Ok(DemoSource::new(DemoSource::league(league.id.as_str())?, seed))
}

fn leads(league: &LeagueSettings, defaults: Leads) -> Leads {
    Leads {
        line_lead: league.line_lead.unwrap_or(defaults.line_lead),
        closing_lead: league.closing_lead.unwrap_or(defaults.closing_lead),
        schedule_lead: league.schedule_lead.unwrap_or(defaults.schedule_lead),
        starters_lead: league.starters_lead.unwrap_or(defaults.starters_lead),
    }
}

/// A source cut to games that start at or after an instant.
struct StartingFrom {
    source: Box<dyn Source>,
    since: Timestamp,
}

impl Source for StartingFrom {
    fn id(&self) -> &str {
        self.source.id()
    }

    fn league(&self) -> &League {
        self.source.league()
    }

    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        self.source.fetch(pull)
    }

    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError> {
        let mut parsed = self.source.parse(payload, payload_hash)?;
        parsed.lines.retain(|row| row.game.start_time >= self.since);
        parsed.results.retain(|row| row.game.start_time >= self.since);
        parsed.context.retain(|row| row.game.start_time >= self.since);
        Ok(parsed)
    }

    fn assumptions(&self) -> Vec<String> {
        self.source.assumptions()
    }

    fn settings(&self) -> String {
        self.source.settings()
    }

    fn part(&self) -> Option<String> {
        Some(format!(" since={}", self.since))
    }
}
