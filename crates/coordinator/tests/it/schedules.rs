use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use coordinator::{Schedule, ScheduleError, When, runner::Clock};

#[expect(clippy::disallowed_methods, reason = "the scheduler arms its shots by the machine's clock")]
fn machine_clock() -> Clock {
    Arc::new(jiff::Timestamp::now)
}

fn every_second() -> When {
    When::parse("* * * * * *", "UTC").unwrap()
}

#[tokio::test]
async fn a_job_runs_once_per_instant_until_the_schedule_stops() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    let job = move |due| {
        note.lock().unwrap().push(due);
        async {}
    };
    let schedule = Schedule::new(machine_clock()).job("tick", every_second(), job).unwrap();
    schedule.run(tokio::time::sleep(Duration::from_millis(4200))).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 2, "{seen:?}");
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
}

#[tokio::test]
async fn a_job_is_never_run_beside_itself_and_is_waited_for_at_the_end() {
    let (working, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (flag, mark) = (working.clone(), ended.clone());
    let job = move |_| {
        assert!(!flag.swap(true, Ordering::SeqCst), "beside itself");
        let mark = mark.clone();
        async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            mark.store(true, Ordering::SeqCst);
        }
    };
    let schedule = Schedule::new(machine_clock()).job("slow", every_second(), job).unwrap();
    schedule.run(tokio::time::sleep(Duration::from_millis(3500))).await.unwrap();
    assert!(working.load(Ordering::SeqCst) && ended.load(Ordering::SeqCst));
}

#[test]
fn two_jobs_of_one_name_are_refused() {
    let schedule = Schedule::new(machine_clock()).job("fetch", every_second(), |_| async {}).unwrap();
    let error = schedule.job("fetch", every_second(), |_| async {}).unwrap_err();
    assert!(matches!(error, ScheduleError::Duplicate(name) if name == "fetch"));
}
