//! Facts to look at: a night with everything in it, made from the sample report; for examples, tests and benchmarks.

use std::{error::Error, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use market::Money;
use report::{
    ReportData,
    input::Mode,
    pages::input::{
        Decision, GamePage, LedgerPage, ModelPage, OpenBet, ProblemPage, Promotion, RunPage, RunSummary,
        RunVerdict, RunsPage, Site, SlatePage, TaskEvidence, TaskRow, TaskState,
    },
};

#[path = "game_facts.rs"]
mod game_facts;

pub(crate) use game_facts::game;

/// Facts, or what is wrong with the sample.
pub(crate) type Facts<T> = Result<T, Box<dyn Error>>;

pub(crate) fn sample() -> Facts<ReportData> {
    Ok(serde_json::from_str(include_str!("../sample.json"))?)
}

pub(crate) fn site() -> Facts<Site> {
    let now = "2026-11-20T08:20:00Z".parse()?;
    let (time_zone, currency) = ("Europe/Berlin".to_owned(), "EUR".to_owned());
    Ok(Site { title: "Edge".to_owned(), time_zone, currency, locale: String::new(), now })
}

pub(crate) fn slate() -> Facts<SlatePage> {
    let report = sample()?;
    let date = report.date;
    let day = |days: i64| date.saturating_add(jiff::Span::new().days(days));
    let dates = (-30..=1).filter(|days| days % 6 != -5).map(day).collect();
    Ok(SlatePage { site: site()?, date, report: Some(report), dates })
}

pub(crate) fn ledger() -> Facts<LedgerPage> {
    let report = sample()?;
    let open = report.picks.iter().map(|pick| OpenBet {
        game: Arc::clone(&pick.game),
        market: pick.market,
        selection: pick.selection,
        points: pick.points,
        book: pick.book.clone(),
        price: pick.price,
        stake: pick.stake,
        placed_at: report.as_of,
        edge: Some(pick.edge),
    });
    Ok(LedgerPage {
        site: site()?,
        mode: Mode::Live,
        bankroll: report.bankroll,
        drawdown: -0.021,
        max_drawdown: -0.064,
        open: open.collect(),
        curve: report.bankroll_curve,
        record: report.record,
        settled: report.settled,
        settled_in_all: 128,
        page: 2,
        pages: 3,
    })
}

/// When, version, decision, gain, reason, run.
type Told = (&'static str, &'static str, Decision, Option<f64>, &'static str, Option<&'static str>);

const DECISIONS: [Told; 4] = [
    (
        "2026-11-19T03:30:00Z",
        "2026-11-19-51c09a77",
        Decision::Refused,
        Some(-0.0004),
        "worse than the champion on 462 held-out games",
        Some("2026-11-19"),
    ),
    (
        "2026-11-17T03:12:00Z",
        "2026-11-17-9be1d07c",
        Decision::Promoted,
        Some(0.0011),
        "better than the champion on 455 held-out games",
        Some("2026-11-17"),
    ),
    (
        "2026-11-12T10:02:00Z",
        "2026-11-02-7d20e9f3",
        Decision::RolledBack,
        None,
        "the calibration of 2026-11-11-aa41be02 was off on gridiron totals",
        None,
    ),
    (
        "2026-11-02T03:20:00Z",
        "2026-11-02-7d20e9f3",
        Decision::Promoted,
        None,
        "there was no champion",
        Some("2026-11-02"),
    ),
];

pub(crate) fn model() -> Facts<ModelPage> {
    let report = sample()?;
    let mut history = Vec::new();
    for (at, version, decision, gain, reason, run) in DECISIONS {
        history.push(Promotion {
            at: at.parse()?,
            version: version.to_owned(),
            decision,
            gain,
            standard_error: gain.map(|_| 0.0006),
            reason: reason.to_owned(),
            run_id: run.map(str::to_owned),
        });
    }
    let (champion, models, reliability) = (report.champion, report.models, report.reliability);
    Ok(ModelPage { site: site()?, champion, models, reliability, history })
}

/// Id, when it began, minutes, states, verdict.
type Ran = (&'static str, &'static str, Option<i64>, &'static [(TaskState, usize)], RunVerdict);

const RUNS: [Ran; 6] = [
    (
        "2026-11-20",
        "2026-11-20T08:05:00Z",
        None,
        &[
            (TaskState::Done, 4),
            (TaskState::Running, 1),
            (TaskState::Pending, 1),
            (TaskState::Failed, 1),
            (TaskState::Blocked, 2),
        ],
        RunVerdict::Running,
    ),
    ("2026-11-19", "2026-11-19T02:30:00Z", Some(64), &[(TaskState::Done, 9)], RunVerdict::Done),
    (
        "2026-11-18",
        "2026-11-18T02:30:00Z",
        Some(31),
        &[(TaskState::Done, 7), (TaskState::Failed, 1), (TaskState::Blocked, 1)],
        RunVerdict::InPart,
    ),
    ("sweep-24", "2026-11-17T12:00:00Z", Some(240), &[(TaskState::Done, 24)], RunVerdict::Done),
    (
        "2026-11-17",
        "2026-11-17T02:30:00Z",
        None,
        &[(TaskState::Done, 3), (TaskState::Cancelled, 6)],
        RunVerdict::Parked,
    ),
    (
        "2026-11-16",
        "2026-11-16T02:30:00Z",
        Some(1),
        &[(TaskState::Failed, 1), (TaskState::Blocked, 8)],
        RunVerdict::Failed,
    ),
];

pub(crate) fn runs() -> Facts<RunsPage> {
    let mut runs = Vec::new();
    for (id, began, minutes, states, verdict) in RUNS {
        let began: Timestamp = began.parse()?;
        runs.push(RunSummary {
            run_id: id.to_owned(),
            date: id.parse().ok(),
            began,
            ended: minutes.map(|minutes| began + SignedDuration::from_mins(minutes)),
            states: states.to_vec(),
            verdict,
        });
    }
    Ok(RunsPage { site: site()?, runs })
}

pub(crate) fn run() -> Facts<RunPage> {
    let task = |id: &str, state, tries, seconds, summary: &str| TaskRow {
        id: id.to_owned(),
        kind: id.to_owned(),
        state,
        tries,
        seconds,
        reused: false,
        summary: summary.to_owned(),
        evidence: None,
    };
    let because = |task: TaskRow, evidence| TaskRow { evidence: Some(evidence), ..task };
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let diverged = TaskEvidence {
        error: words(&["training failed", "loss was not finite in epoch 3 of 20"]),
        log_tail: words(&["epoch 1: loss 0.9981", "epoch 2: loss 0.9920", "epoch 3: loss NaN"]),
        ..TaskEvidence::default()
    };
    let needs = TaskEvidence { blocked_by: words(&["train"]), ..TaskEvidence::default() };
    let asks = Some("The challenger would replace a champion that is 3 days old.".to_owned());
    let tasks = vec![
        TaskRow { reused: true, ..task("fetch", TaskState::Done, 1, 41.2, "1,408 rows added, 4 refused") },
        task("settle", TaskState::Done, 1, 0.44, "4 bets settled, profit −€4.30"),
        task("graph", TaskState::Done, 1, 12.7, "61,204 nodes, 480,911 edges"),
        because(task("train", TaskState::Failed, 3, 318.0, ""), diverged),
        because(task("evaluate", TaskState::Blocked, 0, 0.0, ""), needs),
        because(
            task("promote", TaskState::Blocked, 0, 0.0, ""),
            TaskEvidence { asks, ..TaskEvidence::default() },
        ),
        task("predict", TaskState::Done, 1, 2.1, "11 games by the champion of 17 November"),
        task("report", TaskState::Running, 1, 0.0, "3 edges tonight"),
        task("mail", TaskState::Pending, 0, 0.0, ""),
    ];
    Ok(RunPage { site: site()?, run: runs()?.runs.swap_remove(0), tasks, has_report: true })
}

pub(crate) fn problem() -> Facts<ProblemPage> {
    Ok(ProblemPage {
        site: site()?,
        status: 404,
        title: "No such game".to_owned(),
        detail: "The store knows no game of the id north_2026-11-31_nobody_nowhere.".to_owned(),
        command: Some("edge fetch --league north".to_owned()),
    })
}

/// Every page before anything has been run.
pub(crate) fn nothing_yet() -> Facts<(SlatePage, GamePage, LedgerPage, ModelPage, RunsPage, RunPage)> {
    let slate = SlatePage { report: None, dates: Vec::new(), ..slate()? };
    let game = GamePage {
        model_version: None,
        variants: Vec::new(),
        consensus: Vec::new(),
        margin: Vec::new(),
        total: Vec::new(),
        quotes: Vec::new(),
        history: Vec::new(),
        judged: Vec::new(),
        neighbourhood: None,
        explanations: Vec::new(),
        ..game()?
    };
    let ledger = LedgerPage {
        bankroll: Money::ZERO,
        drawdown: 0.0,
        max_drawdown: 0.0,
        curve: Vec::new(),
        record: Vec::new(),
        open: Vec::new(),
        settled: Vec::new(),
        settled_in_all: 0,
        page: 1,
        pages: 0,
        ..ledger()?
    };
    let (models, reliability) = (Vec::new(), Vec::new());
    let model = ModelPage { champion: None, models, reliability, history: Vec::new(), ..model()? };
    let runs = RunsPage { runs: Vec::new(), ..runs()? };
    let run = RunPage { tasks: Vec::new(), has_report: false, ..run()? };
    Ok((slate, game, ledger, model, runs, run))
}

/// As much as a page shows at once: three hundred games and a thousand settled bets, a large neighbourhood.
pub(crate) fn crowd() -> Facts<(SlatePage, GamePage, LedgerPage)> {
    let (mut slate, mut game, mut ledger) = (slate()?, game()?, ledger()?);
    if let Some(report) = &mut slate.report {
        report.slate = report.slate.iter().cycle().take(300).cloned().collect();
        report.picks = report.picks.iter().cycle().take(300).cloned().collect();
        report.near_misses = report.near_misses.iter().cycle().take(300).cloned().collect();
    }
    game.quotes = game.quotes.iter().cycle().take(1000).cloned().collect();
    game.judged = game.judged.iter().cycle().take(300).cloned().collect();
    if let Some(shown) = &mut game.neighbourhood {
        shown.edges = shown.edges.iter().cycle().take(1000).cloned().collect();
    }
    ledger.settled = ledger.settled.iter().cycle().take(1000).cloned().collect();
    ledger.open = ledger.open.iter().cycle().take(1000).cloned().collect();
    Ok((slate, game, ledger))
}
