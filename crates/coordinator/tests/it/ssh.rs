//! Jobs on nodes that are real ssh servers on loopback addresses.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use coordinator::{
    Executor, ExecutorError, JobFailure, JobSpec, JobState, Node, NodeError, NodeState, Placement, Resources,
    SshError, SshExecutor, SshOptions,
};

use crate::{
    executors::{end_of, executor_contract, is_alive, shell, wait_for},
    sshd::{Fleet, Server},
};

const QUICK: SshOptions = SshOptions {
    poll_every: Duration::from_millis(20),
    lost_after: Duration::from_mins(1),
    connect_within: Duration::from_secs(10),
    answer_within: Duration::from_secs(20),
    longest_pause: Duration::from_millis(100),
    kill_after: Duration::from_millis(300),
    stop_within: Duration::from_secs(20),
};

fn executor(root: &Path, nodes: impl IntoIterator<Item = Node>) -> SshExecutor {
    SshExecutor::with_options(root, nodes, QUICK).unwrap()
}

/// A job that says in its node's folder that it runs, then waits for leave to end well.
fn waiting(id: &str, leave: &Path) -> JobSpec {
    let leave = leave.display();
    let wait = format!("while [ ! -e '{leave}' ]; do sleep 0.01; done");
    shell(id, &format!("echo {id} >> ran; {wait}; touch '{{output}}/.done'"))
}

