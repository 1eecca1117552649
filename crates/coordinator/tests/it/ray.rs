//! Jobs on Ray: what is asked of it, how its answers are taken, and the contract on a real cluster.

mod cluster;
mod fake;

use std::{fs, path::Path, sync::Arc, time::Duration};

use coordinator::{
    Executor, ExecutorError, JobFailure, JobSpec, JobState, RayError, RayExecutor, RaySettings, RayToken,
    Resources, runner::Clock,
};
use jiff::Timestamp;
use serde_json::json;

use crate::executors::end_of;
use fake::FakeRay;

#[expect(clippy::disallowed_methods, reason = "time limits need a clock that goes")]
fn clock() -> Clock {
    Arc::new(Timestamp::now)
}

fn quick(address: &str, root: &Path) -> RaySettings {
    RaySettings {
        poll_every: Duration::from_millis(10),
        grace: Duration::from_secs(1),
        lost_after: Duration::from_secs(2),
        ..RaySettings::new(address, "run", root)
    }
}

#[test]
fn a_plan_shows_the_bodies_to_the_last_character() {
    let mut settings = RaySettings::new("http://127.0.0.1:8265", "sweep-1", "/shared/sweep-1");
    settings.token = Some(RayToken::new("hush"));
    settings.custom_resources.insert("trial_slot".into(), 1.0);
    settings.label_selector.insert("node-class".into(), "a5000".into());
    settings.working_dir = Some("gcs://_ray_pkg_00.zip".into());
    let mut trial = JobSpec::new("trial.0", "./worker")
        .args(["--out", "{output}", "it's $HOME", "two\nlines", ""])
        .env("OUT", "{output}/x")
        .env("PRICE", "$5")
        .resources(Resources { cpus: Some(2.5), gpus: 1, memory: Some(1 << 30) });
    trial.working_folder = Some("/opt/my work".into());
    let now = "2024-05-01T00:00:00Z".parse().unwrap();
    let bodies = RayExecutor::plan(&settings, &[JobSpec::new("plain", "true"), trial], now).unwrap();
    insta::assert_json_snapshot!(bodies);
    assert!(!format!("{settings:?}{bodies:?}").contains("hush"));
}

#[test]
fn first_contact_that_fails_says_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let refused = |settings: RaySettings| RayExecutor::new(settings, clock()).unwrap_err();
    let settings = |address: &str| RaySettings::new(address, "run", root.path());

    assert!(matches!(refused(settings("127.0.0.1:8265")), RayError::Address(_)));
    let error = refused(settings("http://me:hush@127.0.0.1:8265"));
    assert!(matches!(error, RayError::Address(_)) && !error.to_string().contains("hush"), "{error}");
    let wrong = RaySettings { run: "a/b".into(), ..settings("http://127.0.0.1:8265") };
    assert!(matches!(refused(wrong), RayError::InvalidRun(_)));
    let wrong = RaySettings { token: Some(RayToken::new("hu\nsh")), ..settings("http://127.0.0.1:8265") };
    assert!(matches!(refused(wrong), RayError::Token));
    // Nobody listens on port 1.
    assert!(matches!(refused(settings("http://127.0.0.1:1")), RayError::Unreachable { .. }));

    let ray = FakeRay::start();
    ray.state().token = Some("hush".into());
    assert!(matches!(refused(settings(&ray.address)), RayError::MissingToken { .. }));
    let wrong = RaySettings { token: Some(RayToken::new("other")), ..settings(&ray.address) };
    let error = refused(wrong);
    assert!(matches!(error, RayError::WrongToken { .. }));
    assert!(!format!("{error} {error:?}").contains("other"), "{error:?}");
    let right = RaySettings { token: Some(RayToken::new("hush\n")), ..settings(&ray.address) };
    let executor = RayExecutor::new(right, clock()).unwrap();
    assert!(!format!("{executor:?}").contains("hush"));
    drop(executor);

    ray.state().token = None;
    ray.state().version = "<html>a router</html>".into();
    assert!(matches!(refused(settings(&ray.address)), RayError::NotRay { .. }));
}

#[test]
fn two_executors_never_share_a_root() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let first = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    let second = RayExecutor::new(quick(&ray.address, root.path()), clock());
    assert!(matches!(second.unwrap_err(), RayError::Root(_)));
    drop(first);
    RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
}

#[test]
fn no_more_than_the_slots_are_handed_over_and_order_is_kept() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let settings = RaySettings { slots: 2, ..quick(&ray.address, root.path()) };
    let mut executor = RayExecutor::new(settings, clock()).unwrap();
    for id in ["c", "a", "b"] {
        executor.submit(JobSpec::new(id, "true")).unwrap();
    }
    assert_eq!(ray.submitted(), ["run-c-a1", "run-a-a1"]);
    poll(&mut executor, "b");
    assert_eq!(ray.submitted().len(), 2);
    ray.set("run-a-a1", &json!({"status": "SUCCEEDED"}));
    assert_eq!(end_of(&mut executor, "a"), JobState::Failed(JobFailure::NoMarker));
    assert_eq!(ray.submitted(), ["run-c-a1", "run-a-a1", "run-b-a1"]);
}

