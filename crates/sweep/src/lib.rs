//! The sweep: parameters, trials and losses. Which settings are tried next, when a trial gives up, and what was found.
//!
//! It knows no model, asks no clock and starts nothing: whoever runs the trials asks and tells. The same space, options
//! and results give the same trials, in whatever order results arrive and however often the program was killed between.
//!
//! | module | question it answers |
//! |---|---|
//! | [`domain`] | what may one parameter be? |
//! | [`space`] | which parameters are there, and which only beside others? |
//! | [`options`] | how many trials, suggested by whom, given up when? |
//! | [`trial`] | what is tried, where does it give up, how did it end? |
//! | [`study`] | what comes next, given the results so far? |
//! | [`record`] | how is a study written down, and carried over to the next? |
//! | [`table`] | how does a study become a table? |
//! | [`error`] | why can a study not be made, told or read? |
//!
//! # Example
//! ```
//! use sweep::{Ask, Options, Outcome, Record, Space, State, Study};
//! let space: Space = toml::from_str("learning_rate = { log = [0.0005, 0.02] }").unwrap();
//! let base = serde_json::json!({"learning_rate": 0.003});
//! let mut study = Study::new(space, Options::default(), base, Vec::new()).unwrap();
//! let now = "2026-11-21T03:00:00Z".parse().unwrap();
//! let (Ask::Trial(first), Ask::Trial(second)) = (study.ask(now), study.ask(now)) else { panic!() };
//! assert!(first.point.is_empty() && second.point.contains_key("learning_rate"));
//! assert_eq!(study.ask(now), Ask::Wait);
//!
//! let failed = State::Failed { why: "the node went away".into() };
//! let outcome = Outcome { state: failed, loss: None, curve: vec![], seconds: 4.0, seed: 1, attempts: 3, worker: None };
//! study.tell(first.id, outcome, now).unwrap();
//! let text = study.record().to_json(); // killed here, and begun again:
//! let mut again = Study::from_json(&text).unwrap();
//! assert_eq!(again.ask(now), study.ask(now));
//! ```

pub mod domain;
pub mod error;
pub mod options;
pub mod record;
pub mod space;
pub mod study;
pub mod table;
pub mod trial;

mod pruning;
mod suggest;

pub use domain::{Domain, DomainError};
pub use error::StudyError;
pub use options::{Options, OptionsError, Pruning, Sampler};
pub use record::Record;
pub use space::{Parameter, Point, Space, SpaceError, When};
pub use study::{Ask, Ending, Study};
pub use table::TableError;
pub use trial::{Origin, Outcome, Rung, State, Trial, stops_at};
