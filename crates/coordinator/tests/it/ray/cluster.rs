//! A real Ray of two nodes, in a network namespace of its own that has only a loopback.
//!
//! The namespace is no nicety: whatever it is told, Ray listens on every address that the machine has.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use coordinator::{Executor, JobFailure, JobSpec, JobState, RayError, RayExecutor, RaySettings, RayToken};
use rustix::process::{Pid, Signal, kill_process};

use super::clock;
use crate::executors::{end_of, executor_contract, shell, wait_for};

const INSIDE: &str = "COORDINATOR_TEST_RAY";

const TOKEN: &str = "hush-hush-hush";

/// Jobs of a node that is to be lost ask for this resource, which the head does not have.
const FAR: &str = "far";

#[test]
fn slow_a_real_ray_keeps_the_contract_through_lost_nodes_and_a_lost_head() {
    let Some(namespace) = Namespace::new() else { return };
    let inside = Command::new("ip")
        .args(["netns", "exec", &namespace.0])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "ray::cluster::inside_the_namespace", "--ignored", "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    drop(namespace);
    assert!(inside.success(), "see above");
}

/// Not a test of its own: what the test above starts inside of the namespace.
#[test]
#[ignore = "started by the test of this file"]
#[expect(clippy::disallowed_methods, reason = "this is how the process knows where it is")]
fn inside_the_namespace() {
    if env::var(INSIDE).is_err() {
        return;
    }
    let interfaces: Vec<_> =
        fs::read_dir("/sys/class/net").unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(interfaces, ["lo"], "Ray would listen on them");
    let folder = tempfile::tempdir().unwrap();
    let mut ray = Ray { folder: folder.path().to_owned(), starts: 0 };
    let timed = |what: &str, step: &mut dyn FnMut()| {
        let began = Instant::now();
        step();
        println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
    };
    timed("head started", &mut || ray.start_head());
    timed("contract", &mut || executor_contract(&mut executor(&folder.path().join("contract"), &[])));
    timed("token", &mut || only_the_right_token_is_let_in(&folder.path().join("token")));
    timed("package", &mut || a_package_is_where_its_jobs_start(&folder.path().join("package")));
    timed("words", &mut || words_arrive_as_they_were(&folder.path().join("words")));
    timed("time limit", &mut || a_job_over_its_time_is_gone(&folder.path().join("time")));
    timed("cancel", &mut || a_waiting_job_that_is_cancelled_never_runs(&folder.path().join("cancel")));
    timed("adoption", &mut || a_job_outlives_its_executor(&folder.path().join("adopt")));
    timed("frozen node", &mut || {
        a_job_on_a_frozen_node_counts_when_it_ends_well(&ray, &folder.path().join("frozen"));
    });
    timed("lost node", &mut || a_job_on_a_lost_node_is_lost_once(&ray, &folder.path().join("node")));
    timed("lost head", &mut || {
        after_a_lost_head_every_job_is_done_once(&mut ray, &folder.path().join("head"));
    });
}

fn settings(root: &Path) -> RaySettings {
    let run = root.file_name().unwrap().to_str().unwrap();
    RaySettings {
        token: Some(RayToken::new(TOKEN)),
        slots: 2,
        poll_every: Duration::from_millis(100),
        grace: Duration::from_secs(3),
        lost_after: Duration::from_secs(40),
        ..RaySettings::new("http://127.0.0.1:8265", run, root)
    }
}

fn executor(root: &Path, resources: &[(&str, f64)]) -> RayExecutor {
    let mut settings = settings(root);
    settings.custom_resources =
        resources.iter().map(|(name, amount)| ((*name).to_owned(), *amount)).collect();
    RayExecutor::new(settings, clock()).unwrap()
}

fn only_the_right_token_is_let_in(root: &Path) {
    let refused = |token| RayExecutor::new(RaySettings { token, ..settings(root) }, clock()).unwrap_err();
    assert!(matches!(refused(None), RayError::MissingToken { .. }));
    assert!(matches!(refused(Some(RayToken::new("other"))), RayError::WrongToken { .. }));
}