/// Polls for longer than the pause between two questions.
fn poll(executor: &mut RayExecutor, id: &str) -> JobState {
    std::thread::sleep(Duration::from_millis(15));
    executor.poll(id).unwrap()
}

fn mark(executor: &RayExecutor, id: &str) {
    fs::write(executor.output(id).unwrap().join(".done"), "").unwrap();
}

#[test]
fn a_job_that_ray_gave_up_counts_when_its_marker_comes_in_time() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let settings =
        RaySettings { slots: 2, grace: Duration::from_secs(1), ..quick(&ray.address, root.path()) };
    let mut executor = RayExecutor::new(settings, clock()).unwrap();
    let died = json!({"status": "FAILED", "error_type": "JOB_SUPERVISOR_ACTOR_DIED", "message": "node died"});
    for id in ["zombie", "dead"] {
        executor.submit(JobSpec::new(id, "true")).unwrap();
        ray.set(&format!("run-{id}-a1"), &json!({"status": "RUNNING"}));
        assert_eq!(poll(&mut executor, id), JobState::Running);
        ray.set(&format!("run-{id}-a1"), &died);
        assert_eq!(poll(&mut executor, id), JobState::Running);
    }
    mark(&executor, "zombie");
    assert_eq!(end_of(&mut executor, "zombie"), JobState::Done);
    let lost = JobFailure::Lost("JOB_SUPERVISOR_ACTOR_DIED: node died".into());
    assert_eq!(end_of(&mut executor, "dead"), JobState::Failed(lost));
    assert!(executor.output("dead").unwrap().join(".cancel").exists());

    // Even later than that, the same job is not done twice.
    mark(&executor, "dead");
    executor.submit(JobSpec::new("dead", "true")).unwrap();
    assert_eq!(executor.poll("dead").unwrap(), JobState::Done);
    assert_eq!(ray.submitted().len(), 2);
}

#[test]
fn what_no_node_has_is_said() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let mut executor = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    let gpu = Resources { gpus: 2, ..Resources::default() };
    executor.submit(JobSpec::new("job", "true").resources(gpu)).unwrap();
    let failed =
        json!({"status": "FAILED", "error_type": "JOB_SUPERVISOR_ACTOR_START_TIMEOUT", "message": "late"});
    ray.set("run-job-a1", &failed);
    let JobState::Failed(JobFailure::Lost(reason)) = end_of(&mut executor, "job") else { panic!("not lost") };
    let expected =
        "no node has GPU 2 (most on one node: 0); Ray says JOB_SUPERVISOR_ACTOR_START_TIMEOUT: late";
    assert_eq!(reason, expected);
}

#[test]
fn a_submission_whose_answer_was_lost_is_made_once() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let mut executor = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    // Taken without an answer.
    ray.state().cut_after_submit = true;
    executor.submit(JobSpec::new("taken", "true")).unwrap();
    ray.state().cut_after_submit = false;
    assert_eq!(poll(&mut executor, "taken"), JobState::Queued);
    assert_eq!(ray.submitted(), ["run-taken-a1"]);
    ray.set("run-taken-a1", &json!({"status": "SUCCEEDED"}));
    assert_eq!(end_of(&mut executor, "taken"), JobState::Failed(JobFailure::NoMarker));

    // Neither taken nor answered.
    ray.state().cut_before_submit = true;
    executor.submit(JobSpec::new("dropped", "true")).unwrap();
    assert_eq!(ray.submitted(), ["run-taken-a1"]);
    ray.state().cut_before_submit = false;
    assert_eq!(poll(&mut executor, "dropped"), JobState::Queued);
    assert_eq!(ray.submitted(), ["run-taken-a1", "run-dropped-a1"]);
}

#[test]
fn an_id_that_somebody_else_uses_is_not_taken_for_ones_own() {
    let (root, other, ray) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), FakeRay::start());
    RayExecutor::new(quick(&ray.address, other.path()), clock())
        .unwrap()
        .submit(JobSpec::new("job", "true"))
        .unwrap();
    let mut executor = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    executor.submit(JobSpec::new("job", "true")).unwrap();
    let JobState::Failed(JobFailure::NotStarted(reason)) = executor.poll("job").unwrap() else {
        panic!("taken")
    };
    assert!(reason.contains("another name than `run`"), "{reason}");
}

