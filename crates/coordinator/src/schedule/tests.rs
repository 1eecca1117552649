use super::*;

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn five_fields_mean_second_zero() {
    let from = instant("2024-05-01T00:00:30Z");
    let five = When::parse("*/5 * * * *", "UTC").unwrap().next_times(from, 3);
    assert_eq!(five, When::parse("0 */5 * * * *", "UTC").unwrap().next_times(from, 3));
    assert_eq!(five[0], instant("2024-05-01T00:05:00Z"));
}

#[test]
fn a_night_runs_once_a_day_through_both_changes_of_the_clock() {
    for (zone, day) in
        [("Europe/Berlin", "2024-03-28"), ("Europe/Berlin", "2024-10-24"), ("America/New_York", "2024-11-01")]
    {
        let half_past_two = When::parse("30 2 * * *", zone).unwrap();
        let from = instant(&format!("{day}T12:00:00Z"));
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let days: Vec<_> =
            half_past_two.next_times(from, 6).iter().map(|t| t.to_zoned(zone.clone()).date()).collect();
        for pair in days.windows(2) {
            assert_eq!(pair[1], pair[0].tomorrow().unwrap(), "{zone:?}: {days:?}");
        }
    }
}

/// The local times of the instants between two local times, with their zone.
fn local_times(expression: &str, from: &str, until: &str) -> Vec<String> {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let at = |text: &str| {
        text.parse::<jiff::civil::DateTime>().unwrap().to_zoned(zone.clone()).unwrap().timestamp()
    };
    let when = When::parse(expression, "Europe/Berlin").unwrap();
    let times = std::iter::successors(when.next_after(at(from)), |last| when.next_after(*last));
    let times = times.take_while(|time| *time <= at(until));
    times.map(|time| time.to_zoned(zone.clone()).strftime("%H:%M %Z").to_string()).collect()
}

#[test]
fn an_hour_that_does_not_exist_is_made_up_for_and_one_that_comes_twice_counts_once() {
    let (spring, autumn) =
        (("2024-03-31T00:15", "2024-03-31T04:00"), ("2024-10-27T00:15", "2024-10-27T04:00"));
    for (expression, in_spring, in_autumn) in [
        ("30 2 * * *", vec!["03:00 CEST"], vec!["02:30 CEST"]),
        ("30 2,3 * * *", vec!["03:00 CEST", "03:30 CEST"], vec!["02:30 CEST", "03:30 CET"]),
        ("0 3 * * *", vec!["03:00 CEST"], vec!["03:00 CET"]),
        ("0 2 * * *", vec!["03:00 CEST"], vec!["02:00 CEST"]),
        ("0 1 * * *", vec!["01:00 CET"], vec!["01:00 CEST"]),
        (
            "0 * * * *",
            vec!["01:00 CET", "03:00 CEST", "04:00 CEST"],
            vec!["01:00 CEST", "02:00 CEST", "02:00 CET", "03:00 CET", "04:00 CET"],
        ),
        ("30 */2 * * *", vec!["00:30 CET"], vec!["00:30 CEST", "02:30 CEST", "02:30 CET"]),
    ] {
        assert_eq!(local_times(expression, spring.0, spring.1), in_spring, "{expression}");
        assert_eq!(local_times(expression, autumn.0, autumn.1), in_autumn, "{expression}");
    }
}

#[test]
fn no_next_instant_lies_in_the_past_whatever_the_clock_does() {
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"] {
        for expression in ["30 2 * * *", "*/20 * * * *", "0 */4 * * *", "15 0 * * 0", "0 9 1 * *"] {
            let when = When::parse(expression, zone).unwrap();
            for start in ["2018-10-31T12:00:10Z", "2024-03-30T20:00:00Z", "2024-10-26T20:00:00Z"] {
                let mut last = None;
                for minutes in (0..24 * 60).step_by(7) {
                    let at = instant(start) + jiff::SignedDuration::from_mins(minutes);
                    let next = when.next_after(at).unwrap();
                    assert!(next > at, "{expression} in {zone} at {at}: {next}");
                    assert!(last.is_none_or(|last| last <= next), "{expression} in {zone} at {at}: {next}");
                    last = Some(next);
                }
            }
        }
    }
}

#[test]
fn what_is_no_cron_expression_is_refused_with_the_reason() {
    for bad in ["", "* * *", "61 * * * *", "a b c d e", "0 0 9 * * * 2024"] {
        let error = When::parse(bad, "UTC").unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{bad}` is no cron expression")), "{error}");
    }
    let error = When::parse("0 9 * * *", "Mars/Olympus").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Mars/Olympus` is no IANA time zone: use a name like Europe/Berlin or UTC"
    );
}

#[test]
fn an_instant_that_never_comes_is_none() {
    assert!(When::parse("0 9 30 2 *", "UTC").unwrap().next_after(instant("2024-01-01T00:00:00Z")).is_none());
}

#[test]
fn the_latest_instant_is_found_however_far_back_it_lies() {
    let until = instant("2024-05-20T12:00:00Z");
    for (expression, latest) in [
        ("*/10 * * * * *", Some("2024-05-20T12:00:00Z")),
        ("30 11 * * *", Some("2024-05-20T11:30:00Z")),
        ("0 13 * * *", Some("2024-05-19T13:00:00Z")),
        ("0 9 1 * *", Some("2024-05-01T09:00:00Z")),
        ("0 9 1 6 *", Some("2023-06-01T09:00:00Z")),
        ("0 9 29 2 *", Some("2024-02-29T09:00:00Z")),
        ("0 9 30 2 *", None),
    ] {
        let when = When::parse(expression, "UTC").unwrap();
        let found = when.latest_between(instant("2019-01-01T00:00:00Z"), until);
        assert_eq!(found, latest.map(instant), "{expression}");
        assert_eq!(when.latest_between(until, until), None, "{expression}");
    }
}

#[test]
fn a_schedule_tells_what_it_owes_before_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("schedule.json");
    let schedule = |now: &'static str| {
        let clock: Clock = std::sync::Arc::new(move || instant(now));
        let nine = When::parse("0 9 * * *", "UTC").unwrap();
        let schedule = Schedule::new(clock).journal(&journal);
        schedule.job("night", nine, |_| async { Outcome::done() }).unwrap()
    };
    let first = schedule("2024-05-01T12:00:00Z");
    assert_eq!(first.report().jobs[0].owed, None, "never started, so nothing is owed");
    assert!(!journal.exists(), "telling changes nothing");
    let mut records = lock(&first.desk).planner.records(Records::new());
    records.get_mut("night").unwrap().since = instant("2024-05-01T12:00:00Z");
    journal::write(&journal, &records).unwrap();
    let report = schedule("2024-05-03T10:00:00Z").report();
    assert_eq!(report.jobs[0].owed, Some(instant("2024-05-03T09:00:00Z")));
    assert_eq!(report.jobs[0].next, Some(instant("2024-05-04T09:00:00Z")));
    assert!(!report.is_well(), "it does not run");
    std::fs::write(&journal, "{\"night\": ").unwrap();
    assert_eq!(schedule("2024-05-03T10:00:00Z").report().jobs[0].owed, None, "half a journal is none");
}
