//! `--profile`: where training spends its time, summed from the model's spans.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tracing::{Metadata, Subscriber, span};
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

use crate::table::{percent, table};

/// Times by span, of this process.
static TIMES: OnceLock<Arc<Mutex<Times>>> = OnceLock::new();

#[derive(Debug, Default)]
struct Times {
    /// In the order in which they were met.
    spans: Vec<(&'static str, u64, Duration)>,
    entered: HashMap<span::Id, Instant>,
}

/// Sums the spans' times.
pub(crate) struct Stopwatch(Arc<Mutex<Times>>);

impl Stopwatch {
    /// Returns the stopwatch of this process; from now on [`Profile::read`] tells its times.
    pub(crate) fn of_this_process() -> Self {
        Self(TIMES.get_or_init(Arc::default).clone())
    }

    /// Whether a span is one of those that are timed.
    pub(crate) fn times(metadata: &Metadata<'_>) -> bool {
        metadata.target() == model::PROFILE_TARGET
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stopwatch {
    fn on_enter(&self, id: &span::Id, _: layer::Context<'_, S>) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.entered.insert(id.clone(), Instant::now());
    }

    fn on_exit(&self, id: &span::Id, context: layer::Context<'_, S>) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entered) = times.entered.remove(id) else { return };
        let Some(name) = context.metadata(id).map(Metadata::name) else { return };
        let spent = entered.elapsed();
        match times.spans.iter_mut().find(|span| span.0 == name) {
            Some((_, calls, sum)) => (*calls, *sum) = (*calls + 1, *sum + spent),
            None => times.spans.push((name, 1, spent)),
        }
    }
}

/// Where the time went.
pub(crate) struct Profile {
    spans: Vec<(&'static str, u64, f64)>,
    whole: f64,
}

impl Profile {
    /// Reads the times so far, of a work that took `whole` seconds; none without a stopwatch.
    pub(crate) fn read(whole: f64) -> Option<Self> {
        let times = TIMES.get()?.lock().unwrap_or_else(PoisonError::into_inner);
        let spans = times.spans.iter().map(|(name, calls, spent)| (*name, *calls, spent.as_secs_f64()));
        Some(Self { spans: spans.collect(), whole })
    }

    fn rest(&self) -> f64 {
        (self.whole - self.spans.iter().map(|span| span.2).sum::<f64>()).max(0.0)
    }

    pub(crate) fn table(&self) -> String {
        let mut shown = table(&["spent on", ">times", ">seconds", ">share"]);
        for (name, calls, seconds) in &self.spans {
            let share = percent(seconds / self.whole);
            shown.add_row([(*name).to_owned(), calls.to_string(), format!("{seconds:.2}"), share]);
        }
        let rest = self.rest();
        let share = percent(rest / self.whole);
        shown.add_row(["anything else".to_owned(), String::new(), format!("{rest:.2}"), share]);
        format!("{shown}\n")
    }

    pub(crate) fn json(&self) -> Value {
        let span = |(name, calls, seconds): &(&str, u64, f64)| json!({"name": name, "times": calls, "seconds": seconds});
        json!({"seconds": self.whole, "spans": self.spans.iter().map(span).collect::<Vec<_>>()})
    }
}
