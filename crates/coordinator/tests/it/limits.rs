//! Time that runs out, memory that does, and what waits for a person.

use std::{
    fs,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use coordinator::{
    Executor, JobFailure, JobState, Limits, LocalExecutor, Plan, Resources, RunError, Silent, Task,
    TaskError, TaskOutput, TaskState, hand_off, runs,
};

use crate::{
    Count,
    executors::{end_of, shell},
    runner,
};

const SHORT: Duration = Duration::from_millis(50);

fn after(id: &str, earlier: &str) -> Task {
    Task::new(id, "test", |_| Ok(TaskOutput::new("fine"))).after([earlier])
}

#[test]
fn a_task_over_its_time_stops_when_it_is_told_and_is_not_tried_again() {
    let runs = tempfile::tempdir().unwrap();
    let slow = Task::new("slow", "test", |context| {
        while !context.cancelled() {
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(TaskError::new("stopped in the middle"))
    });
    let plan = Plan::new(vec![slow.time_budget(SHORT).retries(3), after("report", "slow")]).unwrap();
    let record = runner(runs.path()).run(&plan, &Silent).unwrap();
    let slow = &record.tasks[0];
    assert_eq!((slow.state, slow.attempts), (TaskState::Failed, 1));
    assert_eq!(slow.evidence.as_ref().unwrap().error, ["over its budget of 50ms", "stopped in the middle"]);
    assert_eq!(record.tasks[1].state, TaskState::Done);
}

#[test]
fn a_task_that_is_deaf_is_given_up_and_its_late_end_changes_nothing() {
    let runs = tempfile::tempdir().unwrap();
    let release = runs.path().join("release");
    let (seen, ended) = (release.clone(), runs.path().join("ended"));
    let late = ended.clone();
    let deaf = Task::new("deaf", "test", move |_| {
        while !seen.exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        fs::write(&late, "")?;
        Ok(TaskOutput::new("too late"))
    });
    // The last task lets the deaf one go, and waits until it has ended.
    let last = Task::new("last", "test", move |_| {
        fs::write(&release, "")?;
        while !ended.exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(TaskOutput::new("fine"))
    });
    let plan = Plan::new(vec![deaf.time_budget(SHORT), last.after(["deaf"])]).unwrap();
    let limits = Limits { stop_within: SHORT, ..Limits::default() };
    let record = runner(runs.path()).limits(limits).run(&plan, &Silent).unwrap();
    assert_eq!(record.tasks[0].state, TaskState::Failed);
    let told = record.tasks[0].evidence.as_ref().unwrap().error.join(": ");
    assert_eq!(told, "over its budget of 50ms: it does not stop and was given up");
    assert_eq!(record.tasks[1].state, TaskState::Done);
    assert!(!runs.path().join("night/deaf/.done").exists());
}

#[test]
fn a_task_that_ends_well_shortly_after_its_time_has_ended_well() {
    let runs = tempfile::tempdir().unwrap();
    let late = Task::new("late", "test", |context| {
        while !context.cancelled() {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(TaskOutput::new("all the same"))
    });
    let record =
        runner(runs.path()).run(&Plan::new(vec![late.time_budget(SHORT)]).unwrap(), &Silent).unwrap();
    assert_eq!(record.tasks[0].state, TaskState::Done);
}

#[test]
fn what_removes_something_waits_for_a_person_who_saw_the_same_inputs() {
    let (folder, count) = (tempfile::tempdir().unwrap(), Count::default());
    let plan = |what: &str| {
        let done = count.clone();
        let tidy = Task::new("tidy", "test", move |_| {
            done.fetch_add(1, Ordering::SeqCst);
            Ok(TaskOutput::new("removed"))
        });
        Plan::new(vec![tidy.input(what).destroys(format!("removes {what}")), after("report", "tidy")])
            .unwrap()
    };
    let run = |what: &str| runner(folder.path()).run(&plan(what), &Silent).unwrap();
    let record = run("run 1");
    assert_eq!(record.tasks[0].asks(), Some("removes run 1"));
    assert_eq!(record.tasks[1].state, TaskState::Done);
    assert!(record.is_settled() && !record.is_complete() && record.lost().count() == 0);
    assert!(hand_off(&record).contains("`edge run approve tidy --run night`"), "{}", hand_off(&record));
    assert_eq!(runs::list(folder.path()).unwrap()[0].verdict(), "wants approval");
    assert_eq!(run("run 1").tasks[0].state, TaskState::Blocked, "nobody said yes");

    runs::approve(folder.path(), "night", "tidy").unwrap();
    assert_eq!(
        run("runs 1 and 2").tasks[0].asks(),
        Some("removes runs 1 and 2"),
        "that is not what was asked"
    );
    assert_eq!(count.load(Ordering::SeqCst), 0);
    runs::approve(folder.path(), "night", "tidy").unwrap();
    assert!(run("runs 1 and 2").is_complete());
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let twice = runs::approve(folder.path(), "night", "tidy").unwrap_err();
    assert!(matches!(twice, RunError::NotAsked { .. }), "{twice}");
}

#[test]
fn a_job_that_wants_more_memory_than_it_may_have_fails_alone() {
    let root = tempfile::tempdir().unwrap();
    let mut executor = LocalExecutor::new(root.path(), 2);
    // Doubles a word until it has 64 MB, which the shell keeps in its heap.
    let grow = "w=edge; n=0; while [ $n -lt 24 ]; do w=$w$w; n=$((n+1)); done; touch '{output}/.done'";
    let capped = |id: &str, bytes| {
        shell(id, &format!("sleep 0.2; {grow}"))
            .resources(Resources { memory: Some(bytes), ..Resources::default() })
    };
    let begun = Instant::now();
    executor.submit(capped("greedy", 16 << 20)).unwrap();
    executor.submit(capped("modest", 1 << 30)).unwrap();
    let greedy = end_of(&mut executor, "greedy");
    assert!(matches!(greedy, JobState::Failed(JobFailure::Exit(_))), "{greedy:?} {:?}", begun.elapsed());
    assert_eq!(end_of(&mut executor, "modest"), JobState::Done);
}