/// The jobs that ran on a node, in the order of their starts.
fn ran(node: &Node) -> Vec<String> {
    let text = fs::read_to_string(Path::new(&node.folder).join("ran")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn drive_until(executor: &mut SshExecutor, id: &str, what: &str, holds: impl Fn(&SshExecutor) -> bool) {
    let executor = std::cell::RefCell::new(executor);
    wait_for(what, || {
        executor.borrow_mut().poll(id).unwrap();
        holds(&executor.borrow())
    });
}

#[test]
fn nodes_reached_by_ssh_keep_the_contract() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    // The contract does not quote its folders.
    let folder = fleet.path("plain");
    let node = Node { folder: folder.display().to_string(), ..fleet.node(0) };
    fs::create_dir(&folder).unwrap();
    executor_contract(&mut executor(root.path(), [node]));
}

#[test]
fn thirty_six_jobs_use_three_nodes_at_once_and_each_slot_once() {
    let Some(fleet) = Fleet::start(3) else { return };
    let (root, barrier) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut executor = executor(root.path(), fleet.nodes());
    let ids: Vec<String> = (0..36).map(|number| format!("job-{number}")).collect();
    for (number, id) in ids.iter().enumerate() {
        // The first three go on only when all three are at work, so that they must be on three nodes.
        let meet = barrier.path().display();
        let work = if number < 3 {
            format!("touch {meet}/{id}; while [ $(ls {meet} | wc -l) -lt 3 ]; do sleep 0.01; done")
        } else {
            "sleep 0.02".to_owned()
        };
        let script = format!(
            "mkdir busy || touch overlap; echo {id} >> ran; {work}; rmdir busy; touch '{{output}}/.done'"
        );
        executor.submit(shell(id, &script)).unwrap();
    }
    for id in &ids {
        assert_eq!(end_of(&mut executor, id), JobState::Done, "{id}");
        assert!(executor.output(id).unwrap().join(".done").exists());
    }
    let mut all: Vec<String> = fleet.nodes().iter().flat_map(ran).collect();
    all.sort();
    let mut expected = ids.clone();
    expected.sort();
    assert_eq!(all, expected);
    for node in fleet.nodes() {
        assert!(!Path::new(&node.folder).join("overlap").exists(), "two jobs at once on {}", node.name);
        let order: Vec<usize> = ran(&node).iter().map(|id| id[4..].parse().unwrap()).collect();
        assert!(order.is_sorted(), "{order:?}");
    }
}

#[test]
fn cut_connections_neither_lose_a_job_nor_start_it_twice() {
    let Some(fleet) = Fleet::start(3) else { return };
    let root = tempfile::tempdir().unwrap();
    let mut executor = executor(root.path(), fleet.nodes());
    let ids: Vec<String> = (0..6).map(|number| format!("job-{number}")).collect();
    for id in &ids {
        let script = format!("echo {id} >> ran; sleep 0.1; touch '{{output}}/.done'");
        executor.submit(shell(id, &script)).unwrap();
    }
    let mut cuts = [0; 6];
    let mut next = cuts.iter_mut();
    let mut before = Vec::new();
    wait_for_all(&mut executor, &ids, |states| {
        // Whenever something has begun or ended: in the middle of starts, looks and copies.
        if states != before
            && let Some(cut) = next.next()
        {
            *cut = fleet.servers.iter().map(Server::cut).sum::<usize>();
            before = states.to_vec();
        }
    });
    assert!(cuts.iter().sum::<usize>() > 0);
    let mut all: Vec<String> = fleet.nodes().iter().flat_map(ran).collect();
    all.sort();
    assert_eq!(all, ids);
}

fn wait_for_all(executor: &mut SshExecutor, ids: &[String], mut each: impl FnMut(&[JobState])) {
    let began = std::time::Instant::now();
    loop {
        let states: Vec<_> = ids.iter().map(|id| executor.poll(id).unwrap()).collect();
        if states.iter().all(|state| *state == JobState::Done) {
            return;
        }
        let failed = states.iter().find(|state| state.is_final() && **state != JobState::Done);
        assert_eq!(failed, None);
        assert!(began.elapsed() < Duration::from_mins(1), "{states:?}");
        each(&states);
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_node_that_is_down_leaves_its_queue_to_others_and_is_used_again_later() {
    let Some(mut fleet) = Fleet::start(2) else { return };
    let root = tempfile::tempdir().unwrap();
    let leave = fleet.path("leave");
    let nodes = fleet.nodes();
    let mut executor = executor(root.path(), nodes.clone());
    executor.submit_on(waiting("held", &leave), Placement::node(&nodes[0].name)).unwrap();
    drive_until(&mut executor, "held", "the job", |_| ran(&nodes[0]).len() == 1);
    fleet.servers[0].stop();
    for number in 0..4 {
        executor.submit(shell(&format!("job-{number}"), "echo x >> ran; touch '{output}/.done'")).unwrap();
    }
    for number in 0..4 {
        assert_eq!(end_of(&mut executor, &format!("job-{number}")), JobState::Done);
    }
    assert_eq!(ran(&nodes[1]).len(), 4);
    drive_until(&mut executor, "held", "the node's silence", |executor| {
        matches!(&executor.nodes()[0].1, NodeState::Down(NodeError::Unreachable { .. }))
    });
    assert_eq!(executor.poll("held").unwrap(), JobState::Running);
    fs::write(&leave, "").unwrap();
    fleet.servers[0].start();
    assert_eq!(end_of(&mut executor, "held"), JobState::Done);
    executor.submit_on(waiting("later", &leave), Placement::node(nodes[0].label())).unwrap();
    assert_eq!(end_of(&mut executor, "later"), JobState::Done);
    assert_eq!(ran(&nodes[0]), ["held", "later"]);
}

#[test]
fn a_job_thought_lost_does_not_vouch_for_the_next_attempt() {
    let Some(mut fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let leave = fleet.path("leave");
    let node = fleet.node(0);
    let options = SshOptions { lost_after: Duration::from_millis(200), ..QUICK };
    let mut executor = SshExecutor::with_options(root.path(), [node.clone()], options).unwrap();
    executor.submit(waiting("job", &leave)).unwrap();
    drive_until(&mut executor, "job", "the job", |_| ran(&node).len() == 1);
    fleet.servers[0].stop();
    assert!(matches!(end_of(&mut executor, "job"), JobState::Failed(JobFailure::Lost(_))));
    fs::write(&leave, "").unwrap();
    wait_for("its late end", || Path::new(&node.folder).join("job/attempt-1/.done").exists());
    fleet.servers[0].start();
    executor.submit(shell("job", "echo again >> ran")).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Failed(JobFailure::NoMarker));
    assert_eq!(ran(&node), ["job", "again"]);
}

#[test]
fn a_detached_job_is_adopted_and_keeps_its_slot() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let leave = fleet.path("leave");
    let node = fleet.node(0);
    let mut first = executor(root.path(), [node.clone()]);
    assert!(matches!(SshExecutor::new(root.path(), [node.clone()]), Err(SshError::InUse(_))));
    first.submit(waiting("job", &leave)).unwrap();
    drive_until(&mut first, "job", "the job", |_| ran(&node).len() == 1);
    first.detach();

    let mut second = executor(root.path(), [node.clone()]);
    second.submit(shell("other", "echo other >> ran; touch '{output}/.done'")).unwrap();
    drive_until(&mut second, "other", "the node", |executor| executor.nodes()[0].1 == NodeState::Up);
    second.submit(waiting("job", &leave)).unwrap();
    drive_until(&mut second, "other", "the log", |executor| executor.logs("job").is_ok());
    assert_eq!(second.poll("other").unwrap(), JobState::Queued);
    assert_eq!(second.poll("job").unwrap(), JobState::Running);
    fs::write(&leave, "").unwrap();
    assert_eq!(end_of(&mut second, "job"), JobState::Done);
    assert_eq!(end_of(&mut second, "other"), JobState::Done);
    assert_eq!(ran(&node), ["job", "other"]);
    assert!(second.output("job").unwrap().ends_with("attempt-1"));
}

const ROOT: &str = "COORDINATOR_TEST_SSH_ROOT";
const NODE: &str = "COORDINATOR_TEST_SSH_NODE";
const LEAVE: &str = "COORDINATOR_TEST_SSH_LEAVE";

/// Not a test of its own: what the test below starts as another process, and kills.
#[test]
#[ignore = "started by a test of this file"]
#[expect(clippy::disallowed_methods, reason = "this is how the parent process hands over the folders")]
fn another_coordinator() {
    let Ok(root) = env::var(ROOT) else { return };
    let node = serde_json::from_str(&env::var(NODE).unwrap()).unwrap();
    let mut executor = executor(Path::new(&root), [node]);
    executor.submit(waiting("job", Path::new(&env::var(LEAVE).unwrap()))).unwrap();
    end_of(&mut executor, "job");
}

#[test]
fn a_job_of_a_killed_coordinator_is_adopted_running_or_ended() {
    let Some(fleet) = Fleet::start(1) else { return };
    for ended in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let leave = fleet.path(&format!("leave-{ended}"));
        let folder = fleet.path(&format!("work-{ended}"));
        fs::create_dir(&folder).unwrap();
        let node = Node { folder: folder.display().to_string(), ..fleet.node(0) };
        let mut other = Command::new(env::current_exe().unwrap())
            .args(["--exact", "ssh::another_coordinator", "--ignored", "--nocapture"])
            .env(ROOT, root.path())
            .env(NODE, serde_json::to_string(&node).unwrap())
            .env(LEAVE, &leave)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("the job", || ran(&node).len() == 1);
        other.kill().unwrap();
        other.wait().unwrap();
        if ended {
            fs::write(&leave, "").unwrap();
            wait_for("its end", || folder.join("job/attempt-1/.done").exists());
        }
        let mut executor = executor(root.path(), [node.clone()]);
        executor.submit(waiting("job", &leave)).unwrap();
        fs::write(&leave, "").unwrap();
        assert_eq!(end_of(&mut executor, "job"), JobState::Done);
        assert_eq!(ran(&node), ["job"], "ended: {ended}");
        // What is adopted once is not adopted twice.
        executor.submit(waiting("job", &leave)).unwrap();
        assert_eq!(end_of(&mut executor, "job"), JobState::Done);
        assert!(executor.output("job").unwrap().ends_with("attempt-2"));
    }
}

#[test]
fn refusals_and_silence_are_told_apart() {
    let Some(mut fleet) = Fleet::start(3) else { return };
    fleet.servers[2].stop();
    let wrong_host = fleet.node(0).known_hosts_file(fleet.path("wrong_hosts"));
    let unknown_host = fleet.node(0).known_hosts_file(fleet.path("no_hosts"));
    let wrong_key = fleet.node(1).identity_file(fleet.path("other_key"));
    let options = SshOptions { lost_after: Duration::from_millis(200), ..QUICK };
    let failure_on = |node: Node| {
        let root = tempfile::tempdir().unwrap();
        let mut executor = SshExecutor::with_options(root.path(), [node], options).unwrap();
        executor.submit(shell("job", "true")).unwrap();
        let JobState::Failed(failure) = end_of(&mut executor, "job") else { panic!("it did not fail") };
        let NodeState::Down(error) = executor.nodes().remove(0).1 else { panic!("it is not down") };
        (failure, error)
    };
    for node in [wrong_host, unknown_host] {
        let (failure, error) = failure_on(node);
        assert!(matches!(error, NodeError::HostKey { .. }), "{error}");
        assert!(failure.to_string().contains("compare it with the node's own"), "{failure}");
        assert!(matches!(failure, JobFailure::NotStarted(_)));
    }
    let (failure, error) = failure_on(wrong_key);
    assert!(matches!(error, NodeError::KeyRefused { .. }), "{error}");
    assert!(matches!(failure, JobFailure::NotStarted(_)));
    let (failure, error) = failure_on(fleet.node(2));
    assert!(matches!(error, NodeError::Unreachable { .. }), "{error}");
    assert!(failure.to_string().contains("Connection refused"), "{failure}");
    assert!(matches!(failure, JobFailure::Lost(_)));
}

#[test]
fn arguments_and_variables_arrive_as_they_are() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let mut executor = executor(root.path(), [fleet.node(0)]);
    let odd = ["a b", "it's", "\"q\"", "$HOME `id` $(id)", "line\nline\n", "", "*", "\\", "!x", "-n", "ä\t~"];
    let script = "for word in \"$@\" \"$ODD\"; do printf '%s|' \"$word\"; done > '{output}/words'; touch '{output}/.done'";
    let job = shell("job", script).args(["sh"]).args(odd).env("ODD", "a 'b'\n$c {output}");
    executor.submit(job).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    let words = fs::read_to_string(executor.output("job").unwrap().join("words")).unwrap();
    let remote = format!("{}/job/attempt-1", fleet.node(0).folder);
    assert_eq!(words, format!("{}|a 'b'\n$c {remote}|", odd.join("|")));
    executor.submit(shell("odd", "true").env("A-B", "x")).unwrap();
    assert!(matches!(executor.poll("odd").unwrap(), JobState::Failed(JobFailure::NotStarted(_))));
}