#[test]
fn a_head_out_of_reach_is_borne_for_a_while_and_then_its_jobs_are_lost() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let mut executor = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    for id in ["first", "second"] {
        executor.submit(JobSpec::new(id, "true")).unwrap();
    }
    ray.set("run-first-a1", &json!({"status": "RUNNING"}));
    assert_eq!(poll(&mut executor, "first"), JobState::Running);
    ray.state().down = true;
    assert_eq!(poll(&mut executor, "first"), JobState::Running);
    ray.state().down = false;
    assert_eq!(poll(&mut executor, "first"), JobState::Running);
    ray.state().down = true;
    assert!(matches!(end_of(&mut executor, "first"), JobState::Failed(JobFailure::Lost(_))));
    assert!(matches!(executor.poll("second").unwrap(), JobState::Failed(JobFailure::NotStarted(_))));

    // What still runs when it is back is stopped.
    ray.state().down = false;
    poll(&mut executor, "first");
    assert_eq!(ray.stopped(), ["run-first-a1"]);
}

#[test]
fn after_a_restart_of_the_head_only_the_marker_counts() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let settings = RaySettings { slots: 2, ..quick(&ray.address, root.path()) };
    let mut executor = RayExecutor::new(settings, clock()).unwrap();
    for id in ["ended", "gone"] {
        executor.submit(JobSpec::new(id, "true")).unwrap();
    }
    ray.restart();
    mark(&executor, "ended");
    assert_eq!(end_of(&mut executor, "ended"), JobState::Done);
    let JobState::Failed(JobFailure::Lost(reason)) = end_of(&mut executor, "gone") else {
        panic!("not lost")
    };
    assert_eq!(reason, "the head was restarted and knows nothing of it");
    assert_eq!(ray.submitted(), [""; 0], "nothing is begun again unasked");
    executor.submit(JobSpec::new("gone", "true")).unwrap();
    assert_eq!(ray.submitted(), ["run-gone-a2"]);
}

#[test]
fn an_executor_takes_over_what_the_one_before_left() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let settings = RaySettings { slots: 4, ..quick(&ray.address, root.path()) };
    let mut executor = RayExecutor::new(settings.clone(), clock()).unwrap();
    for id in ["flying", "ended", "failed", "other"] {
        executor.submit(JobSpec::new(id, "true")).unwrap();
    }
    ray.set(
        "run-failed-a1",
        &json!({"status": "FAILED", "error_type": "JOB_ENTRYPOINT_COMMAND_ERROR", "driver_exit_code": 7}),
    );
    assert_eq!(end_of(&mut executor, "failed"), JobState::Failed(JobFailure::Exit(Some(7))));
    mark(&executor, "ended");
    ray.set("run-ended-a1", &json!({"status": "SUCCEEDED"}));
    drop(executor);

    let mut executor = RayExecutor::new(settings, clock()).unwrap();
    executor.submit(JobSpec::new("flying", "true")).unwrap();
    assert!(matches!(executor.submit(JobSpec::new("flying", "true")), Err(ExecutorError::InFlight(_))));
    assert!(matches!(executor.submit(JobSpec::new("other", "false")), Err(ExecutorError::InFlight(_))));
    executor.submit(JobSpec::new("ended", "true")).unwrap();
    assert_eq!(end_of(&mut executor, "ended"), JobState::Done);
    assert_eq!(ray.submitted().len(), 4);
    // What is known to have failed is tried anew.
    executor.submit(JobSpec::new("failed", "true")).unwrap();
    assert_eq!(ray.submitted().last().unwrap(), "run-failed-a2");
}

#[test]
fn an_attempt_that_never_left_is_not_waited_for() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    RayExecutor::new(quick(&ray.address, root.path()), clock())
        .unwrap()
        .submit(JobSpec::new("job", "true"))
        .unwrap();
    // As it is written when nobody takes the connection.
    let journal = root.path().join("job/attempt-1.json");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    (record["session"], record["confirmed"]) = (json!(null), json!(false));
    fs::write(&journal, record.to_string()).unwrap();
    ray.restart();
    let mut executor = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    executor.submit(JobSpec::new("job", "true")).unwrap();
    assert_eq!(ray.submitted(), ["run-job-a2"]);
}

#[test]
fn a_cancelled_job_is_forbidden_to_start_before_ray_hears_of_it() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let mut executor = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    executor.submit(JobSpec::new("job", "true")).unwrap();
    ray.state().down = true;
    executor.cancel("job").unwrap();
    assert!(executor.output("job").unwrap().join(".cancel").exists());
    assert_eq!(executor.poll("job").unwrap(), JobState::Cancelled);
    ray.state().down = false;
    poll(&mut executor, "job");
    assert_eq!(ray.stopped(), ["run-job-a1"]);
}

#[test]
fn a_job_over_its_time_is_stopped() {
    let (root, ray) = (tempfile::tempdir().unwrap(), FakeRay::start());
    let mut executor = RayExecutor::new(quick(&ray.address, root.path()), clock()).unwrap();
    executor.submit(JobSpec::new("job", "true").timeout(Duration::from_millis(50))).unwrap();
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(executor.poll("job").unwrap(), JobState::Queued, "waiting takes no time of the job");
    ray.set("run-job-a1", &json!({"status": "RUNNING"}));
    assert_eq!(end_of(&mut executor, "job"), JobState::Failed(JobFailure::TimedOut));
    assert_eq!(ray.stopped(), ["run-job-a1"]);
}
