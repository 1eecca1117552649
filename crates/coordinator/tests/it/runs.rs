use std::{
    cell::RefCell,
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use coordinator::{
    CancelFlag, Change, Event, Limits, Observer, Output, Plan, RunError, RunFolder, RunRecord, Silent, Task,
    TaskError, TaskOutput, TaskState, runs,
};
use jiff::Timestamp;

use crate::{Count, runner, write_output};

fn counted(id: &str, count: &Count) -> Task {
    let count = count.clone();
    Task::new(id, "test", move |context| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(TaskOutput::new("made").output(write_output(context, "table", "rows")?))
    })
    .output("table")
}

#[derive(Default)]
struct Heard(RefCell<Vec<Event>>);

impl Observer for Heard {
    fn event(&self, event: &Event, _record: &RunRecord) {
        self.0.borrow_mut().push(event.clone());
    }
}

#[test]
fn a_failed_task_is_tried_again_within_its_budget() {
    let (runs, count) = (tempfile::tempdir().unwrap(), Count::default());
    let tries = count.clone();
    let task = Task::new("flaky", "test", move |context| match tries.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(TaskError::new(format!("attempt {} failed", context.attempt()))),
        _ => Ok(TaskOutput::new("third time lucky")),
    });
    let heard = Heard::default();
    let record = runner(runs.path()).run(&Plan::new(vec![task.retries(2)]).unwrap(), &heard).unwrap();
    assert_eq!((record.tasks[0].state, record.tasks[0].attempts), (TaskState::Done, 3));
    let failures = heard.0.borrow().iter().filter(|e| matches!(e.change, Change::Failed { .. })).count();
    assert_eq!(failures, 2);
}

#[test]
fn a_permanent_failure_is_not_tried_again() {
    let runs = tempfile::tempdir().unwrap();
    let task = Task::new("wrong", "test", |_| Err(TaskError::permanent("no such league"))).retries(5);
    let record = runner(runs.path()).run(&Plan::new(vec![task]).unwrap(), &Silent).unwrap();
    assert_eq!((record.tasks[0].state, record.tasks[0].attempts), (TaskState::Failed, 1));
}

#[test]
fn a_failed_task_leaves_evidence_and_only_what_needs_it_is_blocked() {
    let runs = tempfile::tempdir().unwrap();
    let fine = |_: &coordinator::TaskContext<'_>| Ok(TaskOutput::new("fine"));
    let plan = Plan::new(vec![
        Task::new("train", "test", |context| {
            context.log("epoch 1");
            let missing = fs::read("/nowhere/model.pt").map_err(TaskError::from);
            missing.map(|_| TaskOutput::new(""))
        }),
        Task::new("promote", "test", fine).needs(["train"]),
        Task::new("report", "test", |context| {
            let train = context.earlier("train").unwrap();
            Ok(TaskOutput::new(format!("training is {}", train.state.as_str())))
        })
        .after(["train", "promote"]),
        Task::new("settle", "test", fine),
    ]);
    let record = runner(runs.path()).run(&plan.unwrap(), &Silent).unwrap();
    let states: Vec<_> = record.tasks.iter().map(|task| task.state.as_str()).collect();
    assert_eq!(states, ["failed", "blocked", "done", "done"]);
    assert_eq!(record.task("report").unwrap().summary, "training is failed");
    let hand_off = fs::read_to_string(runs.path().join("night/handoff.md")).unwrap();
    insta::assert_snapshot!(hand_off);
}

#[test]
fn a_panic_is_a_failure_with_its_message() {
    let runs = tempfile::tempdir().unwrap();
    let task = Task::new("panics", "test", |_| panic!("index 3 of 2"));
    let record = runner(runs.path()).run(&Plan::new(vec![task]).unwrap(), &Silent).unwrap();
    assert_eq!(record.tasks[0].evidence.as_ref().unwrap().error, ["the task panicked: index 3 of 2"]);
}

#[test]
fn a_declared_output_that_is_absent_is_a_failure() {
    let runs = tempfile::tempdir().unwrap();
    let silent = Task::new("silent", "test", |_| Ok(TaskOutput::new(""))).output("table");
    let liar =
        Task::new("liar", "test", |_| Ok(TaskOutput::new("").output(Output::new("x", "/nowhere/x", "00"))));
    let record = runner(runs.path()).run(&Plan::new(vec![silent, liar]).unwrap(), &Silent).unwrap();
    assert!(record.tasks.iter().all(|task| task.state == TaskState::Failed));
}

