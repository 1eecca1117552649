//! From the night's results to the facts that the report states.

use std::{collections::BTreeMap, sync::Arc};

use coordinator::{Output, TaskContext, TaskOutput, TaskState};
use data::Snapshot;
use jiff::{SignedDuration, Timestamp};
use lenses::{Lens as LensAnswer, LensKind};
use market::{LeagueId, Money, Price};
use report::{
    ReportData,
    input::{
        Champion, FailedTask, Feed, FeedStatus, Lens, LensScore, LensView, Mode, NearMiss, Pick, Quarantine,
    },
};

use super::{
    Night, Slate, Verdict, calibration, champion_since,
    games::games,
    history, read_slate,
    rendering::{mistake, render},
    steps,
};
use crate::{context::Context, leagues, paths::Key, settings::LeagueSettings};

/// Feeds older than this at the as-of are late, and frozen at five times it.
const LATE_AFTER: SignedDuration = SignedDuration::from_hours(48);
/// Rows shown per reason of quarantine.
const EXAMPLES: usize = 3;

pub(super) fn report_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let mut data = report_data(context, night, task)?;
    data.failed_tasks.extend(mistake(context, &data));
    let json = serde_json::to_vec_pretty(&data)?;
    context.store()?.put(&Key::ReportData(night.date).to_string(), &json)?;
    let key = write_page(context, &data)?;
    let page = context.store()?.get(&key)?;
    let output = Output::of_bytes("page", format!("store:{key}"), &page);
    let summary = format!("{} ({} picks, {} kB)", key, data.picks.len(), page.len() / 1024);
    Ok(TaskOutput::new(summary).output(output))
}

/// Renders and stores the page; returns its key.
pub(crate) fn write_page(context: &Context, data: &ReportData) -> anyhow::Result<String> {
    let rendered = render(context, data)?;
    let key = Key::Report(data.date).to_string();
    context.store()?.put(&key, rendered.html.as_bytes())?;
    Ok(key)
}

fn report_data(context: &Context, night: &Night, task: &TaskContext<'_>) -> anyhow::Result<ReportData> {
    let staked = task.earlier("stake").is_some_and(|stake| stake.state == TaskState::Done);
    let slate = if staked { Some(read_slate(task.run_folder())?) } else { None };
    let snapshot = context.snapshot(night.as_of).ok();
    let history = history(context, night)?;
    let picks: Vec<Pick> = slate.iter().flat_map(|s| s.picks().map(|v| pick(v, s))).collect();
    let near_misses = slate.iter().flat_map(|s| s.near_misses().into_iter().map(near_miss)).collect();
    let settings = &context.settings.report;
    Ok(ReportData {
        title: settings.title.clone(),
        date: night.date,
        time_zone: settings.time_zone.clone(),
        locale: settings.locale.clone(),
        currency: context.settings.currency.clone(),
        as_of: night.as_of,
        mode: if night.dry_run { Mode::Paper } else { Mode::Live },
        bankroll: history.bankroll,
        games: slate.as_ref().map_or(0, |slate| slate.predictions.len()),
        prices_compared: slate.as_ref().map_or(0, |slate| slate.prices_compared),
        no_edge_reason: no_edge_reason(slate.as_ref(), &picks),
        picks,
        near_misses,
        slate: slate.as_ref().map_or_else(Vec::new, games),
        settled: history.settled,
        bankroll_curve: history.curve,
        record: history.record,
        luck: history.luck,
        models: slate.as_ref().map_or_else(Vec::new, |slate| slate.model.scores.clone()),
        reliability: match (&slate, &snapshot) {
            (Some(slate), Some(snapshot)) => calibration(context, &slate.model.version, snapshot)?,
            _ => Vec::new(),
        },
        champion: champion(context, slate.as_ref(), night)?,
        weights_version: super::weights::told(context, night.as_of)?,
        assumptions: assumptions(context)?,
        feeds: feeds(context, snapshot.as_ref(), night, task)?,
        quarantined: quarantined(context, night)?,
        failed_tasks: failed(context, task),
    })
}

