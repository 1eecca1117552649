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
fn a_job_that_should_have_run_while_the_schedule_was_down_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("schedule.json");
    let schedule = |now: &'static str| {
        let clock: Clock = std::sync::Arc::new(move || instant(now));
        let nine = When::parse("0 9 * * *", "UTC").unwrap();
        Schedule::new(clock).journal(&journal).job("night", nine, |_| async {}).unwrap()
    };
    assert!(schedule("2024-05-01T12:00:00Z").missed().is_empty(), "never started, so nothing is known");
    schedule("2024-05-01T12:00:00Z").note_start(0, instant("2024-05-01T09:00:00Z"));
    assert!(schedule("2024-05-02T08:00:00Z").missed().is_empty());
    assert_eq!(schedule("2024-05-03T10:00:00Z").missed(), [("night", instant("2024-05-02T09:00:00Z"))]);
}
