//! Reports to look at: a normal night, a night without an edge, the very first night.

use report::{ReportData, input::Mode};

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
    data.models.clear();
    data.reliability.clear();
    data.champion = None;
    data.quarantined.clear();
    data.failed_tasks.clear();
    data.assumptions.clear();
    data.feeds.truncate(1);
    for feed in &mut data.feeds {
        (feed.newest_line, feed.newest_result, feed.rows_added) = (None, None, 0);
        feed.status = report::input::FeedStatus::Empty;
    }
    data
}

/// A normal night with `count` picks.
pub(crate) fn many_picks(count: usize) -> ReportData {
    let mut data = normal_night();
    let first = data.picks.remove(0);
    data.picks = vec![first; count];
    data
}
