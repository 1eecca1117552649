//! 36 jobs of half a second on three nodes, beside the naive way, with and without connections cut at random.
//!
//! ```sh
//! cargo run -p coordinator --example ssh_fleet -- 20
//! ```
//! Starts three ssh servers of its own on loopback addresses, with the default limits of sshd. The naive way starts 36
//! ssh commands at once and believes what they print. Prints one line per round and way: jobs reported done, jobs that
//! left their marker, starts, cuts and seconds; then the totals.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]
#![expect(clippy::unwrap_used, reason = "an experiment may fail loudly")]

#[path = "../tests/it/sshd.rs"]
mod sshd;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use coordinator::{Executor, JobSpec, JobState, Node, SshExecutor, SshOptions};
use sshd::Fleet;

const JOBS: usize = 36;
const SECONDS: f64 = 0.5;

/// What came of 36 jobs.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    reported: usize,
    marked: usize,
    starts: usize,
    cuts: usize,
    seconds: f64,
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(3, |text| text.parse().unwrap());
    let Some(fleet) = Fleet::start(3) else { return };
    let ideal = JOBS as f64 / fleet.servers.len() as f64 * SECONDS;
    println!("{JOBS} jobs of {SECONDS} s on 3 nodes; ideal, one at a time on each: {ideal} s");
    println!(
        "{:<22} {:>5} {:>8} {:>6} {:>6} {:>4} {:>7}",
        "way", "round", "reported", "marked", "starts", "cuts", "s"
    );
    let mut chance = Chance(17);
    for (way, run, cutting) in [
        ("executor", executor as fn(&Fleet, &[Node]) -> usize, false),
        ("executor, cut", executor, true),
        ("naive", naive, false),
        ("naive, cut", naive, true),
    ] {
        let tallies: Vec<Tally> = (0..rounds)
            .map(|round| {
                let tally = measure(&fleet, &mut chance, cutting, run);
                print_line(way, &round.to_string(), tally);
                tally
            })
            .collect();
        print_line(way, "all", total(&tallies));
        let worst = tallies.iter().map(|tally| tally.reported).min().unwrap_or(0);
        println!("{way}: fewest reported {worst} of {JOBS}");
    }
}

fn print_line(way: &str, round: &str, tally: Tally) {
    let Tally { reported, marked, starts, cuts, seconds } = tally;
    println!("{way:<22} {round:>5} {reported:>8} {marked:>6} {starts:>6} {cuts:>4} {seconds:>7.2}");
}

/// Sums, and the mean of the seconds.
fn total(tallies: &[Tally]) -> Tally {
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum();
    Tally {
        reported: sum(|tally| tally.reported),
        marked: sum(|tally| tally.marked),
        starts: sum(|tally| tally.starts),
        cuts: sum(|tally| tally.cuts),
        seconds: tallies.iter().map(|tally| tally.seconds).sum::<f64>() / tallies.len().max(1) as f64,
    }
}

/// Runs the jobs in fresh folders, while connections are cut every 0.2 to 1.2 seconds if wanted.
fn measure(fleet: &Fleet, chance: &mut Chance, cutting: bool, run: fn(&Fleet, &[Node]) -> usize) -> Tally {
    let nodes: Vec<Node> = fleet.nodes().into_iter().map(fresh).collect();
    let (over, cuts) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    let (reported, seconds) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while cutting && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(200 + chance.below(1000)));
                let server = &fleet.servers[chance.below(fleet.servers.len() as u64) as usize];
                cuts.fetch_add(server.cut(), Ordering::Relaxed);
            }
        });
        let reported = run(fleet, &nodes);
        let seconds = began.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        (reported, seconds)
    });
    let (mut starts, mut marked) = (0, 0);
    for node in &nodes {
        let folder = Path::new(&node.folder);
        starts += fs::read_to_string(folder.join("ran")).unwrap_or_default().lines().count();
        let jobs = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        marked += jobs.filter(|job| job.join("attempt-1/.done").exists()).count();
    }
    Tally { reported, marked, starts, cuts: cuts.into_inner(), seconds }
}

fn fresh(node: Node) -> Node {
    let folder = PathBuf::from(&node.folder);
    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir_all(&folder).unwrap();
    node
}

fn executor(_: &Fleet, nodes: &[Node]) -> usize {
    let root = tempfile::tempdir().unwrap();
    let options = SshOptions { poll_every: Duration::from_millis(50), ..SshOptions::default() };
    let mut executor = SshExecutor::with_options(root.path(), nodes.to_vec(), options).unwrap();
    let ids: Vec<String> = (0..JOBS).map(|number| format!("job-{number}")).collect();
    for id in &ids {
        let script = format!("echo {id} >> ran; sleep {SECONDS}; touch '{{output}}/.done'");
        executor.submit(JobSpec::new(id, "sh").args(["-c", &script])).unwrap();
    }
    loop {
        let states: Vec<JobState> = ids.iter().map(|id| executor.poll(id).unwrap()).collect();
        if states.iter().all(JobState::is_final) {
            let here = |id: &String| executor.output(id).unwrap().join(".done").exists();
            let done = ids.iter().zip(&states).filter(|(id, state)| **state == JobState::Done && here(id));
            return done.count();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn naive(fleet: &Fleet, nodes: &[Node]) -> usize {
    let commands: Vec<_> = (0..JOBS)
        .map(|number| {
            let node = &nodes[number % nodes.len()];
            let script = format!(
                "cd '{}' && echo {number} >> ran && sleep {SECONDS} && mkdir -p job-{number}/attempt-1 && \
                 touch job-{number}/attempt-1/.done && echo done",
                node.folder
            );
            Command::new("ssh")
                .args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"])
                .arg("-o")
                .arg(format!("UserKnownHostsFile={}", fleet.path("known_hosts").display()))
                .arg("-i")
                .arg(fleet.path("id_key"))
                .args(["-p", &node.port.unwrap().to_string(), &node.name, &script])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let printed = commands.into_iter().map(|command| command.wait_with_output().unwrap().stdout);
    printed.filter(|printed| printed == b"done\n").count()
}

/// A small generator of chance: what is cut when is the same in each run of the experiment.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