#[test]
fn a_whole_tree_comes_back_from_the_gpu_that_was_asked_for() {
    let Some(fleet) = Fleet::start(2) else { return };
    let root = tempfile::tempdir().unwrap();
    let nodes = [fleet.node(0), fleet.node(1).gpus([0, 3])];
    let mut executor = executor(root.path(), nodes.clone());
    let script = "echo on $CUDA_VISIBLE_DEVICES; cd '{output}'; mkdir -p 'a b/c' empty; touch .done; \
                  head -c 300000 /dev/urandom > 'a b/c/noise'; cksum < 'a b/c/noise' > sum";
    let gpus = |gpus| Resources { gpus, ..Resources::default() };
    executor.submit_on(shell("asked", script), Placement::node(&nodes[1].name).gpu(3)).unwrap();
    executor.submit(shell("wants", script).resources(gpus(1))).unwrap();
    assert_eq!(end_of(&mut executor, "asked"), JobState::Done);
    assert_eq!(executor.logs("asked").unwrap(), "on 3\n");
    let output = executor.output("asked").unwrap();
    let sum = Command::new("sh").args(["-c", "cksum < 'a b/c/noise'"]).current_dir(&output).output().unwrap();
    assert_eq!(fs::read(output.join("sum")).unwrap(), sum.stdout);
    assert!(output.join("empty").is_dir());
    assert_eq!(end_of(&mut executor, "wants"), JobState::Done);
    assert!(["on 0\n", "on 3\n"].contains(&executor.logs("wants").unwrap().as_str()));
    for (job, placement) in [
        (shell("far", "true"), Placement::node("elsewhere")),
        (shell("far", "true"), Placement::node(&nodes[0].name).gpu(0)),
        (shell("far", "true").resources(gpus(2)), Placement::default()),
    ] {
        assert!(matches!(executor.submit_on(job, placement), Err(ExecutorError::NoSlot { .. })));
    }
}