fn pick(verdict: &Verdict, slate: &Slate) -> Pick {
    let line = &verdict.line;
    let probability = verdict.posterior.map_or(f64::NAN, |posterior| posterior.probability);
    let interval = verdict.posterior.map_or([f64::NAN; 2], |posterior| posterior.interval_90);
    let fair = Price::new(1.0 / probability).unwrap_or(line.price);
    let model = verdict.probability_model.unwrap_or(probability);
    let market = verdict.probability_market.unwrap_or(probability);
    Pick {
        game: Arc::clone(&line.game),
        market: line.market,
        selection: line.selection,
        points: line.points,
        book: line.book.clone(),
        price: line.price,
        captured_at: line.captured_at,
        fair_price: fair,
        probability,
        probability_interval_90: (interval[0], interval[1]),
        edge: verdict.edge,
        stake: verdict.stake.amount,
        lenses: LensKind::ALL.into_iter().zip(&verdict.lenses).map(lens_view).collect(),
        score: verdict.aggregate.score().unwrap_or_default(),
        why: format!(
            "{} pays {}; the other books together say {:.1} %, the model {:.1} %",
            line.book,
            line.price,
            100.0 * market,
            100.0 * model
        ),
        cancel_below: Some(fair),
        cancel_when: Some("a key player or the kick-off changes, or the price was taken down".to_owned()),
        raw_ref: line.raw_ref.clone(),
        predicted_as_of: slate.predictions.first().map_or(line.captured_at, |prediction| prediction.as_of),
        model_sha256: slate.model.sha256.clone(),
    }
}

pub(super) fn lens_view((kind, answer): (LensKind, &LensAnswer)) -> LensView {
    let score = match answer {
        LensAnswer::Score(score) => LensScore::Score(*score),
        LensAnswer::Veto { reason } => LensScore::Veto(reason.clone()),
        LensAnswer::Missing { reason } => LensScore::Missing(reason.clone()),
    };
    LensView { lens: lens(kind), score }
}

fn lens(kind: LensKind) -> Lens {
    match kind {
        LensKind::CircleOfCompetence => Lens::CircleOfCompetence,
        LensKind::MarginOfSafety => Lens::MarginOfSafety,
        LensKind::MrMarket => Lens::MrMarket,
        LensKind::Moat => Lens::Moat,
        LensKind::FatPitch => Lens::FatPitch,
    }
}

fn near_miss(verdict: &Verdict) -> NearMiss {
    let line = &verdict.line;
    let (stopped_by, reason) = verdict.stopped_by().unwrap_or_default();
    NearMiss {
        game: Arc::clone(&line.game),
        market: line.market,
        selection: line.selection,
        points: line.points,
        book: line.book.clone(),
        price: line.price,
        edge: verdict.edge,
        stopped_by: stopped_by.map(lens),
        reason,
    }
}

fn no_edge_reason(slate: Option<&Slate>, picks: &[Pick]) -> Option<String> {
    if !picks.is_empty() {
        return None;
    }
    Some(match slate {
        None => "there was no model or no price to decide with; see what failed below".to_owned(),
        Some(slate) if slate.predictions.is_empty() => "no game starts within the slate's hours".to_owned(),
        Some(slate) if slate.prices_compared == 0 => {
            "no book has a fresh price for tonight's games".to_owned()
        }
        Some(slate) => match slate.near_misses().first().and_then(|verdict| verdict.stopped_by()) {
            Some((Some(kind), _)) => format!("the best price was stopped by {}", kind.title().to_lowercase()),
            Some((None, reason)) => format!("of the best price, {reason}"),
            None => "no price is better than the fair one".to_owned(),
        },
    })
}

fn champion(context: &Context, slate: Option<&Slate>, night: &Night) -> anyhow::Result<Option<Champion>> {
    let Some(slate) = slate else { return Ok(None) };
    let model = &slate.model;
    Ok(Some(Champion {
        version: model.version.clone(),
        sha256: model.sha256.clone(),
        since: champion_since(context, &model.version)?.unwrap_or(night.as_of),
        data_as_of: model.data_as_of,
        git_commit: model.git_commit.clone(),
        configurations_tried: model.configurations_tried,
    }))
}

fn assumptions(context: &Context) -> anyhow::Result<Vec<String>> {
    Ok(leagues::sources(&context.settings)?.iter().flat_map(|source| source.assumptions()).collect())
}

