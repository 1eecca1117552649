//! From configured leagues to their sources.

use std::path::Path;

use data::{
    Aliases, CsvFile, DataError, Espn, FootballData, IngestReport, Leads, League, Location, Nflverse, Parsed,
    Payload, Pull, Source, TheOddsApi, demo::DemoSource,
};
use market::{LeagueId, Name, Timestamp};

use crate::{
    context::Context,
    guard::{self, Guarded},
    paths::Key,
    settings::{LeagueSettings, Settings, SourceKind},
};

/// A season of more files than this is merged.
const FILES_PER_SEASON: usize = 16;

/// Returns every configured source in order; of a league with several, the first describes it and names its teams.
pub(crate) fn sources(settings: &Settings) -> anyhow::Result<Vec<Box<dyn Source>>> {
    settings.leagues().iter().map(|league| source(settings, None, league)).collect()
}

/// Returns what a league's sources assume about when things were known.
pub(crate) fn assumptions(settings: &Settings, league: &LeagueId) -> anyhow::Result<Vec<String>> {
    let of_league = sources(settings)?.into_iter().filter(|source| source.league().id == *league);
    Ok(of_league.flat_map(|source| source.assumptions()).collect())
}

/// Returns each league's own description, each league once.
pub(crate) fn leagues(settings: &Settings) -> anyhow::Result<Vec<League>> {
    let mut leagues: Vec<League> = Vec::new();
    for source in sources(settings)? {
        if leagues.iter().all(|league| league.id != source.league().id) {
            leagues.push(source.league().clone());
        }
    }
    Ok(leagues)
}

/// Returns a configured source; `key` opens the APIs that want one.
pub(crate) fn source(
    settings: &Settings,
    key: Option<&str>,
    league: &LeagueSettings,
) -> anyhow::Result<Box<dyn Source>> {
    let all = settings.leagues();
    let first = all.iter().find(|other| other.id == league.id).unwrap_or(league);
    let described = described(first)?;
    let entries = league.path.to_vec();
    let stored = (!entries.is_empty()).then(|| Location::new(entries.clone()));
    let location = Location::new(entries);
    let sport = league.sport.as_deref().unwrap_or_default();
    Ok(match league.source {
        SourceKind::Demo => Box::new(demo(league)?),
        SourceKind::Nflverse => Box::new(Nflverse::new(described, location, leads(league, Nflverse::LEADS))?),
        SourceKind::FootballData => {
            let source = FootballData::new(described, location, leads(league, FootballData::LEADS))?;
            match &league.division {
                Some(division) => Box::new(source.division(division)),
                None => Box::new(source),
            }
        }
        SourceKind::TheOddsApi => {
            let mut source = TheOddsApi::new(described, sport)?;
            if let Some(stored) = stored {
                source = source.stored(stored);
            }
            if let Some(month) = league.season_starts {
                source = source.season_starts(month)?;
            }
            if let Some(address) = &league.address {
                source = source.address(address);
            }
            if !league.regions.is_empty() {
                source = source.regions(&league.regions);
            }
            if let Some(key) = key {
                source = source.key(key);
            }
            Box::new(source)
        }
        SourceKind::Espn => {
            let source = Espn::new(described, stored, sport, leads(league, Espn::LEADS))?;
            match &league.address {
                Some(address) => Box::new(source.address(address)),
                None => Box::new(source),
            }
        }
        SourceKind::Csv => {
            let settings = league.csv.clone().unwrap_or_default();
            Box::new(CsvFile::new(described, location, settings, leads(league, CsvFile::LEADS))?)
        }
    })
}

/// Describes a league as its first source sees it.
fn described(league: &LeagueSettings) -> anyhow::Result<League> {
    let (id, zone) = (league.id.as_str(), league.time_zone.as_deref());
    let sport = league.sport.as_deref().unwrap_or_default();
    let mut described = match league.source {
        SourceKind::Demo => DemoSource::league(id)?,
        SourceKind::Nflverse => Nflverse::league(id)?,
        SourceKind::FootballData => FootballData::league(id, zone.unwrap_or("Europe/London"))?,
        SourceKind::TheOddsApi => TheOddsApi::league(id, sport, league.three_way, zone)?,
        SourceKind::Espn => Espn::league(id, sport, league.three_way, zone)?,
        SourceKind::Csv => CsvFile::league(id, league.three_way.unwrap_or(false), zone.unwrap_or("UTC"))?,
    };
    if let Some(three_way) = league.three_way {
        described.three_way = three_way;
    }
    Ok(described)
}

/// Reads a source's table of other names, when one is configured.
pub(crate) fn aliases(league: &LeagueSettings) -> anyhow::Result<Aliases> {
    Ok(match &league.aliases {
        Some(path) => Aliases::read(Path::new(path))?,
        None => Aliases::default(),
    })
}

/// Pulls one source into the store; of the demo league the true chances are kept beside, where no reader of rows looks.
pub(crate) fn ingest(
    context: &Context,
    league: &LeagueSettings,
    until: Timestamp,
    since: Option<Timestamp>,
) -> anyhow::Result<IngestReport> {
    let source = source(&context.settings, context.variable("ODDS_API_KEY"), league)?;
    let (lake, aliases) = (context.lake()?, aliases(league)?);
    let _alone = guard::wait(context, Guarded::League(league.id.as_str()))?;
    let first = context.settings.leagues().into_iter().find(|other| other.id == league.id);
    let is_first = first.as_ref().is_none_or(|first| first.source == league.source);
    if !is_first && lake.leagues()?.iter().all(|known| known.id != league.id) {
        let names = first.map_or("its first source", |first| first.source.as_str());
        anyhow::bail!("{names} names the teams of {} and has brought nothing yet; fetch it first", league.id);
    }
    let report = match since {
        Some(since) => lake.ingest_with(&StartingFrom { source, since }, until, &aliases)?,
        None => lake.ingest_with(source.as_ref(), until, &aliases)?,
    };
    if league.source == SourceKind::Demo {
        let truth = demo(league)?.truth_payload(until)?;
        context.store()?.put(&Key::Truth(league.id.as_str()).to_string(), &truth.bytes)?;
    }
    // Every pull adds a file per season; many small ones make every later read slow.
    lake.compact(&described(league)?, FILES_PER_SEASON)?;
    Ok(report)
}

/// Rebuilds a league's tables from the raw payloads of all its sources.
pub(crate) fn replay(context: &Context, id: &str) -> anyhow::Result<Vec<IngestReport>> {
    let configured: Vec<LeagueSettings> =
        context.settings.leagues().into_iter().filter(|league| league.id.as_str() == id).collect();
    let sources = configured
        .iter()
        .map(|league| source(&context.settings, None, league))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let aliases = configured.iter().map(aliases).collect::<anyhow::Result<Vec<_>>>()?;
    let both: Vec<(&dyn Source, &Aliases)> = sources.iter().map(AsRef::as_ref).zip(aliases.iter()).collect();
    let _alone = guard::wait(context, Guarded::League(id))?;
    Ok(context.lake()?.rebuild(&both)?)
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

    fn accumulates(&self) -> bool {
        // A part of a file is no smaller file.
        false
    }

    fn part(&self) -> Option<String> {
        Some(format!(" since={}", self.since))
    }
}