#[test]
fn a_second_session_does_only_what_changed() {
    let (runs, first, second) = (tempfile::tempdir().unwrap(), Count::default(), Count::default());
    let plan = |input: &str| {
        Plan::new(vec![
            counted("fetch", &first).input("epl"),
            counted("train", &second).needs(["fetch"]).input(input),
        ])
        .unwrap()
    };
    let counts = || (first.load(Ordering::SeqCst), second.load(Ordering::SeqCst));
    let runner = runner(runs.path());
    runner.run(&plan("seed 1"), &Silent).unwrap();
    let again = runner.run(&plan("seed 1"), &Silent).unwrap();
    assert!(again.is_complete() && again.tasks.iter().all(|task| task.reused));
    assert_eq!(counts(), (1, 1));
    runner.run(&plan("seed 2"), &Silent).unwrap();
    assert_eq!(counts(), (1, 2), "another input");
    fs::write(runs.path().join("night/fetch/table"), "spoilt").unwrap();
    runner.run(&plan("seed 2"), &Silent).unwrap();
    assert_eq!(counts(), (2, 2), "an output that no longer verifies, made again with the same bytes");
    fs::remove_file(runs.path().join("night/train/.done")).unwrap();
    runner.run(&plan("seed 2"), &Silent).unwrap();
    assert_eq!(counts(), (2, 3), "no marker");
}

#[test]
fn a_failed_task_gets_a_new_budget_in_the_next_session_and_frees_those_behind_it() {
    let runs = tempfile::tempdir().unwrap();
    let network = std::sync::Arc::new(AtomicBool::new(false));
    let plan = || {
        let network = network.clone();
        let fetch = Task::new("fetch", "test", move |_| {
            if network.load(Ordering::SeqCst) {
                Ok(TaskOutput::new("fetched"))
            } else {
                Err(TaskError::new("no network"))
            }
        });
        let report = Task::new("report", "test", |context| {
            Ok(TaskOutput::new(context.earlier("fetch").unwrap().state.as_str()))
        });
        Plan::new(vec![fetch, report.after(["fetch"])]).unwrap()
    };
    let first = runner(runs.path()).run(&plan(), &Silent).unwrap();
    assert_eq!(first.task("report").unwrap().summary, "failed");
    network.store(true, Ordering::SeqCst);
    let second = runner(runs.path()).run(&plan(), &Silent).unwrap();
    assert_eq!(second.task("report").unwrap().summary, "done", "what it comes after has changed");
    assert_eq!(second.task("fetch").unwrap().attempts, 2);
}

#[test]
fn a_raised_flag_lets_work_end_and_begins_nothing() {
    let (runs, flag) = (tempfile::tempdir().unwrap(), CancelFlag::default());
    let raise = flag.clone();
    let plan = Plan::new(vec![
        Task::new("first", "test", move |_| {
            raise.raise();
            Ok(TaskOutput::new("ended"))
        }),
        Task::new("second", "test", |_| Ok(TaskOutput::new(""))).needs(["first"]),
    ]);
    let record = runner(runs.path()).cancel_flag(flag).run(&plan.unwrap(), &Silent).unwrap();
    let states: Vec<_> = record.tasks.iter().map(|task| task.state.as_str()).collect();
    assert_eq!(states, ["done", "cancelled"]);
}

#[test]
fn the_journal_and_the_state_tell_the_same_end() {
    let (runs, count) = (tempfile::tempdir().unwrap(), Count::default());
    let record =
        runner(runs.path()).run(&Plan::new(vec![counted("fetch", &count)]).unwrap(), &Silent).unwrap();
    assert_eq!(coordinator::folder::read_state(&runs.path().join("night")), Some(record));
    let events = fs::read_to_string(runs.path().join("night/events.jsonl")).unwrap();
    insta::assert_snapshot!(events);
}

#[test]
fn a_run_that_is_being_driven_cannot_be_driven_twice() {
    let runs = tempfile::tempdir().unwrap();
    let _held = RunFolder::open(runs.path(), "night", Timestamp::UNIX_EPOCH).unwrap();
    let error = runner(runs.path()).run(&Plan::new(vec![]).unwrap(), &Silent).unwrap_err();
    assert!(matches!(error, RunError::Busy { .. }), "{error}");
}

fn quick(id: impl Into<String>) -> Task {
    Task::new(id, "test", |_| Ok(TaskOutput::new("")))
}

#[test]
fn what_matters_more_begins_first() {
    let (runs, heard) = (tempfile::tempdir().unwrap(), Heard::default());
    let tasks = vec![quick("low").priority(-1), quick("first"), quick("second"), quick("urgent").priority(9)];
    let limits = Limits { concurrency: 1, ..Limits::default() };
    runner(runs.path()).limits(limits).run(&Plan::new(tasks).unwrap(), &heard).unwrap();
    let events = heard.0.borrow();
    let began = events.iter().filter(|event| matches!(event.change, Change::Started { .. }));
    let order: Vec<&str> = began.filter_map(|event| event.task.as_deref()).collect();
    assert_eq!(order, ["urgent", "first", "second", "low"]);
}

