//! The schedule in real time: what needs a real clock, real processes of time, and two schedules at once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use coordinator::{
    Clock, Ending, LockError, Outcome, Schedule, ScheduleError, Stop, When,
    schedule::{Phase, Report},
};
use tokio::sync::Semaphore;

/// Far more than any of this takes on a loaded machine.
const LONG: Duration = Duration::from_mins(2);

#[expect(clippy::disallowed_methods, reason = "these tests run in real time")]
fn machine_clock() -> Clock {
    Arc::new(jiff::Timestamp::now)
}

fn every_second() -> When {
    When::parse("* * * * * *", "UTC").unwrap()
}

/// Waits until `is_so`, and fails when that takes absurdly long.
async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, waited).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_job_runs_once_per_instant_until_the_schedule_stops() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    let job = move |turn: coordinator::Turn| {
        note.lock().unwrap().push(turn.due);
        async { Outcome::done() }
    };
    let schedule = Schedule::new(machine_clock()).job("tick", every_second(), job).unwrap();
    let stop = Stop::new();
    let enough = async {
        wait_until("three runs", || seen.lock().unwrap().len() >= 3).await;
        stop.ask();
    };
    let (ran, ()) = tokio::join!(schedule.run(&stop), enough);
    ran.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
}

#[tokio::test]
async fn a_job_is_never_run_beside_itself_and_is_waited_for_at_the_end() {
    let (begun, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (count, pass) = (begun.clone(), gate.clone());
    let job = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let pass = pass.clone();
        async move {
            pass.acquire().await.unwrap().forget();
            Outcome::done()
        }
    };
    let schedule = Schedule::new(machine_clock()).job("slow", every_second(), job).unwrap();
    let (stop, watch) = (Stop::new(), schedule.watch());
    let orders = async {
        wait_until("a run", || begun.load(Ordering::SeqCst) == 1).await;
        tokio::time::sleep(Duration::from_millis(2500)).await; // two more instants pass
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        stop.ask();
        wait_until("stopping", || watch.report().status == Phase::Stopping).await;
        gate.add_permits(1);
    };
    let (ran, ()) = tokio::join!(schedule.run(&stop), orders);
    ran.unwrap();
    let report = watch.report();
    assert_eq!(report.status, Phase::Down);
    let last = report.jobs[0].last.clone().unwrap();
    assert_eq!(last.outcome, Some(Outcome::done()), "waited for");
}

/// Runs a job that does not end by itself, stops the schedule by `orders`, and returns how it stood then.
async fn stubborn(stop_within: Duration, parks: bool, wishes: usize) -> Report {
    let job = move |turn: coordinator::Turn| async move {
        if parks {
            turn.asked_to_stop().await;
            return Outcome::other(Ending::Stopped, "parked");
        }
        std::future::pending().await
    };
    let schedule = Schedule::new(machine_clock()).stop_within(stop_within);
    let schedule = schedule.job("stubborn", every_second(), job).unwrap();
    let (stop, watch) = (Stop::new(), schedule.watch());
    let orders = async {
        wait_until("a run", || watch.report().jobs[0].running).await;
        for _ in 0..wishes {
            stop.ask();
        }
    };
    let (ran, ()) = tokio::join!(tokio::time::timeout(LONG, schedule.run(&stop)), orders);
    ran.unwrap().unwrap(); // within the time
    watch.report()
}

#[tokio::test]
async fn a_job_parks_when_it_is_asked_and_is_killed_when_it_does_not() {
    for (stop_within, parks, wishes, detail) in [
        (Duration::from_hours(1), true, 1, "parked"),
        (Duration::from_millis(100), false, 1, "it had to be killed"),
        (Duration::from_hours(1), false, 2, "it had to be killed"),
    ] {
        let last = stubborn(stop_within, parks, wishes).await.jobs[0].last.clone().unwrap();
        assert_eq!(last.outcome, Some(Outcome::other(Ending::Stopped, detail)));
        assert!(last.ended_at.is_some() && !last.came_to_an_end(), "still owed");
    }
}

#[tokio::test]
async fn a_job_that_panics_has_failed_and_takes_nothing_along() {
    let runs = Arc::new(AtomicU32::new(0));
    let count = runs.clone();
    let job = move |_| {
        let run = count.fetch_add(1, Ordering::SeqCst);
        async move {
            assert!(run > 0, "the first run panics");
            Outcome::done()
        }
    };
    let schedule = Schedule::new(machine_clock()).job("fragile", every_second(), job).unwrap();
    let (stop, watch) = (Stop::new(), schedule.watch());
    let orders = async {
        let outcome = || watch.report().jobs[0].last.clone().and_then(|last| last.outcome);
        wait_until("a run after the panic", || outcome() == Some(Outcome::done())).await;
        stop.ask();
    };
    let (ran, ()) = tokio::join!(schedule.run(&stop), orders);
    ran.unwrap();
    assert!(runs.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn a_second_schedule_on_the_same_journal_is_refused_with_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("runs/schedule.json");
    let schedule = || {
        let schedule = Schedule::new(machine_clock()).journal(&journal);
        schedule.job("tick", every_second(), |_| async { Outcome::done() }).unwrap()
    };
    let (first, stop) = (schedule(), Stop::new());
    let watch = first.watch();
    let orders = async {
        wait_until("the first is up", || watch.report().status == Phase::Up).await;
        let refused = schedule().run(&Stop::new()).await.unwrap_err();
        let ScheduleError::Lock(LockError::Held { owner, .. }) = &refused else { panic!("{refused:?}") };
        assert!(owner.starts_with(&format!("process {} since", std::process::id())), "{owner}");
        stop.ask();
    };
    let (ran, ()) = tokio::join!(first.run(&stop), orders);
    ran.unwrap();
    let third = Stop::new();
    third.ask();
    schedule().run(&third).await.unwrap();
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_is_a_problem_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("schedule.json");
    let schedule = Schedule::new(machine_clock()).journal(&journal);
    let schedule = schedule.job("tick", every_second(), |_| async { Outcome::done() }).unwrap();
    std::fs::create_dir(&journal).unwrap();
    let (stop, watch) = (Stop::new(), schedule.watch());
    let orders = async {
        wait_until("it is told", || watch.report().problems.iter().any(|p| p.contains("cannot be noted")))
            .await;
        assert!(!watch.report().is_well());
        std::fs::remove_dir(&journal).unwrap();
        wait_until("it is well again", || watch.report().is_well()).await;
        stop.ask();
    };
    let (ran, ()) = tokio::join!(schedule.run(&stop), orders);
    ran.unwrap();
}

#[test]
fn two_jobs_of_one_name_are_refused() {
    let done = |_| async { Outcome::done() };
    let schedule = Schedule::new(machine_clock()).job("fetch", every_second(), done).unwrap();
    let error = schedule.job("fetch", every_second(), done).unwrap_err();
    assert!(matches!(error, ScheduleError::Duplicate(name) if name == "fetch"));
}
