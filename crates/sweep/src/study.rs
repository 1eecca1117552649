//! A sweep under way: ask for trials, tell how they ended.
//!
//! # Which trial may be asked when
//! Trial `k` waits until all trials up to `k - at_once` have ended. Its point and its rungs follow from exactly these,
//! in the order of their numbers; what later trials have told by then is held back. Hence the same space,
//! options, base, points to begin with and results give the same trials, whoever is fast, and whoever is killed.
//! The price: with one trial much slower than the others, the others wait for it.
//!
//! # What a result is worth
//! The sampler sees trials by rank. Complete ones come first, by loss; then those that were pruned, the later the better
//! and then by loss (as Optuna ranks them), because a loss after few epochs is not comparable with a final one; then
//! those that diverged. Trials under way stand behind all of them, so that nobody tries the same again. Trials that
//! failed count for nothing: a machine that broke says nothing about a point. None of these is suggested twice.
//!
//! # Who gives up
//! The base settings and points carried over have no rungs: all others are judged against them, by a full training.
//!
//! # Example
//! ```
//! use sweep::{Ask, Options, Outcome, Space, State, Study};
//! let space: Space = toml::from_str("dropout = { float = [0.0, 0.5] }").unwrap();
//! let options = Options { trials: 3, ..Options::default() };
//! let mut study = Study::new(space, options, serde_json::json!({"dropout": 0.2}), Vec::new()).unwrap();
//! let now = jiff::Timestamp::UNIX_EPOCH;
//! while let Ask::Trial(trial) = study.ask(now) {
//!     let dropout = trial.point.get("dropout").and_then(|value| value.as_f64()).unwrap_or(0.2);
//!     let curve = vec![0.70, 0.65 + (dropout - 0.1).abs()];
//!     let outcome = Outcome {
//!         state: State::Complete, loss: Some(curve[1]), curve, seconds: 60.0, seed: 1, attempts: 1, worker: None,
//!     };
//!     study.tell(trial.id, outcome, now).unwrap();
//! }
//! assert!(study.record().best().is_some());
//! ```

use std::{cmp::Ordering, collections::BTreeSet, path::Path};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    Options, Origin, Outcome, Point, Record, Rung, Sampler, Space, State, StudyError, Trial,
    error::json,
    pruning,
    suggest::{Evidence, mix, suggest},
};

/// How often the sampler, and then chance, may draw what was tried already.
const DRAWS: usize = 32;
/// Points of a space that is small enough to be listed when drawing finds nothing new.
const LISTED: usize = 4096;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, which is taken apart at once")]
pub enum Ask {
    /// Train this.
    Trial(Trial),
    /// Tell how a trial under way ended, then ask again.
    Wait,
    /// Nothing: all trials have ended.
    Finished(Ending),
}

/// Why a study is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// As many trials as were wanted have ended.
    AllTrials,
    /// There is nothing new to try, before as many trials as were wanted.
    Exhausted,
}

/// A sweep under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    record: Record,
    /// What the base settings say of the parameters, as far as it lies within the space.
    base: Point,
    exhausted: bool,
}

/// What a trial is about to be.
struct Next {
    origin: Origin,
    point: Point,
    rungs: Vec<Rung>,
    redrawn: usize,
}

impl Study {
    /// Begins a study.
    ///
    /// `base` describes the settings that trial 0 keeps. Where it is an object with a parameter's name, the sampler
    /// learns from its value, and does not suggest the base settings again. The points of `warm_start` come next;
    /// those that are the same as one before are left out.
    pub fn new(
        space: Space,
        options: Options,
        base: Value,
        warm_start: Vec<Point>,
    ) -> Result<Self, StudyError> {
        options.check()?;
        if let Some(outside) = warm_start.iter().find(|point| !space.admits(point)) {
            return Err(StudyError::Outside(outside.clone()));
        }
        let named = |(name, value): (&String, &Value)| (name.clone(), value.clone());
        let said: Point =
            base.as_object().map(|object| object.iter().map(named).collect()).unwrap_or_default();
        let known = space.complete(&Point::new(), &said);
        let mut seen = BTreeSet::from([identity(&space, &Point::new(), &known)]);
        let is_new = |point: &Point| seen.insert(identity(&space, point, &known));
        let warm_start = warm_start.into_iter().filter(is_new).collect();
        Ok(Self { record: Record::new(space, options, base, warm_start), base: known, exhausted: false })
    }

