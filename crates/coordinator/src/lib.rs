//! Task graph, crash-safe runs, processes and schedule: the engine of a night, which knows only tasks and files.
//!
//! | module | question it answers |
//! |---|---|
//! | [`plan`] | which tasks are there, and which waits for which? |
//! | [`task`] | what does a task get, and what does it hand back? |
//! | [`marker`] | how is success written down so that a kill cannot fake it? |
//! | [`record`] | what happened: states, evidence, events |
//! | [`folder`] | where a run is kept, and who may write there |
//! | [`runner`] | how a plan is driven to its end |
//! | [`executor`] | how a job runs elsewhere than in this process |
//! | [`local`] | how a job runs as a process of this machine |
//! | [`ssh`] | how a job runs on a machine that is reached by ssh |
//! | [`ray`] | how a job runs on a Ray cluster |
//! | [`lock`] | who may write now? |
//! | [`schedule`] | when do things run? |
//! | [`hand_off`](mod@hand_off) | what does a person read afterwards? |
//! | [`headquarters`] | how does everything stand now? |
//! | [`runs`] | which runs are there, and how is one told to stop? |

pub mod executor;
pub mod folder;
pub mod hand_off;
pub mod headquarters;
pub mod local;
pub mod lock;
pub mod marker;
pub mod plan;
pub mod ray;
pub mod record;
pub mod runner;
pub mod runs;
pub mod schedule;
pub mod ssh;
pub mod task;

mod approval;
mod board;

pub use executor::{Executor, ExecutorError, JobFailure, JobSpec, JobState, Resources};
pub use folder::{RunError, RunFolder};
pub use hand_off::hand_off;
pub use local::LocalExecutor;
pub use lock::{Lock, LockError};
pub use marker::Done;
pub use plan::{Plan, PlanError, Task};
pub use ray::{RayError, RayExecutor, RaySettings, RayToken};
pub use record::{Change, Event, Evidence, Observer, RunRecord, Silent, TaskRecord, TaskState};
pub use runner::{Clock, Limits, Runner};
pub use runs::RunSummary;
pub use schedule::{Ending, Outcome, Schedule, ScheduleError, Stop, Turn, When};
pub use ssh::{Node, NodeError, NodeState, Placement, SshError, SshExecutor, SshOptions};
pub use task::{CancelFlag, Output, TaskContext, TaskError, TaskOutput};