#[test]
fn an_output_that_could_not_be_copied_is_copied_later_and_not_made_again() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let (node, leave) = (fleet.node(0), fleet.path("leave"));
    let mut executor = executor(root.path(), [node.clone()]);
    executor.submit(waiting("job", &leave)).unwrap();
    let in_the_way = executor.output("job").unwrap().join("in the way");
    fs::write(&in_the_way, "").unwrap();
    fs::write(&leave, "").unwrap();
    assert!(matches!(end_of(&mut executor, "job"), JobState::Failed(JobFailure::NotFetched(_))));
    fs::remove_file(&in_the_way).unwrap();
    executor.submit(waiting("job", &leave)).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    assert_eq!(ran(&node), ["job"]);
}

const FORKS: &str = "trap '' TERM; sleep 300 & echo $! > '{output}/child.new'; \
                     mv '{output}/child.new' '{output}/child'; wait; wait";

#[test]
fn a_job_over_its_time_is_stopped_with_its_deaf_children() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let mut executor = executor(root.path(), [fleet.node(0)]);
    executor.submit(shell("forks", FORKS).timeout(Duration::from_secs(4))).unwrap();
    assert_eq!(end_of(&mut executor, "forks"), JobState::Failed(JobFailure::TimedOut));
    let child = Path::new(&fleet.node(0).folder).join("forks/attempt-1/child");
    assert!(child.exists());
    wait_for("the child's end", || !is_alive(&child));
}

