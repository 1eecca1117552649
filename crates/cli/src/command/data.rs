//! `edge data`: what is in the store, as a table, JSON or a picture; rows for other tools; small files made one.

mod picture;

use std::collections::{BTreeMap, BTreeSet};

use data::{Coverage, ImportSettings, Lake, League, RowKind};
use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use serde::Serialize;

use crate::{
    args::{
        DataArgs, DataCommand, DataCompactArgs, DataExportArgs, DataImportArgs, DataNamesArgs, DataShowArgs,
        ExportedRows,
    },
    context::{Context, say},
    exit::{Status, Usage},
    guard::{self, Guarded},
    leagues, progress,
    table::{counted, table},
};

pub(crate) fn run(args: &DataArgs, context: &Context) -> anyhow::Result<Status> {
    match &args.command {
        None => show(&args.show, context),
        Some(DataCommand::Export(args)) => export(args, context),
        Some(DataCommand::Import(args)) => import(args, context),
        Some(DataCommand::Names(args)) => names(args, context),
        Some(DataCommand::Compact(args)) => compact(args, context),
    }
}

fn show(args: &DataShowArgs, context: &Context) -> anyhow::Result<Status> {
    let lake = context.lake()?;
    let leagues = stored(context, args.league.as_deref())?;
    let bar = progress::bar(leagues.len() as u64, "read");
    let mut all = Vec::new();
    for league in &leagues {
        bar.set_message(league.id.to_string());
        all.push(lake.coverage(league, context.now)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(file) = &args.picture {
        std::fs::write(file, picture::draw(&all))
            .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", file.display()))?;
        say(&format!("wrote {}", file.display()));
    }
    if args.json {
        context.print_json(&all)?;
    } else if args.league.is_some() {
        all.iter().try_for_each(|coverage| context.print(&seasons(coverage)))?;
    } else {
        context.print(&overview(&all))?;
    }
    Ok(Status::Done)
}

fn day(instant: Option<Timestamp>) -> String {
    instant.map_or_else(|| "-".to_owned(), |instant| instant.strftime("%Y-%m-%d").to_string())
}

/// One line per league.
fn overview(all: &[Coverage]) -> String {
    let mut shown =
        table(&["league", ">seasons", ">games", ">results", ">prices", ">books", "first", "last"]);
    for coverage in all {
        let seasons = &coverage.seasons;
        let books: BTreeSet<&String> = seasons.iter().flat_map(|s| s.books.keys()).collect();
        let range = match (seasons.first(), seasons.last()) {
            (Some(first), Some(last)) if first.season < last.season => {
                format!("{}-{}", first.season, last.season)
            }
            (Some(only), _) => only.season.to_string(),
            _ => "-".to_owned(),
        };
        shown.add_row([
            coverage.league.to_string(),
            range,
            seasons.iter().map(|s| s.games).sum::<usize>().to_string(),
            seasons.iter().map(|s| s.results).sum::<usize>().to_string(),
            seasons.iter().map(|s| s.lines).sum::<usize>().to_string(),
            books.len().to_string(),
            day(seasons.iter().filter_map(|s| s.first_capture).min()),
            day(seasons.iter().filter_map(|s| s.last_capture).max()),
        ]);
    }
    shown.to_string()
}

/// One line per season, and its gaps.
fn seasons(coverage: &Coverage) -> String {
    let mut shown =
        table(&[">season", ">games", ">results", ">priced", ">prices", ">books", "first", "last", ">pause"]);
    for season in &coverage.seasons {
        let pause = |(from, to): &(Date, Date)| from.until(*to).map_or(0, |span| span.get_days());
        let longest = season.gaps.iter().map(pause).max();
        shown.add_row([
            season.season.to_string(),
            season.games.to_string(),
            season.results.to_string(),
            season.priced.to_string(),
            season.lines.to_string(),
            season.books.len().to_string(),
            day(season.first_capture),
            day(season.last_capture),
            longest.map_or_else(String::new, |days| format!("{days} days")),
        ]);
    }
    format!("{}\n{shown}", coverage.league)
}

fn export(args: &DataExportArgs, context: &Context) -> anyhow::Result<Status> {
    let extension = args.file.extension().unwrap_or_default().to_ascii_lowercase();
    if extension != "csv" && extension != "parquet" {
        return Err(Usage(format!("{} ends neither in .csv nor in .parquet", args.file.display())).into());
    }
    let as_of = match args.as_of {
        Some(date) => date.to_zoned(context.time_zone()?)?.timestamp().min(context.now),
        None => context.now,
    };
    let leagues = stored(context, args.league.as_deref())?;
    let snapshot = context.lake()?.snapshot(&leagues, as_of)?;
    let kind = match args.rows {
        ExportedRows::Lines => RowKind::Lines,
        ExportedRows::Results => RowKind::Results,
        ExportedRows::Context => RowKind::Context,
    };
    let rows = Lake::export(&snapshot, kind, &args.file)?;
    say(&format!("wrote {} known before {as_of} to {}", counted(rows, "row"), args.file.display()));
    Ok(Status::Done)
}

fn import(args: &DataImportArgs, context: &Context) -> anyhow::Result<Status> {
    let size = |path: &std::path::PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    let bar = progress::bytes(args.files.iter().map(size).sum(), "import");
    // Which leagues the files hold is found on the way, so nobody else may change any that is known.
    let known = context.lake()?.leagues()?.into_iter().chain(leagues::leagues(&context.settings)?);
    let known: BTreeSet<String> =
        known.map(|league| league.id.to_string()).chain(["import".to_owned()]).collect();
    let _alone = known
        .iter()
        .map(|id| guard::wait(context, Guarded::League(id)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let settings = ImportSettings {
        leagues: leagues::leagues(&context.settings)?,
        keep_raw: !args.no_raw,
        ..ImportSettings::new(context.now)
    };
    let report = context.lake()?.import(&args.files, &settings, &|read| bar.set_position(read))?;
    bar.finish_and_clear();
    if args.json {
        context.print_json(&report)?;
        return Ok(Status::Done);
    }
    let mut shown =
        table(&[">rows read", ">stored", ">duplicates", ">known before", ">refused", ">files written"]);
    let refused: u64 = report.refused.values().sum();
    let numbers = [
        report.rows,
        report.stored,
        report.duplicates,
        report.already_known,
        refused,
        report.files_written as u64,
    ];
    shown.add_row(numbers.map(|number| number.to_string()));
    context.print(&shown.to_string())?;
    for (reason, count) in &report.refused {
        say(&format!("  {count} refused: {reason}"));
    }
    Ok(Status::Done)
}

/// A name that nobody is known by.
#[derive(Debug, Serialize)]
struct Unknown {
    league: String,
    source: String,
    says: String,
    rows: usize,
}

fn names(args: &DataNamesArgs, context: &Context) -> anyhow::Result<Status> {
    let wanted = |id: &str| args.league.as_deref().is_none_or(|league| league == id);
    let mut unknown: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let ever = (date(1900, 1, 1), context.now.to_zoned(TimeZone::UTC).date());
    for row in context.lake()?.quarantined(ever.0, ever.1)? {
        if row.reason == "a team's name is unknown in this league" && wanted(row.league.as_str()) {
            for says in row.text.split("; ") {
                let key = (row.league.to_string(), row.source.to_string(), says.to_owned());
                *unknown.entry(key).or_default() += 1;
            }
        }
    }
    let unknown: Vec<Unknown> = unknown
        .into_iter()
        .map(|((league, source, says), rows)| Unknown { league, source, says, rows })
        .collect();
    if args.json {
        context.print_json(&unknown)?;
        return Ok(Status::Done);
    }
    if unknown.is_empty() {
        context.print("every name is known")?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["league", "source", ">rows", "what would settle it"]);
    for name in unknown {
        shown.add_row([name.league, name.source, name.rows.to_string(), name.says]);
    }
    context.print(&shown.to_string())?;
    say(
        "review each line, put it into the league's alias file (aliases = \"...\" in edge.toml), then run edge fetch --replay",
    );
    Ok(Status::Done)
}

fn compact(args: &DataCompactArgs, context: &Context) -> anyhow::Result<Status> {
    let lake = context.lake()?;
    let mut done = BTreeMap::new();
    for league in stored(context, args.league.as_deref())? {
        let _alone = guard::wait(context, Guarded::League(league.id.as_str()))?;
        done.insert(league.id.to_string(), lake.compact(&league, 1)?);
    }
    if args.json {
        context.print_json(&done)?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["league", ">seasons merged", ">files before", ">files after", ">rows doubled"]);
    for (league, compacted) in done {
        let numbers =
            [compacted.partitions, compacted.files_before, compacted.files_after, compacted.doubled];
        shown.add_row(std::iter::once(league).chain(numbers.map(|number| number.to_string())));
    }
    context.print(&shown.to_string())?;
    Ok(Status::Done)
}

/// Returns the leagues in the store, or the one that was asked for.
fn stored(context: &Context, league: Option<&str>) -> anyhow::Result<Vec<League>> {
    let mut leagues = context.lake()?.leagues()?;
    leagues.retain(|known| league.is_none_or(|league| known.id.as_str() == league));
    if leagues.is_empty() {
        let configured: Vec<String> =
            leagues::leagues(&context.settings)?.iter().map(|league| league.id.to_string()).collect();
        match league {
            Some(league) => anyhow::bail!(
                "the store holds no row of league `{league}`; run `edge fetch --league {league}` first"
            ),
            None => anyhow::bail!("the store is empty; run `edge fetch` to pull {}", configured.join(", ")),
        }
    }
    Ok(leagues)
}
