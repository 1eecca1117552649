use super::*;
use crate::schedule::Ending;

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A planner with one job at 9 every day, known since `since`.
fn nine(since: &str) -> Planner {
    let mut planner = Planner::new(SignedDuration::from_hours(20));
    planner.add("report", When::parse("0 9 * * *", "UTC").unwrap(), instant(since));
    planner
}

/// Another planner that remembers what this one noted, as after a restart.
fn restarted(planner: &Planner, now: &str) -> Planner {
    let mut after = nine(now);
    after.remember(&planner.records(Records::new()), instant(now));
    after
}

fn run(due: &str, attempt: u32) -> Vec<Decision> {
    vec![Decision::Run { job: 0, due: instant(due), attempt }]
}

fn work(planner: &mut Planner, due: &str, ending: Ending) {
    planner.begin(0, instant(due), 1, instant(due));
    planner.end(0, Outcome::other(ending, ""), instant(due));
}

#[test]
fn the_first_start_ever_catches_up_on_nothing() {
    let mut planner = nine("2024-05-10T12:00:00Z");
    assert_eq!(planner.look(instant("2024-05-10T12:00:00Z")), []);
    assert_eq!(planner.look(instant("2024-05-11T09:00:00Z")), run("2024-05-11T09:00:00Z", 1));
}

#[test]
fn a_schedule_that_died_before_its_first_run_still_owes_it() {
    let planner = nine("2024-05-10T08:50:00Z");
    let now = "2024-05-10T09:10:00Z";
    assert_eq!(restarted(&planner, now).look(instant(now)), run("2024-05-10T09:00:00Z", 1));
}

#[test]
fn several_missed_instants_are_one_run_for_the_latest() {
    let mut planner = nine("2024-05-01T00:00:00Z");
    work(&mut planner, "2024-05-02T09:00:00Z", Ending::Done);
    let now = "2024-05-06T08:00:00Z";
    let mut planner = restarted(&planner, now);
    assert_eq!(planner.look(instant("2024-05-06T04:00:00Z")), run("2024-05-05T09:00:00Z", 1));
    // Beyond the grace it is let go, which is said once.
    let due = instant("2024-05-05T09:00:00Z");
    assert_eq!(planner.look(instant(now)), [Decision::TooLate { job: 0, due }]);
    assert_eq!(planner.look(instant(now)), []);
    assert_eq!(restarted(&planner, now).look(instant(now)), []);
}

#[test]
fn what_was_cut_short_is_tried_twice_and_no_more() {
    let mut planner = nine("2024-05-01T00:00:00Z");
    planner.begin(0, instant("2024-05-02T09:00:00Z"), 1, instant("2024-05-02T09:00:00Z"));
    let now = "2024-05-02T10:00:00Z";
    let mut planner = restarted(&planner, now);
    assert_eq!(planner.look(instant(now)), run("2024-05-02T09:00:00Z", 2));
    planner.begin(0, instant("2024-05-02T09:00:00Z"), 2, instant(now));
    assert_eq!(restarted(&planner, now).look(instant(now)), []);
    for (ending, again) in [(Ending::Stopped, true), (Ending::Failed, false), (Ending::Partial, false)] {
        let mut planner = nine("2024-05-01T00:00:00Z");
        work(&mut planner, "2024-05-02T09:00:00Z", ending);
        assert_eq!(restarted(&planner, now).look(instant(now)).is_empty(), !again, "{ending:?}");
        let long_after = "2024-05-03T06:00:00Z";
        assert_eq!(restarted(&planner, long_after).look(instant(long_after)), [], "{ending:?}");
    }
}

#[test]
fn what_is_due_while_the_last_run_works_is_skipped_for_good() {
    let mut planner = nine("2024-05-01T00:00:00Z");
    planner.begin(0, instant("2024-05-02T09:00:00Z"), 1, instant("2024-05-02T09:00:00Z"));
    let due = instant("2024-05-03T09:00:00Z");
    assert_eq!(planner.look(due), [Decision::Busy { job: 0, due }]);
    planner.end(0, Outcome::done(), instant("2024-05-03T09:10:00Z"));
    let now = "2024-05-03T09:11:00Z";
    assert_eq!(planner.look(instant(now)), []);
    assert_eq!(restarted(&planner, now).look(instant(now)), []);
}

