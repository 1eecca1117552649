//! The alarm clock: tokio-cron-scheduler, told the time by our clock.
//!
//! Left to itself it keeps a zone as the offset of the day a job was added, which is an hour wrong after the clocks
//! change, and compares instants with the machine's clock, which no test can move. So each instant is computed in the
//! zone itself and armed as a single shot, and the store of shots, which the scheduler asks twice a second, says which
//! of them our clock has reached.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_cron_scheduler::{
    Job, JobScheduler, JobSchedulerError, MetaDataStorage, SimpleJobCode, SimpleMetadataStore,
    SimpleNotificationCode, SimpleNotificationStore,
    job::job_data::{JobAndNextTick, JobStoredData},
    store::{DataStore, InitStore},
};
use uuid::Uuid;

use super::ScheduleError;
use crate::runner::Clock;

/// Seconds since 1970 that the machine's clock has passed, and will not reach.
const REACHED: u64 = 1;
const NOT_YET: u64 = 32_503_680_000;
/// Shots that may wait for the scheduler's attention; there is one per instant at which something is due.
const CHANNEL: usize = 256;

/// Rings at instants.
pub(super) struct Alarm {
    scheduler: JobScheduler,
    halt: Arc<AtomicBool>,
    armed: BTreeSet<Timestamp>,
    sender: UnboundedSender<Timestamp>,
    rings: UnboundedReceiver<Timestamp>,
}

impl Alarm {
    pub(super) async fn start(clock: Clock) -> Result<Self, ScheduleError> {
        let shots = Shots { clock, store: SimpleMetadataStore::default() };
        let scheduler = JobScheduler::new_with_storage_and_code(
            Box::new(shots),
            Box::new(SimpleNotificationStore::default()),
            Box::new(SimpleJobCode::default()),
            Box::new(SimpleNotificationCode::default()),
            CHANNEL,
        );
        let scheduler = scheduler.await.map_err(failed)?;
        scheduler.start().await.map_err(failed)?;
        let halt = Arc::clone(&scheduler.scheduler.read().await.shutdown);
        let (sender, rings) = unbounded_channel();
        Ok(Self { scheduler, halt, armed: BTreeSet::new(), sender, rings })
    }

    /// Rings at `due`, once, however often it is asked for.
    pub(super) async fn arm(&mut self, due: Timestamp) -> Result<(), ScheduleError> {
        if !self.armed.insert(due) {
            return Ok(());
        }
        let sender = self.sender.clone();
        let ring = move |_, _| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            // Nobody listens any more once the schedule stops.
            let _ = sender.send(due);
            Box::pin(async {})
        };
        let mut shot = Job::new_one_shot_async(Duration::ZERO, ring).map_err(failed)?;
        let mut data = shot.job_data().map_err(failed)?;
        data.next_tick = u64::try_from(due.as_second()).unwrap_or(REACHED).max(REACHED);
        shot.set_job_data(data).map_err(failed)?;
        self.scheduler.add(shot).await.map_err(failed)?;
        Ok(())
    }

    /// Resolves when the next armed instant has come.
    pub(super) async fn rings(&mut self) -> Option<Timestamp> {
        let due = self.rings.recv().await?;
        self.armed.remove(&due);
        Some(due)
    }
}

impl Drop for Alarm {
    /// Dropping the scheduler does not end its loop.
    fn drop(&mut self) {
        self.halt.store(true, Ordering::Relaxed);
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, JobSchedulerError>> + Send>>;

/// The scheduler's own store, but for which instants have come.
struct Shots {
    clock: Clock,
    store: SimpleMetadataStore,
}

impl MetaDataStorage for Shots {
    fn list_next_ticks(&mut self) -> Answer<Vec<JobAndNextTick>> {
        let (now, shots) = ((self.clock)().as_second(), self.store.list_next_ticks());
        Box::pin(async move {
            let mut shots = shots.await?;
            for shot in &mut shots {
                shot.next_tick = match shot.next_tick {
                    0 => 0, // it rang
                    due if i64::try_from(due).is_ok_and(|due| due <= now) => REACHED,
                    _ => NOT_YET,
                };
            }
            Ok(shots)
        })
    }

    fn set_next_and_last_tick(
        &mut self,
        shot: Uuid,
        next: Option<DateTime<Utc>>,
        last: Option<DateTime<Utc>>,
    ) -> Answer<()> {
        self.store.set_next_and_last_tick(shot, next, last)
    }

    fn time_till_next_job(&mut self) -> Answer<Option<Duration>> {
        self.store.time_till_next_job()
    }
}

impl DataStore<JobStoredData> for Shots {
    fn get(&mut self, shot: Uuid) -> Answer<Option<JobStoredData>> {
        self.store.get(shot)
    }

    fn add_or_update(&mut self, shot: JobStoredData) -> Answer<()> {
        self.store.add_or_update(shot)
    }

    fn delete(&mut self, shot: Uuid) -> Answer<()> {
        self.store.delete(shot)
    }
}

impl InitStore for Shots {
    fn init(&mut self) -> Answer<()> {
        self.store.init()
    }

    fn inited(&mut self) -> Answer<bool> {
        self.store.inited()
    }
}

fn failed(error: JobSchedulerError) -> ScheduleError {
    ScheduleError::Scheduler(Box::new(error))
}
