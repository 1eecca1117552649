//! A model's life: looked for, loaded, checked, swapped in while requests go on, or refused while the old one goes on.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use serve::{Keeper, Live, Loaded, MockPredictor, Outcome, Serving, Source};
//! struct Always;
//! impl Source for Always {
//!     fn version(&self) -> Result<String, String> {
//!         Ok("mock".to_owned())
//!     }
//!     fn load(&self) -> Result<Loaded, String> {
//!         let mock = MockPredictor::new("2024-05-01T00:00:00Z".parse().unwrap());
//!         Ok(Loaded { champion: Live::new(Arc::new(mock)), challenger: None })
//!     }
//! }
//! let serving = Serving::empty("loading");
//! let keeper = Keeper::new(serving.clone(), Box::new(Always), 48);
//! assert_eq!(keeper.look(), Outcome::Reloaded { model_version: "mock".into(), games: 1 });
//! assert_eq!(keeper.look(), Outcome::Unchanged);
//! ```

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Condvar, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::serving::{Live, Serving};

/// Where models come from. Both questions may take a while; errors are sentences for people.
pub trait Source: Send + Sync {
    /// Says what would be loaded, in a word that is another whenever model or data are; much cheaper than loading.
    fn version(&self) -> Result<String, String>;

    /// Loads what there is.
    fn load(&self) -> Result<Loaded, String>;
}

/// What a source has loaded.
#[derive(Debug)]
pub struct Loaded {
    /// Answers.
    pub champion: Live,
    /// Is compared with it.
    pub challenger: Option<Live>,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// What answers is what there is.
    Unchanged,
    /// Something newer answers from now on.
    Reloaded {
        /// Its version.
        model_version: String,
        /// Games that are answered from memory at once.
        games: usize,
    },
    /// What there is cannot be used; what answered before goes on.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Looks after one [`Serving`].
pub struct Keeper {
    serving: Serving,
    source: Box<dyn Source>,
    warm_hours: u32,
    state: Mutex<State>,
    stopped: (Mutex<bool>, Condvar),
    tell: OnceLock<Tell>,
}

/// Is told what came of each look, and how long it took.
type Tell = Box<dyn Fn(&Outcome, Duration) + Send + Sync>;

#[derive(Default)]
struct State {
    /// What was loaded.
    taken: Option<String>,
    /// What was refused last, and how many looks will pass before it is tried again.
    refused: Option<(String, u32)>,
    /// How often in a row.
    refusals: u32,
}

/// A refused version is tried again after 1, 2, 4, .. and at last so many looks.
const LONGEST_PAUSE: u32 = 32;

impl Keeper {
    /// Builds a keeper that has loaded nothing; games within `warm_hours` of the as-of are forecast before a swap.
    pub fn new(serving: Serving, source: Box<dyn Source>, warm_hours: u32) -> Self {
        Self {
            serving,
            source,
            warm_hours,
            state: Mutex::default(),
            stopped: (Mutex::new(false), Condvar::new()),
            tell: OnceLock::new(),
        }
    }

    /// Looks now, and tries what was refused before once more.
    pub fn look(&self) -> Outcome {
        self.state().refused = None;
        self.look_again()
    }

    /// Looks every so often until [`stop`](Self::stop), and tells what came of it where that is news; for a thread of its
    /// own. Zero looks only once.
    pub fn run(&self, every: Duration, tell: impl Fn(&Outcome)) {
        let mut is_stopped = false;
        let mut told = Outcome::Unchanged;
        while !is_stopped {
            let outcome = self.look_again();
            if outcome != told {
                tell(&outcome);
                told = outcome;
            }
            if every.is_zero() {
                return;
            }
            let (lock, stopping) = &self.stopped;
            let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = stopping.wait_timeout_while(guard, every, |stopped| !*stopped);
            is_stopped = *waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends [`run`](Self::run) after the look that has begun.
    pub fn stop(&self) {
        *self.stopped.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopped.1.notify_all();
    }

    /// Has `tell` told of each look; only the first to ask is told.
    pub(crate) fn tell_looks(&self, tell: impl Fn(&Outcome, Duration) + Send + Sync + 'static) {
        // Whoever comes second is not told.
        let _first = self.tell.set(Box::new(tell));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_again(&self) -> Outcome {
        let began = Instant::now();
        let outcome = self.look_quietly();
        if let Some(tell) = self.tell.get() {
            tell(&outcome, began.elapsed());
        }
        outcome
    }

    /// One look at a time: whoever comes second finds what the first has loaded.
    fn look_quietly(&self) -> Outcome {
        let mut state = self.state();
        let version = match self.source.version() {
            Ok(version) => version,
            Err(reason) => return self.refuse(reason),
        };
        if state.taken.as_ref() == Some(&version) {
            (state.refused, state.refusals) = (None, 0);
            self.serving.accept();
            return Outcome::Unchanged;
        }
        if let Some((refused, pause)) = &mut state.refused
            && *refused == version
            && *pause > 0
        {
            *pause -= 1;
            let reason = self.serving.refused().or_else(|| self.serving.get().err()).unwrap_or_default();
            return Outcome::Refused { reason };
        }
        match self.take() {
            Ok((model_version, games)) => {
                *state = State { taken: Some(version), ..State::default() };
                Outcome::Reloaded { model_version, games }
            }
            Err(reason) => {
                let pause = (1 << state.refusals.min(5)).min(LONGEST_PAUSE);
                state.refusals += 1;
                state.refused = Some((version, pause));
                self.refuse(reason)
            }
        }
    }

    fn refuse(&self, reason: String) -> Outcome {
        self.serving.refuse(reason.clone());
        Outcome::Refused { reason }
    }

    /// Loads and warms before anybody is answered from it.
    fn take(&self) -> Result<(String, usize), String> {
        let load = || -> Result<_, String> {
            let Loaded { mut champion, challenger } = self.source.load()?;
            let unfit = |error: market::PredictError| format!("its forecasts fail: {}", chain(&error));
            let games = champion.warm(self.warm_hours).map_err(unfit)?;
            let challenger = challenger.and_then(|mut live| match live.warm(self.warm_hours) {
                Ok(_) => Some(live),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the challenger is left out");
                    None
                }
            });
            Ok((champion, challenger, games))
        };
        let panicked = |_| Err("it panicked while it was loaded; the log has the cause".to_owned());
        let (champion, challenger, games) = catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(panicked)?;
        let version = champion.card().version.clone();
        self.serving.set_beside(champion, challenger);
        Ok((version, games))
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("serving", &self.serving).finish_non_exhaustive()
    }
}