#[test]
fn the_fifty_first_task_is_refused_before_anything_begins() {
    let (folder, count) = (tempfile::tempdir().unwrap(), Count::default());
    let plan =
        |tasks: usize| Plan::new((0..tasks).map(|i| counted(&format!("t{i}"), &count)).collect()).unwrap();
    let error = runner(folder.path()).run(&plan(51), &Silent).unwrap_err();
    assert!(matches!(error, RunError::TooMany { found: 51, most: 50 }), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
    assert!(runner(folder.path()).run(&plan(50), &Silent).unwrap().is_complete());
}

#[test]
fn slow_ten_thousand_tasks_come_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let tasks =
        (0..10_000usize).map(|i| quick(format!("t{i}")).needs(i.checked_sub(100).map(|i| format!("t{i}"))));
    let limits = Limits { queued: 10_000, ..Limits::default() };
    let plan = Plan::new(tasks.collect()).unwrap();
    let record = runner(folder.path()).limits(limits).run(&plan, &Silent).unwrap();
    assert!(record.is_complete());
    let events = fs::read_to_string(folder.path().join("night/events.jsonl")).unwrap();
    assert_eq!(events.lines().count(), 20_002, "began and ended, and so did the run");
    assert_eq!(coordinator::folder::read_state(&folder.path().join("night")), Some(record));
}

#[test]
fn a_run_is_asked_to_stop_from_without_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let (path, stop) = (folder.path().to_owned(), AtomicBool::new(true));
    let first = Task::new("first", "test", move |_| {
        if stop.swap(false, Ordering::SeqCst) {
            assert!(runs::list(&path).unwrap()[0].is_driven);
            runs::request_cancel(&path, "night")?;
        }
        Ok(TaskOutput::new(""))
    });
    let plan = Plan::new(vec![first, quick("second").needs(["first"])]).unwrap();
    let record = runner(folder.path()).run(&plan, &Silent).unwrap();
    assert_eq!(record.task("second").unwrap().state, TaskState::Cancelled);
    let found = runs::list(folder.path()).unwrap();
    assert_eq!((found[0].verdict(), found[0].is_driven), ("cancelled", false));
    assert!(runner(folder.path()).run(&plan, &Silent).unwrap().is_complete());
    assert_eq!(runs::list(folder.path()).unwrap()[0].verdict(), "done");
    assert!(matches!(runs::request_cancel(folder.path(), "other"), Err(RunError::Unknown(_))));
    assert!(matches!(runs::forget(folder.path(), "night", "../x"), Err(RunError::InvalidId(_))));
}

#[test]
fn a_task_whose_success_is_taken_back_is_done_again() {
    let (folder, count) = (tempfile::tempdir().unwrap(), Count::default());
    let plan = || Plan::new(vec![counted("fetch", &count)]).unwrap();
    runner(folder.path()).run(&plan(), &Silent).unwrap();
    runs::forget(folder.path(), "night", "fetch").unwrap();
    assert!(runner(folder.path()).run(&plan(), &Silent).unwrap().is_complete());
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[test]
fn headquarters_tell_what_works_what_fails_and_what_was() {
    let (folder, page) =
        (tempfile::tempdir().unwrap(), std::sync::Arc::new(std::sync::Mutex::new(String::new())));
    let path = folder.path().join("HQ.md");
    coordinator::Runner::new(folder.path(), "before", || Timestamp::UNIX_EPOCH)
        .run(&Plan::new(vec![quick("fetch")]).unwrap(), &Silent)
        .unwrap();
    let (seen, at) = (page.clone(), path.clone());
    let plan = Plan::new(vec![
        Task::new("fetch", "test", |_| Err(TaskError::new("no network"))),
        quick("train").needs(["fetch"]),
        Task::new("report", "test", move |_| {
            // The page is behind by a moment at most.
            while !fs::read_to_string(&at)?.contains("At work: report") {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            *seen.lock().unwrap() = fs::read_to_string(&at)?;
            Ok(TaskOutput::new(""))
        })
        .after(["train"]),
    ]);
    runner(folder.path()).run(&plan.unwrap(), &Silent).unwrap();
    insta::assert_snapshot!(page.lock().unwrap().clone());
    assert!(fs::read_to_string(path).unwrap().contains("Nothing works at the moment"));
    let data: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("HQ.json")).unwrap()).unwrap();
    assert_eq!(
        (data["blockers"][0]["id"].as_str(), data["recent"][0]["run_id"].as_str()),
        (Some("fetch"), Some("before"))
    );
}
