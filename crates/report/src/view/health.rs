//! Data freshness, refused rows and failed steps in words.

use jiff::Timestamp;
use serde::Serialize;

use super::{Section, Style};
use crate::{
    format::{self, shorten},
    input::{FailedTask, Feed, FeedStatus, Mode, ReportData},
    locale::{DASH, Locale},
    words::Said,
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
    state: String,
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
    is_replaced: bool,
    used_instead: String,
}

/// Says in the first lines of the report what a reader must know before trusting it.
pub(crate) fn notices(data: &ReportData, way: &Locale) -> Vec<Said> {
    let mut notices = Vec::new();
    if data.mode == Mode::Paper {
        notices.push(Said::ours(way.say("notice-paper")));
    }
    for task in &data.failed_tasks {
        let step = format::name(&task.task);
        notices.push(match task.used_instead.as_deref().map(sentence) {
            Some(foreign) => Said { says: way.say_with("notice-step-replaced", &[("step", &step)]), foreign },
            None => Said::ours(way.say_with("notice-step", &[("step", &step)])),
        });
    }
    let stale = data.feeds.iter().filter(|feed| feed.status != FeedStatus::Fresh);
    notices.extend(stale.map(|feed| Said::ours(stale_feed(feed, data.as_of, way))));
    if data.champion.is_none() {
        notices.push(Said::ours(way.say("no-model")));
    }
    notices
}

fn stale_feed(feed: &Feed, as_of: Timestamp, way: &Locale) -> String {
    let league = feed.league.as_str().to_uppercase();
    let status = state(feed.status, way);
    match feed.newest_line {
        Some(newest) => {
            let age = way.age(newest, as_of);
            way.say_with("notice-feed", &[("league", &league), ("status", &status), ("age", &age)])
        }
        None => way.say_with("notice-feed-empty", &[("league", &league), ("status", &status)]),
    }
}

fn state(status: FeedStatus, way: &Locale) -> String {
    way.say(match status {
        FeedStatus::Fresh => "feed-fresh",
        FeedStatus::Late => "feed-late",
        FeedStatus::Frozen => "feed-frozen",
        FeedStatus::Empty => "feed-empty",
    })
}

/// Writes a notice as one sentence.
pub(crate) fn sentence_of(notice: &Said) -> String {
    if notice.foreign.is_empty() { notice.says.clone() } else { format!("{}.", notice.whole()) }
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
        instant.map_or_else(|| style.locale.say("none"), |instant| style.locale.near(instant, style.zone))
    };
    FeedRow {
        league: feed.league.as_str().to_uppercase(),
        newest_line: time(feed.newest_line),
        line_age: feed.newest_line.map_or_else(|| DASH.to_owned(), |newest| style.locale.age(newest, as_of)),
        newest_result: time(feed.newest_result),
        rows_added: style.locale.count(feed.rows_added),
        status: feed.status.as_str(),
        state: state(feed.status, style.locale),
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

pub(super) fn failed(task: &FailedTask, way: &Locale) -> FailedRow {
    FailedRow {
        task: format::name(&task.task),
        error: shorten(&task.error, LONGEST_LINE),
        is_replaced: task.used_instead.is_some(),
        used_instead: task.used_instead.as_deref().map_or_else(|| way.say("nothing"), sentence),
    }
}