    /// Goes on with a study that was written down.
    ///
    /// Every trial is suggested again from the results before it, and must come out as it was written.
    pub fn resume(record: Record) -> Result<Self, StudyError> {
        let Record { space, options, base, warm_start, trials, .. } = record;
        let mut study = Self::new(space, options, base, warm_start.clone())?;
        if study.record.warm_start != warm_start {
            return Err(altered(1, "a point to begin with is there twice"));
        }
        for trial in trials {
            study.check(&trial)?;
            study.record.trials.push(trial);
        }
        Ok(study)
    }

    /// Reads a study's JSON and goes on with it.
    pub fn from_json(text: &str) -> Result<Self, StudyError> {
        Self::resume(Record::from_json(text)?)
    }

    /// Reads a study's file and goes on with it.
    pub fn open(path: &Path) -> Result<Self, StudyError> {
        Self::resume(Record::open(path)?)
    }

    /// Returns all that is known, to be written down and tabulated.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Suggests the next trial, which begins at `at`.
    pub fn ask(&mut self, at: Timestamp) -> Ask {
        if let Some(next) = self.may_begin().then(|| self.next()) {
            let Some(Next { origin, point, rungs, redrawn }) = next else {
                self.exhausted = true;
                return self.ask(at);
            };
            let id = self.record.trials.len();
            let trial = Trial { id, origin, point, rungs, redrawn, started: at, ended: None, outcome: None };
            self.record.trials.push(trial.clone());
            return Ask::Trial(trial);
        }
        match self.record.pending().next() {
            Some(_) => Ask::Wait,
            None if self.exhausted => Ask::Finished(Ending::Exhausted),
            None => Ask::Finished(Ending::AllTrials),
        }
    }

    /// Takes how a trial ended, at `at`.
    ///
    /// The same told again changes nothing, not even the instant.
    pub fn tell(&mut self, id: usize, outcome: Outcome, at: Timestamp) -> Result<(), StudyError> {
        let asked = self.record.trials.len();
        let trial = self.record.trials.get_mut(id).ok_or(StudyError::Unknown { id, asked })?;
        let outcome = outcome.tidy();
        match &trial.outcome {
            Some(known) if *known == outcome => return Ok(()),
            Some(known) => {
                let (was, told) = (known.state.as_str(), outcome.state.as_str());
                return Err(StudyError::Contradiction { id, was, told });
            }
            None => {}
        }
        if let Some(problem) = outcome.problem(&trial.rungs) {
            return Err(StudyError::Outcome { id, problem });
        }
        trial.outcome = Some(outcome);
        trial.ended = Some(at);
        Ok(())
    }

    /// Returns how many trials the next one may build on.
    fn usable(&self) -> usize {
        (self.record.trials.len() + 1).saturating_sub(self.record.options.at_once)
    }

    /// Tells whether the next trial may begin.
    fn may_begin(&self) -> bool {
        let trials = &self.record.trials;
        let ended = trials.iter().take(self.usable()).all(|trial| trial.outcome.is_some());
        !self.exhausted && ended && trials.len() < self.record.options.trials
    }

    /// Makes the next trial from the usable results; none when there is nothing new to try.
    fn next(&self) -> Option<Next> {
        let Record { warm_start, options, trials, .. } = &self.record;
        let given = |origin, point: &Point| Next { origin, point: point.clone(), rungs: vec![], redrawn: 0 };
        let Some(index) = trials.len().checked_sub(1) else {
            return Some(given(Origin::Base, &Point::new()));
        };
        if let Some(point) = warm_start.get(index) {
            return Some(given(Origin::WarmStart, point));
        }
        let (point, redrawn) = self.draw()?;
        let ended: Vec<_> = trials.iter().take(self.usable()).filter_map(|t| t.outcome.as_ref()).collect();
        Some(Next { origin: Origin::Sampled, point, rungs: pruning::rungs(options.pruning, &ended), redrawn })
    }