fn a_package_is_where_its_jobs_start(root: &Path) {
    fs::create_dir(root).unwrap();
    fs::write(root.join("hello"), "from the package").unwrap();
    let zip = root.join("package.zip");
    let zipped =
        Command::new("python3").args(["-m", "zipfile", "-c"]).args([&zip, &root.join("hello")]).status();
    assert!(zipped.unwrap().success());
    let mut settings = settings(root);
    settings.working_dir = Some(settings.upload(fs::read(zip).unwrap()).unwrap());
    let mut executor = RayExecutor::new(settings, clock()).unwrap();
    executor.submit(shell("job", "cat hello; touch {output}/.done")).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    assert_eq!(executor.logs("job").unwrap(), "from the package");
}

fn words_arrive_as_they_were(root: &Path) {
    let words = ["", "two words", "it's \"quoted\"", "$HOME `id` \\", "two\nlines\n", "*", "é中"];
    let mut executor = executor(root, &[]);
    let script = r#"touch {output}/.done; printf '%s|' "$@"; printf '%s|' "$PLAIN" "$DOLLAR"; pwd"#;
    let mut job = JobSpec::new("job", "sh").args(["-c", script, "sh"]).args(words);
    job = job.env("PLAIN", "it's\n{output}").env("DOLLAR", "${NONE}$HOME");
    job.working_folder = Some("/".into());
    executor.submit(job).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    let output = executor.output("job").unwrap();
    let expected = format!("{}|it's\n{}|${{NONE}}$HOME|/\n", words.join("|"), output.display());
    assert_eq!(executor.logs("job").unwrap(), expected);
}

fn a_job_over_its_time_is_gone(root: &Path) {
    let mut executor = executor(root, &[]);
    executor
        .submit(shell("job", "echo $$ > {output}/pid; sleep 300").timeout(Duration::from_secs(1)))
        .unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Failed(JobFailure::TimedOut));
    let pid = fs::read_to_string(executor.output("job").unwrap().join("pid")).unwrap();
    wait_for("its end", || !Path::new("/proc").join(pid.trim()).exists());
}

fn a_waiting_job_that_is_cancelled_never_runs(root: &Path) {
    let mut executor = executor(root, &[("seat", 1.0)]);
    let until = root.join("until");
    executor
        .submit(shell(
            "first",
            &format!(
                "touch {{output}}/runs; while [ ! -e {} ]; do sleep 0.1; done; touch {{output}}/.done",
                until.display()
            ),
        ))
        .unwrap();
    let runs = executor.output("first").unwrap().join("runs");
    wait_for("the first job", || runs.exists());
    executor.submit(shell("second", "touch {output}/runs")).unwrap();
    assert_eq!(executor.poll("second").unwrap(), JobState::Queued);
    executor.cancel("second").unwrap();
    assert_eq!(executor.poll("second").unwrap(), JobState::Cancelled);
    fs::write(until, "").unwrap();
    assert_eq!(end_of(&mut executor, "first"), JobState::Done);
    // Ray starts it all the same, and its entry point looks first.
    wait_for("the end of the second job", || {
        !["PENDING", "RUNNING"].contains(&status("cancel-second-a1").as_str())
    });
    assert!(!executor.output("second").unwrap().join("runs").exists());
}

fn a_job_outlives_its_executor(root: &Path) {
    let job = || shell("job", "touch {output}/runs; sleep 2; touch {output}/.done");
    let mut first = executor(root, &[]);
    first.submit(job()).unwrap();
    let runs = first.output("job").unwrap().join("runs");
    wait_for("the job", || runs.exists());
    drop(first);
    let mut second = executor(root, &[]);
    second.submit(job()).unwrap();
    assert_eq!(end_of(&mut second, "job"), JobState::Done);
    assert_eq!(markers(root), 1);
    assert!(!root.join("job/attempt-2").exists());
}