#[test]
fn a_clock_that_is_put_back_a_little_makes_nothing_run_twice() {
    let mut planner = nine("2024-05-01T00:00:00Z");
    work(&mut planner, "2024-05-02T09:00:00Z", Ending::Done);
    for now in ["2024-05-02T08:00:00Z", "2024-05-02T09:00:00Z", "2024-05-02T09:30:00Z"] {
        assert_eq!(restarted(&planner, now).look(instant(now)), []);
        assert_eq!(planner.slots[0].next(instant(now)), Some(instant("2024-05-03T09:00:00Z")));
    }
}

#[test]
fn a_clock_that_was_far_ahead_does_not_silence_a_job_for_long() {
    let mut planner = nine("2024-05-01T00:00:00Z");
    work(&mut planner, "2034-05-02T09:00:00Z", Ending::Done);
    let now = "2024-05-02T10:00:00Z";
    let mut planner = restarted(&planner, now);
    assert_eq!(planner.look(instant(now)), []);
    assert!(planner.slots[0].adrift.is_some());
    assert_eq!(planner.look(instant("2024-05-03T09:00:00Z")), run("2024-05-03T09:00:00Z", 1));
    work(&mut planner, "2024-05-03T09:00:00Z", Ending::Done);
    assert!(planner.slots[0].adrift.is_none(), "the journal is right again");
    assert_eq!(planner.look(instant("2024-05-03T09:00:30Z")), []);
}

#[test]
fn a_clock_that_starts_in_1970_makes_nothing_run_twice_once_it_is_right() {
    let mut planner = nine("2024-05-01T00:00:00Z");
    work(&mut planner, "2024-05-02T09:00:00Z", Ending::Done);
    let mut planner = restarted(&planner, "1970-01-01T00:00:05Z");
    assert_eq!(planner.look(instant("1970-01-01T00:00:05Z")), []);
    assert_eq!(planner.look(instant("2024-05-02T10:00:00Z")), []);
    assert_eq!(planner.look(instant("2024-05-03T09:00:00Z")), run("2024-05-03T09:00:00Z", 1));
}

#[test]
fn another_expression_owes_nothing_of_the_past() {
    let mut planner = nine("2024-05-01T00:00:00Z");
    work(&mut planner, "2024-05-02T09:00:00Z", Ending::Done);
    let now = instant("2024-05-02T12:00:00Z");
    let mut after = Planner::new(SignedDuration::from_hours(20));
    after.add("report", When::parse("0 10 * * *", "UTC").unwrap(), now);
    after.remember(&planner.records(Records::new()), now);
    assert_eq!(after.look(now), []);
    assert!(after.slots[0].record.last.is_some(), "but what ran last is still told");
}

#[test]
fn what_other_jobs_left_in_the_journal_stays() {
    let records = nine("2024-05-01T00:00:00Z").records(Records::new());
    let mut other = Planner::new(SignedDuration::ZERO);
    other.add("fetch", When::parse("0 9 * * *", "UTC").unwrap(), instant("2024-05-01T00:00:00Z"));
    assert_eq!(other.records(records).into_keys().collect::<Vec<_>>(), ["fetch", "report"]);
}

#[test]
fn without_a_grace_a_job_runs_on_time_and_only_then() {
    let mut planner = nine("2024-05-10T08:00:00Z");
    planner.grace = SignedDuration::ZERO;
    // Alarms ring a little after the instant.
    assert_eq!(planner.look(instant("2024-05-10T09:00:00.4Z")), run("2024-05-10T09:00:00Z", 1));
    work(&mut planner, "2024-05-10T09:00:00Z", Ending::Done);
    // Nor does a clock that is put back by seconds make it run twice.
    assert_eq!(planner.look(instant("2024-05-10T08:59:58Z")), []);
    assert_eq!(planner.look(instant("2024-05-10T09:00:01Z")), []);
    let due = instant("2024-05-11T09:00:00Z");
    assert_eq!(planner.look(instant("2024-05-11T09:10:00Z")), [Decision::TooLate { job: 0, due }]);
}
