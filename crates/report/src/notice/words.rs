//! A notice's title and body: what it means, then what to do.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    occasion::{Occasion, TaskFailure},
    text::{argument, quoted, title},
};
use crate::{
    Locale,
    format::{money, name, number, percent},
};

/// Failed steps that are named one by one.
const MOST_STEPS: usize = 8;

/// Digits of a sha256 that are enough to know it by.
const SHOWN_DIGITS: usize = 12;

/// Returns title and body; instants are shown in `zone`.
pub(super) fn of(occasion: &Occasion, zone: &TimeZone) -> (String, Vec<String>) {
    let (head, body) = match occasion {
        Occasion::NewChampion { version, sha256, log_loss_gain, since } => {
            let since = instant(*since, zone);
            (
                format!("New champion live: {}", name(version)),
                new_champion(version, sha256, *log_loss_gain, &since),
            )
        }
        Occasion::ChampionRolledBack { version, from, since } => {
            let since = instant(*since, zone);
            (format!("Champion rolled back: {}", name(version)), rolled_back(version, from, &since))
        }
        Occasion::RunFailed { run_id, date, tasks, reported } => {
            (failed_title(*date, tasks, *reported), failed(run_id, tasks, *reported))
        }
        Occasion::RunLate { job, due, late_minutes } => {
            let due = instant(*due, zone);
            (format!("Run late: {}, due {due}", name(job)), late(job, *late_minutes, &due))
        }
        Occasion::DrawdownLimit { drawdown, limit, bankroll, currency, peak } => {
            let (drawdown, limit) = (percent(drawdown.abs(), 1), percent(limit.abs(), 1));
            let head = format!("Drawdown of {drawdown} is past the limit of {limit}");
            (head, drawn_down(&money(*bankroll, &code(currency)), &drawdown, *peak))
        }
        Occasion::FeedFrozen { league, newest_line, as_of } => {
            let newest =
                newest_line.map(|newest| (instant(newest, zone), Locale::default().age(newest, *as_of)));
            (format!("Feed frozen: {}", name(league.as_str())), frozen(league.as_str(), newest))
        }
    };
    // A title is searched for, so its spaces are plain ones.
    (title(&head.replace('\u{a0}', " ")), body)
}

fn new_champion(version: &str, sha256: &str, log_loss_gain: Option<f64>, since: &str) -> Vec<String> {
    let compared = match log_loss_gain.filter(|gain| gain.is_finite()) {
        Some(gain) => format!(
            "On games that neither model was trained on, its log-loss is {} {} than that of the champion before it.",
            number(gain.abs(), 4),
            if gain < 0.0 { "higher" } else { "lower" },
        ),
        None => "It was not compared with a champion before it.".to_owned(),
    };
    vec![
        format!(
            "The model {} is in use since {since} (sha256 {}). {compared}",
            quoted(version),
            quoted(&sha256.chars().take(SHOWN_DIGITS).collect::<String>())
        ),
        "Nothing is to be done. `edge model list` tells why it was promoted; `edge model rollback` goes back to \
         the one before."
            .to_owned(),
    ]
}

fn rolled_back(version: &str, from: &str, since: &str) -> Vec<String> {
    vec![
        format!("The model {} is in use again since {since}, in place of {}.", quoted(version), quoted(from)),
        format!(
            "Somebody asked for it, so nothing is to be done. `edge model list` has the history; \
             `edge model promote {}` takes it back.",
            argument(from, "VERSION")
        ),
    ]
}

fn failed_title(date: Date, tasks: &[TaskFailure], reported: bool) -> String {
    let mut names: Vec<String> = tasks.iter().map(|failure| name(&failure.task)).collect();
    names.dedup();
    let names = names.join(", ");
    match (reported, names.as_str()) {
        (true, "") => format!("Night of {date} failed in part"),
        (true, names) => format!("Night of {date} failed in part: {names}"),
        (false, "") => format!("Night of {date} failed without a report"),
        (false, names) => format!("Night of {date} failed without a report: {names}"),
    }
}

fn failed(run_id: &str, tasks: &[TaskFailure], reported: bool) -> Vec<String> {
    let meaning = if reported {
        "The report was written without what these steps would have given, and says what it used instead."
    } else {
        "There is no report of this night yet, and no bet beyond those in the ledger."
    };
    let mut body = vec![meaning.to_owned()];
    let step = |failure: &TaskFailure| format!("{}: {}", quoted(&failure.task), quoted(&failure.error));
    body.extend(tasks.iter().take(MOST_STEPS).map(step));
    if tasks.len() > MOST_STEPS {
        body.push(format!("And {} more.", tasks.len() - MOST_STEPS));
    }
    let run = argument(run_id, "RUN");
    body.push(format!(
        "`edge run show {run}` has the evidence; `edge run resume {run}` goes on with the night and keeps what is done."
    ));
    body
}

fn late(job: &str, late_minutes: u32, due: &str) -> Vec<String> {
    vec![
        format!("The job {} was due at {due} and is {} late.", quoted(job), duration(late_minutes)),
        "`edge schedule --dry-run` tells what ran last and what is owed; `edge run list` whether a night is at work. \
         When nothing is, look whether `edge schedule` (or cron) runs on its machine, and start it."
            .to_owned(),
    ]
}

fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}\u{a0}min"),
        (hours, 0) => format!("{hours}\u{a0}h"),
        (hours @ ..48, minutes) => format!("{hours}\u{a0}h {minutes}\u{a0}min"),
        (hours, _) => format!("{}\u{a0}d", hours / 24),
    }
}

fn drawn_down(bankroll: &str, drawdown: &str, peak: Date) -> Vec<String> {
    let peak = peak.strftime("%-d %b %Y");
    vec![
        format!("The bankroll stands at {bankroll}, {drawdown} below its peak of {peak}."),
        "That can be bad luck, or a model that has gone wrong; the closing line value tells the two apart sooner \
         than the profit does."
            .to_owned(),
        "`edge ledger show --totals month` has both. To stake less, lower `kelly_fraction` in edge.toml; \
         `edge nightly --dry-run` bets on paper only until you know."
            .to_owned(),
    ]
}

/// Returns the letters of a currency's code, which stands in our own words.
fn code(currency: &str) -> String {
    currency.chars().filter(char::is_ascii_alphabetic).take(3).collect()
}

fn frozen(league: &str, newest: Option<(String, String)>) -> Vec<String> {
    let meaning = match newest {
        Some((newest, age)) => format!(
            "The newest price of {} is of {newest}, {age} before this was looked at; no pick rests on it.",
            quoted(league)
        ),
        None => format!("There is no price of {} at all; no pick can rest on it.", quoted(league)),
    };
    let league = argument(league, "LEAGUE");
    vec![
        meaning,
        format!(
            "`edge fetch --league {league}` asks its source again and says what it answers; `edge doctor` checks the \
             source's key. Out of season nothing is to be done."
        ),
    ]
}

fn instant(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%-d %b %Y %H:%M %Z").to_string()
}
