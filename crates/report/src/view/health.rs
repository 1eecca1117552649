//! Data freshness, refused rows and failed steps in words.

use jiff::Timestamp;
use serde::Serialize;

use super::{Section, Style};
use crate::{
    format::{self, age, shorten},
    input::{FailedTask, Feed, FeedStatus, Mode, ReportData},
    locale::Locale,
};

/// Longest error or example that is shown whole, in characters.
const LONGEST_LINE: usize = 160;

/// Examples shown for each reason.
const EXAMPLES: usize = 3;

#[derive(Debug, Serialize)]
pub(super) struct FeedRow {
    league: String,
    newest_line: String,
    line_age: String,
    newest_result: String,
    rows_added: String,
    status: &'static str,
    note: String,
}

#[derive(Debug, Serialize)]
pub(super) struct QuarantineView {
    #[serde(flatten)]
    reasons: Section<QuarantineRow>,
    total: String,
}

#[derive(Debug, Serialize)]
struct QuarantineRow {
    reason: String,
    count: String,
    examples: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct FailedRow {
    task: String,
    error: String,
    used_instead: String,
}

/// Says in the first lines of the report what a reader must know before trusting it.
pub(crate) fn notices(data: &ReportData, _: &Locale) -> Vec<String> {
    let mut notices = Vec::new();
    if data.mode == Mode::Paper {
        notices.push("Paper mode: bets are noted, nothing is to be staked.".to_owned());
    }
    for task in &data.failed_tasks {
        let instead = task.used_instead.as_deref().map(|text| format!("used instead: {}", sentence(text)));
        let instead = instead.unwrap_or_else(|| "nothing replaces it".to_owned());
        notices.push(format!("Step {} failed; {instead}.", format::name(&task.task)));
    }
    for feed in data.feeds.iter().filter(|feed| feed.status != FeedStatus::Fresh) {
        let line = feed.newest_line.map_or_else(
            || "it has no price".to_owned(),
            |newest| format!("its newest price is {} old", age(newest, data.as_of)),
        );
        notices.push(format!(
            "Feed {} is {}: {line}.",
            feed.league.as_str().to_uppercase(),
            feed.status.as_str()
        ));
    }
    if data.champion.is_none() {
        notices.push("No model has been trained yet.".to_owned());
    }
    notices
}

/// Whether there is nothing that a reader must know before trusting the report.
pub(crate) fn is_well(data: &ReportData) -> bool {
    let is_fresh = |feed: &Feed| feed.status == FeedStatus::Fresh;
    let has_fresh_data = !data.feeds.is_empty() && data.feeds.iter().all(is_fresh);
    has_fresh_data && data.failed_tasks.is_empty() && data.champion.is_some()
}

fn sentence(text: &str) -> String {
    shorten(text, LONGEST_LINE).trim_end_matches('.').to_owned()
}

pub(super) fn feed(feed: &Feed, as_of: Timestamp, style: &Style<'_>) -> FeedRow {
    let time = |instant: Option<Timestamp>| {
        instant.map_or_else(|| "none".to_owned(), |instant| style.locale.near(instant, style.zone))
    };
    FeedRow {
        league: feed.league.as_str().to_uppercase(),
        newest_line: time(feed.newest_line),
        line_age: feed.newest_line.map_or_else(|| "–".to_owned(), |newest| age(newest, as_of)),
        newest_result: time(feed.newest_result),
        rows_added: style.locale.count(feed.rows_added),
        status: feed.status.as_str(),
        note: feed.note.as_deref().map(|note| shorten(note, LONGEST_LINE)).unwrap_or_default(),
    }
}

pub(super) fn quarantine(data: &ReportData, style: &Style<'_>) -> QuarantineView {
    let total = data.quarantined.iter().map(|reason| reason.count).sum();
    QuarantineView {
        reasons: style.section(&data.quarantined, |reason| QuarantineRow {
            reason: shorten(&reason.reason, LONGEST_LINE),
            count: style.locale.count(reason.count),
            examples: reason.examples.iter().take(EXAMPLES).map(|text| shorten(text, LONGEST_LINE)).collect(),
        }),
        total: style.locale.counted(total, "row"),
    }
}

pub(super) fn failed(task: &FailedTask) -> FailedRow {
    FailedRow {
        task: format::name(&task.task),
        error: shorten(&task.error, LONGEST_LINE),
        used_instead: task.used_instead.as_deref().map_or_else(|| "nothing".to_owned(), sentence),
    }
}