#[test]
fn dropping_the_executor_stops_what_it_started() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let node = fleet.node(0);
    let mut executor = executor(root.path(), [node.clone()]);
    executor.submit(shell("job", FORKS)).unwrap();
    let child = Path::new(&node.folder).join("job/attempt-1/child");
    drive_until(&mut executor, "job", "the child", |_| child.exists());
    drop(executor);
    wait_for("the child's end", || !is_alive(&child));
}

#[test]
fn a_cancelled_job_ends_on_its_node_and_leaves_its_log() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let mut executor = executor(root.path(), [fleet.node(0)]);
    executor.submit(shell("job", &format!("echo said; {FORKS}"))).unwrap();
    let child = Path::new(&fleet.node(0).folder).join("job/attempt-1/child");
    drive_until(&mut executor, "job", "the child", |_| child.exists());
    drive_until(&mut executor, "job", "the log", |executor| executor.logs("job").unwrap() == "said\n");
    executor.cancel("job").unwrap();
    drive_until(&mut executor, "job", "the copy", |executor| executor.logs("job").unwrap() == "said\n");
    assert_eq!(executor.poll("job").unwrap(), JobState::Cancelled);
    assert!(!is_alive(&child));
}

#[test]
fn what_could_not_be_stopped_is_stopped_by_the_next_executor() {
    let Some(mut fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let node = fleet.node(0);
    let options = SshOptions { stop_within: Duration::from_millis(100), ..QUICK };
    let mut first = SshExecutor::with_options(root.path(), [node.clone()], options).unwrap();
    first.submit(shell("job", FORKS)).unwrap();
    let child = Path::new(&node.folder).join("job/attempt-1/child");
    drive_until(&mut first, "job", "the child", |_| child.exists());
    fleet.servers[0].stop();
    drop(first);
    assert!(is_alive(&child));
    fleet.servers[0].start();
    let mut second = executor(root.path(), [node]);
    second.submit(shell("other", "touch '{output}/.done'")).unwrap();
    // There is one slot, so its job is gone before another comes.
    assert_eq!(end_of(&mut second, "other"), JobState::Done);
    assert!(!is_alive(&child));
}

#[test]
fn an_attempt_that_was_written_down_but_never_started_is_started() {
    let Some(fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let node = fleet.node(0);
    let job = shell("job", "touch '{output}/.done'");
    let entry = serde_json::json!({
        "spec": job, "number": 1, "node": node.label(), "gpu": null, "folder": node.folder, "token": "0a",
        "ended": null, "free": false,
    });
    fs::create_dir_all(root.path().join("job/attempt-1")).unwrap();
    fs::write(root.path().join("job/attempt-1.json"), entry.to_string()).unwrap();
    let mut executor = executor(root.path(), [node]);
    executor.submit(job).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    assert!(executor.output("job").unwrap().ends_with("attempt-1"));
}

#[test]
fn an_attempt_of_another_coordinator_vouches_for_nobody() {
    let Some(fleet) = Fleet::start(1) else { return };
    let folder = fleet.node(0).folder;
    fs::create_dir_all(format!("{folder}/job/attempt-1")).unwrap();
    fs::write(format!("{folder}/job/attempt-1/.done"), "").unwrap();
    let root = tempfile::tempdir().unwrap();
    let mut executor = executor(root.path(), [fleet.node(0)]);
    executor.submit(shell("job", "touch '{output}/.done'")).unwrap();
    let JobState::Failed(JobFailure::NotStarted(why)) = end_of(&mut executor, "job") else {
        panic!("it was started")
    };
    assert!(why.contains("choose another work folder"), "{why}");
}

#[test]
fn what_a_shell_says_to_everybody_is_no_answer() {
    let Some(mut fleet) = Fleet::start(1) else { return };
    let root = tempfile::tempdir().unwrap();
    let noisy = "ForceCommand echo 0 done 0; echo end-1 0 >&2; eval \"$SSH_ORIGINAL_COMMAND\"; echo bye";
    let server = &mut fleet.servers[0];
    server.stop();
    let config = fs::read_to_string(&server.config).unwrap();
    fs::write(&server.config, format!("{config}{noisy}\n")).unwrap();
    server.start();
    let mut executor = executor(root.path(), [fleet.node(0)]);
    executor.submit(shell("job", "echo said; echo made > '{output}/table'; touch '{output}/.done'")).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    assert_eq!(executor.logs("job").unwrap(), "said\n");
    assert_eq!(fs::read(executor.output("job").unwrap().join("table")).unwrap(), b"made\n");
}
