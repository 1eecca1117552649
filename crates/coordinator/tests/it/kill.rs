//! A process killed at any instant and started again ends in the state of one that was not.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use coordinator::{Output, Plan, Silent, Task, TaskOutput, folder::read_state};

use crate::{runner, write_output};

const RUNS: &str = "COORDINATOR_TEST_RUNS";
const STEP: Duration = Duration::from_millis(15);

/// Five tasks that each build on the outputs of those before, with pauses in which a kill can fall.
fn plan() -> Plan {
    let step = |id: &'static str, needs: &'static [&'static str]| {
        let work = move |context: &coordinator::TaskContext<'_>| {
            let mut text = id.to_owned();
            for need in needs {
                let output = &context.earlier(need).unwrap().outputs[0];
                text = format!("{text}({})", fs::read_to_string(&output.location)?);
            }
            fs::write(context.folder().join("table"), &text[..text.len() / 2])?;
            std::thread::sleep(STEP);
            let output: Output = write_output(context, "table", &text)?;
            std::thread::sleep(STEP);
            Ok(TaskOutput::new(text).output(output))
        };
        Task::new(id, "test", work).needs(needs.iter().copied()).output("table")
    };
    let tasks = vec![
        step("fetch", &[]),
        step("settle", &["fetch"]),
        step("train", &["fetch"]),
        step("predict", &["train"]),
        step("report", &["settle", "predict"]),
    ];
    Plan::new(tasks).unwrap()
}

/// Not a test of its own: what the tests below start as another process.
#[test]
#[ignore = "started by the tests of this file"]
#[expect(clippy::disallowed_methods, reason = "this is how the parent process hands over the folder")]
fn another_process() {
    let Ok(runs) = env::var(RUNS) else { return };
    if let Err(error) = runner(Path::new(&runs)).run(&plan(), &Silent) {
        eprintln!("refused: {error}");
    }
}

fn start(runs: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::another_process", "--ignored", "--nocapture"])
        .env(RUNS, runs)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Everything that must not depend on kills: states, outputs by name and hash, summaries, file contents.
fn end_state(runs: &Path) -> BTreeMap<String, (String, String, Vec<String>)> {
    let record = read_state(&runs.join("night")).unwrap();
    assert!(record.ended_at.is_some());
    let tasks = record.tasks.into_iter().map(|task| {
        let mut files: Vec<PathBuf> = fs::read_dir(runs.join("night").join(&task.id))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.retain(|path| !path.ends_with("log.txt") && !path.ends_with(".done"));
        files.sort();
        let texts = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        let outputs: Vec<_> = task.outputs.iter().map(|o| format!("{}={}", o.name, o.sha256)).collect();
        (task.id, (format!("{} {}", task.state.as_str(), task.summary), outputs.join(","), texts))
    });
    tasks.collect()
}

#[test]
fn killed_at_ten_instants_and_resumed_the_end_is_the_same() {
    let undisturbed = tempfile::tempdir().unwrap();
    assert!(start(undisturbed.path()).wait().unwrap().success());
    let expected = end_state(undisturbed.path());
    assert_eq!(expected.len(), 5);

    let mut cut_short = 0;
    for instant in 0..10u64 {
        let runs = tempfile::tempdir().unwrap();
        let mut child = start(runs.path());
        // Spread over start-up and all steps; 7 shares no factor with the steps' pauses.
        std::thread::sleep(Duration::from_millis(5 + instant * 17));
        child.kill().unwrap();
        child.wait().unwrap();
        cut_short +=
            u32::from(read_state(&runs.path().join("night")).is_none_or(|state| state.ended_at.is_none()));
        assert!(start(runs.path()).wait().unwrap().success());
        assert_eq!(end_state(runs.path()), expected, "killed at instant {instant}");
    }
    assert!(cut_short > 0, "no kill fell into a run");
}

#[test]
fn a_second_process_is_refused_while_the_first_works_and_welcome_after_its_death() {
    let runs = tempfile::tempdir().unwrap();
    let mut first = start(runs.path());
    let lock = runs.path().join("night/.lock");
    while fs::read_to_string(&lock).unwrap_or_default().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = start(runs.path()).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let owner =
        format!("refused: run `night` is being driven by another process (process {} since", first.id());
    assert!(said.contains(&owner), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
    let third = start(runs.path()).wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&third.stderr).contains("refused"));
}