/// Returns the state of each league's data; the same for the same data, however often the night is run.
fn feeds(
    context: &Context,
    snapshot: Option<&Snapshot>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<Vec<Feed>> {
    let lake = context.lake()?;
    let mut findings = lake.findings(night.date, night.date)?;
    for league in leagues::leagues(&context.settings)? {
        findings.extend(lake.overdue(&league, night.as_of)?);
    }
    let fresh = snapshot.map(Snapshot::freshness).unwrap_or_default();
    let feed = |(index, league): (usize, &LeagueSettings)| {
        let fresh = fresh.iter().find(|fresh| fresh.league == league.id);
        let (newest_line, newest_result) =
            fresh.map_or((None, None), |fresh| (fresh.newest_line, fresh.newest_result));
        let sources = context.settings.leagues();
        let of_league = sources[index..].iter().filter(|other| other.id == league.id);
        let mut fetches =
            of_league.enumerate().filter_map(|(source, league)| task.earlier(&league.task(source == 0)));
        let fetch = fetches.find(|record| record.evidence.as_ref().is_some_and(|e| !e.error.is_empty()));
        let failed = fetch.and_then(|record| record.evidence.as_ref()).and_then(|e| e.error.last().cloned());
        let (status, note) = match (newest_line, failed) {
            (None, failed) => (FeedStatus::Empty, failed),
            (Some(_), Some(failed)) => (FeedStatus::Late, Some(failed)),
            (Some(at), None) => (freshness(night.as_of.duration_since(at)), None),
        };
        let broken = findings.iter().filter(|finding| finding.league == league.id.as_str());
        let told: Vec<String> = note.into_iter().chain(broken.map(ToString::to_string)).collect();
        let note = (!told.is_empty()).then(|| told.join("; "));
        let rows_added = snapshot.map_or(0, |snapshot| rows_of_the_last_day(snapshot, &league.id));
        Feed { league: league.id.clone(), newest_line, newest_result, rows_added, status, note }
    };
    let leagues = context.settings.leagues();
    let first = |index: usize| leagues[..index].iter().all(|other| other.id != leagues[index].id);
    Ok(leagues.iter().enumerate().filter(|(index, _)| first(*index)).map(feed).collect())
}

/// Counts the rows that became known in the 24 hours before the as-of.
fn rows_of_the_last_day(snapshot: &Snapshot, league: &LeagueId) -> usize {
    let since = snapshot.as_of.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(snapshot.as_of);
    let new = |of: &LeagueId, known_at: Timestamp| of == league && known_at >= since;
    let lines = snapshot.lines.iter().filter(|row| new(&row.game.league, row.known_at())).count();
    let results = snapshot.results.iter().filter(|row| new(&row.game.league, row.known_at)).count();
    let context = snapshot.context.iter().filter(|row| new(&row.game.league, row.known_at)).count();
    lines + results + context
}

fn freshness(age: SignedDuration) -> FeedStatus {
    if age < LATE_AFTER {
        FeedStatus::Fresh
    } else if age < LATE_AFTER * 5 {
        FeedStatus::Late
    } else {
        FeedStatus::Frozen
    }
}

fn quarantined(context: &Context, night: &Night) -> anyhow::Result<Vec<Quarantine>> {
    let mut reasons: BTreeMap<String, Quarantine> = BTreeMap::new();
    for row in context.lake()?.quarantined(night.date, night.date)? {
        let reason = format!("{}: {}", row.league, row.reason);
        let entry =
            reasons.entry(reason.clone()).or_insert(Quarantine { reason, count: 0, examples: Vec::new() });
        entry.count += 1;
        if entry.examples.len() < EXAMPLES {
            entry.examples.push(row.text.chars().take(120).collect());
        }
    }
    Ok(reasons.into_values().collect())
}

/// Lists what is blocked, with what the report uses instead.
fn failed(context: &Context, task: &TaskContext<'_>) -> Vec<FailedTask> {
    let earlier = steps(context).into_iter().filter_map(|id| task.earlier(&id));
    earlier
        .filter(|record| record.is_lost())
        .map(|record| {
            let evidence = record.evidence.clone().unwrap_or_default();
            let error = evidence.in_words();
            FailedTask { task: record.id.clone(), error, used_instead: used_instead(&record.id) }
        })
        .collect()
}

fn used_instead(task: &str) -> Option<String> {
    let instead = match task {
        "sweep" => "the best that it had found, or else the configured settings",
        "train" | "promote" => "the champion of an earlier night",
        "weights" => "the weights of an earlier night, or else equal ones",
        "games" => "the report, without the pages of its games",
        task if task.starts_with("fetch-") => "what was fetched before",
        _ => return None,
    };
    Some(instead.to_owned())
}

/// What the ledger contributes to the report.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) bankroll: Money,
    pub(crate) settled: Vec<report::input::SettledBet>,
    pub(crate) curve: Vec<report::input::BankrollPoint>,
    pub(crate) record: Vec<report::input::RecordRow>,
    pub(crate) luck: Option<report::input::Luck>,
}