    /// Draws until a point is new, and says how many were not.
    fn draw(&self) -> Option<(Point, usize)> {
        let Record { space, options, trials, .. } = &self.record;
        let identity = |point: &Point| identity(space, point, &self.base);
        let seen: BTreeSet<String> = trials.iter().map(|trial| identity(&trial.point)).collect();
        let evidence = self.evidence();
        let seed = |draw: usize| mix(&[options.seed, trials.len() as u64, draw as u64]);
        for draw in 0..2 * DRAWS {
            let sampler = if draw < DRAWS { options.sampler } else { Sampler::Random };
            let point = suggest(space, sampler, seed(draw), &evidence);
            if !seen.contains(&identity(&point)) {
                return Some((point, draw));
            }
        }
        let mut left = space.points(LISTED)?;
        left.retain(|point| !seen.contains(&identity(point)));
        let pick = seed(2 * DRAWS).checked_rem(left.len() as u64)?;
        Some((left.swap_remove(pick as usize), 2 * DRAWS))
    }

    /// Ranks the points that the next suggestion builds on.
    fn evidence(&self) -> Evidence {
        let Record { space, trials, .. } = &self.record;
        let (ended, under_way) = trials.split_at(self.usable().min(trials.len()));
        let mut ended: Vec<_> = ended
            .iter()
            .filter_map(|trial| Some((trial, trial.outcome.as_ref()?)))
            .filter(|(_, outcome)| !matches!(outcome.state, State::Failed { .. }))
            .collect();
        ended.sort_by(|(_, a), (_, b)| by_worth(a, b));
        let with_result = ended.len();
        let points = ended.into_iter().map(|(trial, _)| trial).chain(under_way);
        let ranked = points.map(|trial| space.complete(&trial.point, &self.base)).collect();
        Evidence { ranked, with_result }
    }

    /// Refuses a trial that is not the one that comes next, or could not have begun yet.
    fn check(&self, trial: &Trial) -> Result<(), StudyError> {
        let id = self.record.trials.len();
        let differs = |problem: String| StudyError::Altered { trial: id, problem };
        if trial.id != id {
            return Err(differs(format!("it is called {}", trial.id)));
        }
        if !self.may_begin() {
            return Err(altered(id, "it could not have begun yet, or not at all"));
        }
        let Some(next) = self.next() else { return Err(altered(id, "there was nothing left to try")) };
        if trial.point != next.point {
            return Err(differs(format!("it is {} instead of {}", json(&trial.point), json(&next.point))));
        }
        if (trial.origin, &trial.rungs, trial.redrawn) != (next.origin, &next.rungs, next.redrawn) {
            return Err(altered(id, "its origin, its rungs or the number of its draws differs"));
        }
        if trial.ended.is_some() != trial.outcome.is_some() {
            return Err(altered(id, "it has an end without an outcome, or an outcome without an end"));
        }
        trial.outcome.as_ref().and_then(|told| told.problem(&trial.rungs)).map_or(Ok(()), |p| Err(differs(p)))
    }
}

fn altered(trial: usize, problem: &str) -> StudyError {
    StudyError::Altered { trial, problem: problem.to_owned() }
}

/// Names a point by what it trains, so that two that train the same have the same name.
fn identity(space: &Space, point: &Point, base: &Point) -> String {
    let plain = |value: Value| match value.as_f64() {
        Some(number) => Value::from(number),
        None => value,
    };
    let whole = space.complete(point, base);
    json(&whole.into_iter().map(|(name, value)| (name, plain(value))).collect())
}

/// Orders outcomes from the best to the worst; equals keep the order of their trials.
fn by_worth(a: &Outcome, b: &Outcome) -> Ordering {
    let worth = |outcome: &Outcome| match outcome.state {
        State::Complete => (0, 0),
        State::Pruned { epoch } => (1, usize::MAX - epoch),
        State::Diverged | State::Failed { .. } => (2, 0),
    };
    let loss = |outcome: &Outcome| outcome.loss.unwrap_or(f64::INFINITY);
    worth(a).cmp(&worth(b)).then(loss(a).total_cmp(&loss(b)))
}
