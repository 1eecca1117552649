//! Reports to look at: a normal night, one without an edge, the very first, one after a failed training, a huge one.

use report::{
    ReportData,
    input::{FailedTask, FeedStatus, Mode},
};

/// A night with picks, vetoes, a missing lens, a half-won bet and a failed step.
pub(crate) fn normal_night() -> ReportData {
    serde_json::from_str(include_str!("../../examples/sample.json")).unwrap()
}

/// The same night without a bet worth taking.
pub(crate) fn no_edge() -> ReportData {
    let mut data = normal_night();
    data.picks.clear();
    data.failed_tasks.clear();
    data.no_edge_reason = Some("every price is at or below its fair price after our own error.".to_owned());
    data
}

/// The first night ever: no model, no history, one empty feed, on paper.
pub(crate) fn first_night() -> ReportData {
    let mut data = normal_night();
    data.mode = Mode::Paper;
    (data.games, data.prices_compared) = (0, 0);
    data.picks.clear();
    data.near_misses.clear();
    data.slate.clear();
    data.settled.clear();
    data.bankroll_curve.truncate(1);
    data.record.clear();
    data.luck = None;
    data.models.clear();
    data.reliability.clear();
    data.champion = None;
    data.quarantined.clear();
    data.failed_tasks.clear();
    data.assumptions.clear();
    data.feeds.truncate(1);
    for feed in &mut data.feeds {
        (feed.newest_line, feed.newest_result, feed.rows_added) = (None, None, 0);
        feed.status = FeedStatus::Empty;
    }
    data
}

/// A night whose training failed for good: the report says so and rests on the champion of three days ago.
pub(crate) fn failed_training() -> ReportData {
    let mut data = normal_night();
    let failed = |task: &str, error: &str, used_instead: Option<&str>| FailedTask {
        task: task.to_owned(),
        error: error.to_owned(),
        used_instead: used_instead.map(str::to_owned),
    };
    data.failed_tasks = vec![
        failed("train", "no worker answered within 40 min", Some("the champion of 17 November")),
        failed("evaluate", "blocked by train", None),
    ];
    for feed in &mut data.feeds {
        feed.status = FeedStatus::Fresh;
    }
    data.luck = None;
    data
}

/// A normal night with `count` picks.
pub(crate) fn many_picks(count: usize) -> ReportData {
    let mut data = normal_night();
    let first = data.picks.remove(0);
    data.picks = vec![first; count];
    data
}
