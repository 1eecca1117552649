//! Simulated nights on a paused clock: what ran when.
//!
//! The clock of the schedule is tokio's paused one, so a week takes a second; tokio-cron-scheduler rings as it does in
//! earnest. `cargo insta review` shows the snapshots, which read as documentation.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use coordinator::{Clock, Outcome, Schedule, Stop, Turn, When};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use tokio::{task::JoinHandle, time::Instant};

const ZONE: &str = "Europe/Berlin";
/// What passes between two looks at the world.
const STEP: Duration = Duration::from_mins(1);
/// Enough for what a ring sets in motion to come to rest.
const TURNS: usize = 50;

/// A world with a clock that can be wrong, and a diary.
#[derive(Clone)]
struct World {
    start: Timestamp,
    began: Instant,
    /// Seconds that the clock was put forward.
    skew: Arc<AtomicI64>,
    diary: Arc<Mutex<String>>,
}

impl World {
    fn new(start: &str) -> Self {
        let start = local(start);
        let (skew, diary) = (Arc::new(AtomicI64::new(0)), Arc::new(Mutex::new(String::new())));
        let world = Self { start, began: Instant::now(), skew, diary };
        writeln!(world.diary.lock().unwrap(), "{:21} {:6} what", "in Berlin", "UTC").unwrap();
        world
    }

    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap();
        self.start + passed + SignedDuration::from_secs(self.skew.load(Ordering::SeqCst))
    }

    fn clock(&self) -> Clock {
        let world = self.clone();
        Arc::new(move || world.now())
    }

    fn write(&self, what: &str) {
        let now = self.now().to_zoned(zone());
        let utc = now.with_time_zone(TimeZone::UTC);
        let (local, utc) = (now.strftime("%a %d %b %H:%M %Z"), utc.strftime("%H:%MZ"));
        writeln!(self.diary.lock().unwrap(), "{local:21} {utc:6} {what}").unwrap();
    }

    /// Lets time pass until the clock shows `until`.
    async fn pass(&self, until: &str) {
        let until = local(until);
        while self.now() < until {
            tokio::time::advance(STEP).await;
            everything_ready().await;
        }
    }

    /// Puts the clock to `time`.
    fn put_clock(&self, time: &str) {
        let by = local(time).duration_since(self.now()).as_secs();
        self.write(&format!("-- the clock is put to {}", &time[11..]));
        self.skew.fetch_add(by, Ordering::SeqCst);
    }

    /// Starts the schedule of a nightly engine.
    async fn up(&self, journal: &Path) -> Up {
        self.write("-- the schedule starts");
        let jobs = [("fetch", "0 */4 * * *", 5), ("train", "30 2 * * *", 40), ("report", "0 9 * * *", 25)];
        let mut schedule = Schedule::new(self.clock()).journal(journal);
        for (name, cron, minutes) in jobs {
            let (world, when) = (self.clone(), When::parse(cron, ZONE).unwrap());
            let work = move |turn: Turn| work(world.clone(), name, minutes, turn);
            schedule = schedule.job(name, when, work).unwrap();
        }
        let wish = Stop::new();
        let asked = wish.clone();
        let run = tokio::spawn(async move { schedule.run(&asked).await.unwrap() });
        everything_ready().await;
        Up { wish, run }
    }

    fn diary(&self) -> String {
        self.diary.lock().unwrap().clone()
    }
}

struct Up {
    wish: Stop,
    run: JoinHandle<()>,
}

impl Up {
    async fn kill(self, world: &World) {
        self.run.abort();
        assert!(self.run.await.unwrap_err().is_cancelled());
        world.write("-- the schedule is killed");
    }

    async fn stop(self, world: &World) {
        self.wish.ask();
        self.run.await.unwrap();
        world.write("-- the schedule was asked to stop, and has");
    }
}

/// A job that takes its time, and parks when it is asked to.
async fn work(world: World, name: &'static str, minutes: u64, turn: Turn) -> Outcome {
    let due = turn.due.to_zoned(zone());
    let mut told = format!("{name} begins");
    if turn.is_late {
        write!(told, ", for {}", due.strftime("%a %H:%M")).unwrap();
    }
    if turn.attempt > 1 {
        write!(told, ", once more").unwrap();
    }
    world.write(&told);
    tokio::select! {
        () = tokio::time::sleep(Duration::from_mins(minutes)) => Outcome::done(),
        () = turn.asked_to_stop() => {
            world.write(&format!("{name} parks"));
            Outcome::other(coordinator::Ending::Stopped, "parked")
        }
    }
}

/// Lets everything that is ready have its turn.
async fn everything_ready() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

fn zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap()
}

fn local(text: &str) -> Timestamp {
    text.parse::<DateTime>().unwrap().to_zoned(zone()).unwrap().timestamp()
}

#[tokio::test(start_paused = true)]
async fn a_week_with_a_change_of_the_clock_a_missed_night_and_a_machine_that_sleeps() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("schedule.json");
    let world = World::new("2024-03-25 00:00");
    let up = world.up(&journal).await;
    world.pass("2024-03-27 20:02").await;
    up.kill(&world).await;

    world.pass("2024-03-28 15:00").await;
    let up = world.up(&journal).await;
    world.pass("2024-03-29 10:00").await;
    world.write("-- the machine sleeps");
    world.put_clock("2024-03-29 17:00");
    world.pass("2024-03-29 20:30").await;
    world.put_clock("2024-03-29 19:30");

    world.pass("2024-03-30 09:10").await;
    up.stop(&world).await;
    world.pass("2024-03-30 09:30").await;
    let up = world.up(&journal).await;
    world.pass("2024-04-01 12:10").await;
    up.stop(&world).await;
    insta::assert_snapshot!(world.diary());
}

#[tokio::test(start_paused = true)]
async fn a_night_with_two_half_past_two_s() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new("2024-10-26 20:30");
    let up = world.up(&folder.path().join("schedule.json")).await;
    world.pass("2024-10-28 09:30").await;
    up.stop(&world).await;
    insta::assert_snapshot!(world.diary());
}
