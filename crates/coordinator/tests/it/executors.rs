//! The contract of executors, and what is special to local processes.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use coordinator::{Executor, ExecutorError, JobFailure, JobSpec, JobState, LocalExecutor};

pub(crate) fn shell(id: &str, script: &str) -> JobSpec {
    JobSpec::new(id, "sh").args(["-c", script])
}

pub(crate) fn end_of(executor: &mut dyn Executor, id: &str) -> JobState {
    let began = Instant::now();
    loop {
        let state = executor.poll(id).unwrap();
        if state.is_final() {
            return state;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "`{id}` hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What every executor owes its callers.
pub(crate) fn executor_contract(executor: &mut dyn Executor) {
    executor.submit(shell("good", "echo said; echo made > {output}/table; touch {output}/.done")).unwrap();
    assert_eq!(end_of(executor, "good"), JobState::Done);
    assert_eq!(executor.logs("good").unwrap(), "said\n");
    assert_eq!(fs::read_to_string(executor.output("good").unwrap().join("table")).unwrap(), "made\n");

    executor.submit(shell("unmarked", "echo done")).unwrap();
    assert_eq!(end_of(executor, "unmarked"), JobState::Failed(JobFailure::NoMarker));
    executor.submit(shell("marked", "touch {output}/.done; exit 3")).unwrap();
    assert_eq!(end_of(executor, "marked"), JobState::Failed(JobFailure::Exit(Some(3))));
    executor.submit(JobSpec::new("absent", "/nowhere/program")).unwrap();
    assert!(matches!(end_of(executor, "absent"), JobState::Failed(JobFailure::NotStarted(_))));

    // A marker of an earlier attempt does not vouch for a later one.
    executor.submit(shell("good", "true")).unwrap();
    assert_eq!(end_of(executor, "good"), JobState::Failed(JobFailure::NoMarker));

    executor.submit(shell("slow", "sleep 30")).unwrap();
    assert!(matches!(executor.submit(shell("slow", "true")), Err(ExecutorError::InFlight(_))));
    executor.cancel("slow").unwrap();
    assert_eq!(executor.poll("slow").unwrap(), JobState::Cancelled);
    executor.cancel("slow").unwrap();
    assert!(matches!(executor.poll("nobody"), Err(ExecutorError::Unknown(_))));
    assert!(matches!(executor.submit(shell("../x", "true")), Err(ExecutorError::InvalidId(_))));
}

#[test]
fn local_processes_keep_the_contract() {
    let root = tempfile::tempdir().unwrap();
    executor_contract(&mut LocalExecutor::new(root.path(), 2));
}

pub(crate) fn is_alive(pid_file: &Path) -> bool {
    let pid = fs::read_to_string(pid_file).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    // A zombie is dead; whoever adopts it will reap it.
    status.is_ok_and(|stat| !stat.contains(") Z "))
}

pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_mins(1), "{what} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_job_over_its_time_is_stopped_with_its_children() {
    let root = tempfile::tempdir().unwrap();
    let mut executor = LocalExecutor::new(root.path(), 1);
    let script = "sleep 300 & echo $! > {output}/child.new; mv {output}/child.new {output}/child; wait";
    executor.submit(shell("forks", script).timeout(Duration::from_secs(3))).unwrap();
    let child = executor.output("forks").unwrap().join("child");
    wait_for("the child", || child.exists());
    assert!(is_alive(&child));
    assert_eq!(end_of(&mut executor, "forks"), JobState::Failed(JobFailure::TimedOut));
    wait_for("the child's end", || !is_alive(&child));
}

#[test]
fn dropping_the_executor_stops_what_it_started() {
    let root = tempfile::tempdir().unwrap();
    let mut executor = LocalExecutor::new(root.path(), 1);
    executor
        .submit(shell("job", "echo $$ > {output}/pid.new; mv {output}/pid.new {output}/pid; sleep 300"))
        .unwrap();
    let pid = executor.output("job").unwrap().join("pid");
    wait_for("the process", || pid.exists());
    drop(executor);
    assert!(!is_alive(&pid));
}

#[test]
fn no_more_jobs_than_slots_work_at_once_and_all_end() {
    let root = tempfile::tempdir().unwrap();
    let mut executor = LocalExecutor::new(root.path(), 2);
    // Each job says how many it finds at work, itself among them: what is polled one after the other is no one instant.
    let now = tempfile::tempdir().unwrap();
    let at_work = now.path().display().to_string();
    let ids: Vec<String> = (0..6).map(|i| format!("job-{i}")).collect();
    for id in &ids {
        let work = format!(
            "touch {at_work}/{id}; ls {at_work} | wc -l > {{output}}/seen; sleep 0.05; rm {at_work}/{id}; touch {{output}}/.done"
        );
        executor.submit(shell(id, &work)).unwrap();
    }
    loop {
        let states: Vec<_> = ids.iter().map(|id| executor.poll(id).unwrap()).collect();
        if states.iter().all(|state| *state == JobState::Done) {
            break;
        }
        assert!(!states.iter().any(|state| matches!(state, JobState::Failed(_))), "{states:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    for id in &ids {
        let seen = std::fs::read_to_string(executor.output(id).unwrap().join("seen")).unwrap();
        assert!((1..=2).contains(&seen.trim().parse::<usize>().unwrap()), "{id} saw {seen}");
    }
}

#[test]
fn what_a_killed_program_left_at_work_is_stopped_before_the_next_attempt() {
    let root = tempfile::tempdir().unwrap();
    let mut first = LocalExecutor::new(root.path(), 1);
    first
        .submit(shell("job", "echo $$ > {output}/pid.new; mv {output}/pid.new {output}/pid; sleep 300"))
        .unwrap();
    let left = first.output("job").unwrap().join("pid");
    wait_for("the process", || left.exists());
    // As a kill would: nothing is cleared up.
    std::mem::forget(first);
    let mut second = LocalExecutor::new(root.path(), 1);
    second.submit(shell("job", "touch '{output}/.done'")).unwrap();
    assert_eq!(end_of(&mut second, "job"), JobState::Done);
    wait_for("its end", || {
        // Nobody reaps it here, since its parent lives.
        let pid = fs::read_to_string(&left).unwrap();
        fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| stat.contains(") Z "))
    });
    let notes = fs::read_dir(root.path().join("job")).unwrap().flatten().map(|entry| entry.path());
    assert_eq!(notes.filter(|path| path.extension().is_some_and(|e| e == "pid")).count(), 0);
}
