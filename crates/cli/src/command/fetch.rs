//! `edge fetch`: pulls lines, results and context into the store.

use std::collections::BTreeSet;

use data::Level;

use crate::{
    args::FetchArgs,
    context::{Context, say},
    exit::{Status, Usage},
    leagues, progress,
    table::table,
};

pub(crate) fn run(args: &FetchArgs, context: &Context) -> anyhow::Result<Status> {
    let (_, until) = match args.until {
        Some(date) => (date, date.to_zoned(context.time_zone()?)?.timestamp().min(context.now)),
        None => context.night(None)?,
    };
    let wanted = |id: &str| args.league.as_deref().is_none_or(|league| league == id);
    let leagues: Vec<_> =
        context.settings.leagues().into_iter().filter(|league| wanted(league.id.as_str())).collect();
    if leagues.is_empty() {
        let asked = args.league.as_deref().unwrap_or_default();
        return Err(Usage(format!("league `{asked}` is not configured: see edge.toml")).into());
    }
    let since = match args.since {
        Some(date) => Some(date.to_zoned(context.time_zone()?.clone())?.timestamp()),
        None => None,
    };
    let bar = progress::bar(leagues.len() as u64, if args.replay { "replay" } else { "fetch" });
    let mut reports = Vec::new();
    let mut failed = 0;
    let mut replayed = BTreeSet::new();
    for league in &leagues {
        bar.set_message(league.id.to_string());
        let outcome = match args.replay {
            false => leagues::ingest(context, league, until, since).map(|report| vec![report]),
            // A league is rebuilt from all its sources at once.
            true if replayed.insert(&league.id) => leagues::replay(context, league.id.as_str()),
            true => Ok(Vec::new()),
        };
        match outcome {
            Ok(mut brought) => reports.append(&mut brought),
            Err(error) => {
                failed += 1;
                say(&format!("edge: {} from {}: {error:#}", league.id, league.source.as_str()));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if args.json {
        context.print_json(&reports)?;
    } else if !reports.is_empty() {
        let mut shown = table(&[
            "league", "source", ">files", ">new", ">lines", ">results", ">context", ">known", ">refused",
        ]);
        for report in &reports {
            let refused: usize = report.refused.values().sum();
            let numbers = [
                report.payloads,
                report.new_payloads,
                report.rows_added.lines,
                report.rows_added.results,
                report.rows_added.context,
                report.already_known,
                refused,
            ];
            let names = [report.league.to_string(), report.source.clone()];
            shown.add_row(names.into_iter().chain(numbers.map(|n| n.to_string())));
        }
        context.print(&shown.to_string())?;
        for report in &reports {
            for (reason, count) in &report.refused {
                say(&format!("  {}: {count} refused: {reason}", report.league));
            }
            for finding in &report.findings {
                say(&format!("  {}: {finding}", report.league));
            }
        }
    }
    let unread =
        reports.iter().flat_map(|report| &report.findings).any(|finding| finding.level == Level::File);
    Ok(match (failed, reports.len()) {
        (0, _) if unread => Status::Partial,
        (0, _) => Status::Done,
        (_, 0) => Status::Failed,
        _ => Status::Partial,
    })
}