fn a_job_on_a_lost_node_is_lost_once(ray: &Ray, root: &Path) {
    let raylet = ray.start_worker();
    let mut executor = executor(root, &[(FAR, 1.0)]);
    let script =
        |seconds| shell("job", &format!("touch {{output}}/runs; sleep {seconds}; touch {{output}}/.done"));
    executor.submit(script(30)).unwrap();
    let runs = executor.output("job").unwrap().join("runs");
    wait_for("the job", || runs.exists());
    kill_process(raylet, Signal::KILL).unwrap();
    assert!(matches!(end_of(&mut executor, "job"), JobState::Failed(JobFailure::Lost(_))));
    ray.start_worker();
    executor.submit(script(0)).unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    assert!(executor.output("job").unwrap().ends_with("attempt-2"));
    assert_eq!(markers(root), 1);
}

fn a_job_on_a_frozen_node_counts_when_it_ends_well(ray: &Ray, root: &Path) {
    let raylet = ray.start_worker();
    let far = [(FAR.to_owned(), 1.0)].into();
    let settings = RaySettings { custom_resources: far, grace: Duration::from_secs(40), ..settings(root) };
    let mut executor = RayExecutor::new(settings, clock()).unwrap();
    let until = root.join("until");
    let wait = format!(
        "touch {{output}}/runs; while [ ! -e {} ]; do sleep 0.1; done; touch {{output}}/.done",
        until.display()
    );
    executor.submit(shell("job", &wait)).unwrap();
    let runs = executor.output("job").unwrap().join("runs");
    wait_for("the job", || runs.exists());
    kill_process(raylet, Signal::STOP).unwrap();
    // Ray calls it failed while it works on.
    wait_for("Ray's despair", || status("frozen-job-a1") == "FAILED");
    assert_eq!(executor.poll("job").unwrap(), JobState::Running);
    fs::write(until, "").unwrap();
    assert_eq!(end_of(&mut executor, "job"), JobState::Done);
    kill_process(raylet, Signal::KILL).unwrap();
}

fn after_a_lost_head_every_job_is_done_once(ray: &mut Ray, root: &Path) {
    let mut executor = executor(root, &[]);
    let ids: Vec<_> = (0..4).map(|i| format!("job-{i}")).collect();
    // The first ends before the head does, the second in the middle of its work; two still wait here.
    let job = |id: &str| {
        let nap = if id == "job-1" { 5 } else { 0 };
        shell(id, &format!("touch {{output}}/runs; sleep {nap}; touch {{output}}/.done"))
    };
    for id in &ids[..2] {
        executor.submit(job(id)).unwrap();
    }
    assert_eq!(end_of(&mut executor, "job-0"), JobState::Done);
    let runs = executor.output("job-1").unwrap().join("runs");
    wait_for("the second job", || runs.exists());
    kill_all();
    for id in &ids[2..] {
        executor.submit(job(id)).unwrap();
    }
    ray.start_head();
    let mut attempts = 4;
    for id in &ids {
        loop {
            match end_of(&mut executor, id) {
                JobState::Done => break,
                JobState::Failed(JobFailure::Lost(_)) => {
                    attempts += 1;
                    executor.submit(job(id)).unwrap();
                }
                other => panic!("`{id}` is {other:?}"),
            }
        }
    }
    assert_eq!(attempts, 5, "only what was in flight is lost");
    assert_eq!(markers(root), 4);
}

/// Returns what Ray itself says of a job.
fn status(submission_id: &str) -> String {
    let mut connection = TcpStream::connect("127.0.0.1:8265").unwrap();
    let request = format!(
        "GET /api/jobs/{submission_id} HTTP/1.1\r\nauthorization: Bearer {TOKEN}\r\nhost: ray\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    connection.read_to_string(&mut reply).unwrap();
    let body: serde_json::Value = serde_json::from_str(reply.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    body["status"].as_str().unwrap().to_owned()
}

/// Counts the markers of all attempts.
fn markers(root: &Path) -> usize {
    let folders = |path: PathBuf| fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path());
    let attempts = folders(root.to_owned()).flat_map(folders);
    attempts.filter(|attempt| attempt.join(".done").exists()).count()
}

/// A cluster; dropped, all its processes are gone.
struct Ray {
    folder: PathBuf,
    starts: u32,
}

impl Drop for Ray {
    fn drop(&mut self) {
        kill_all(); // Before the folder goes that they write to.
    }
}

impl Ray {
    fn start_head(&mut self) {
        self.starts += 1;
        let temporary = self.folder.join(format!("r{}", self.starts));
        let head = ["--head", "--port", "6379", "--dashboard-host", "127.0.0.1", "--dashboard-port", "8265"];
        self.start(
            &head,
            &["--num-cpus", "2", "--resources", r#"{"seat": 1}"#, "--temp-dir", temporary.to_str().unwrap()],
        );
    }

    /// Starts a second node and returns its head process.
    fn start_worker(&self) -> Pid {
        let before = raylets();
        let far = format!(r#"{{"{FAR}": 1}}"#);
        let worker = ["--address", "127.0.0.1:6379", "--num-cpus", "1", "--resources", &far];
        // The agent of the head's node, on this same address, has the usual port.
        self.start(&worker, &["--dashboard-agent-listen-port", "52366"]);
        let new: Vec<_> = raylets().difference(&before).copied().collect();
        assert_eq!(new.len(), 1);
        Pid::from_raw(new[0]).unwrap()
    }

    fn start(&self, args: &[&str], more: &[&str]) {
        let started = Command::new("ray")
            .arg("start")
            .args(args)
            .args(more)
            .args([
                "--node-ip-address",
                "127.0.0.1",
                "--object-store-memory",
                "100000000",
                "--disable-usage-stats",
            ])
            .envs([("RAY_AUTH_MODE", "token"), ("RAY_AUTH_TOKEN", TOKEN)])
            // A dead node is noticed in seconds.
            .envs([("RAY_health_check_period_ms", "1000"), ("RAY_health_check_timeout_ms", "2000")])
            .envs([
                ("RAY_health_check_initial_delay_ms", "2000"),
                ("RAY_health_check_failure_threshold", "4"),
            ])
            .env_remove(INSIDE)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    }
}

/// The process ids in this network namespace, without this process.
fn processes() -> BTreeSet<i32> {
    let here = fs::read_link("/proc/self/ns/net").unwrap();
    let all =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let own = i32::try_from(std::process::id()).unwrap();
    all.filter(|pid| {
        *pid != own && fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|there| there == here)
    })
    .collect()
}

fn raylets() -> BTreeSet<i32> {
    let is_raylet =
        |pid: &i32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.ends_with("raylet"));
    processes().into_iter().filter(is_raylet).collect()
}

fn kill_all() {
    wait_for("the end of all processes", || {
        let processes = processes();
        for pid in processes.iter().filter_map(|pid| Pid::from_raw(*pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        processes.is_empty()
    });
}

/// A network namespace with a loopback; dropped, it is gone with all its processes.
struct Namespace(String);

impl Namespace {
    /// Makes one, or says why this machine cannot run the test.
    #[expect(clippy::print_stderr, reason = "a skip must be seen")]
    fn new() -> Option<Self> {
        let name = format!("coordinator-ray-{}", std::process::id());
        let missing = if !runs("ray", &["--version"]) {
            "there is no `ray` (pip install 'ray[default]')"
        } else if !runs("ip", &["netns", "add", &name]) {
            "`ip netns add` does not work (iproute2, and root)"
        } else {
            let namespace = Self(name);
            assert!(runs("ip", &["-n", &namespace.0, "link", "set", "lo", "up"]));
            return Some(namespace);
        };
        #[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
        let all = env::var("EDGE_TEST_ALL").is_ok_and(|value| value == "1");
        assert!(!all, "{missing}");
        eprintln!("skipped: {missing}; EDGE_TEST_ALL=1 makes this a failure");
        None
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let began = Instant::now();
        loop {
            let pids = Command::new("ip").args(["netns", "pids", &self.0]).output().unwrap().stdout;
            let pids = String::from_utf8(pids).unwrap();
            if pids.trim().is_empty() || began.elapsed() > Duration::from_secs(10) {
                break;
            }
            for pid in pids.lines().filter_map(|pid| Pid::from_raw(pid.trim().parse().ok()?)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        runs("ip", &["netns", "del", &self.0]);
    }
}

fn runs(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
