//! What the program tells of itself while it runs: lines on stderr, and spans to a collector.

mod traces;

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use self::traces::Traces;
use crate::{
    profile::Stopwatch,
    settings::{LogFormat, Settings},
};

/// What was typed about logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// 0 shows warnings, 1 information, 2 everything of ours; `EDGE_LOG` goes before it.
    pub(crate) verbose: u8,
    /// JSON, whatever the settings say.
    pub(crate) json: bool,
    /// Whether the model's spans are timed as well.
    pub(crate) profile: bool,
}

/// Sends what is left when it is dropped; hold it until the program ends.
#[must_use]
#[derive(Debug)]
pub(crate) struct Logging {
    _traces: Option<Traces>,
}

/// Starts logging to stderr, and sending spans where the settings name a collector.
pub(crate) fn start(wanted: Wanted, settings: &Settings) -> anyhow::Result<Logging> {
    let default = match wanted.verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("EDGE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if wanted.json || settings.log.format == LogFormat::Json {
        lines.json().boxed()
    } else {
        lines.with_target(false).without_time().with_ansi(std::io::stderr().is_terminal()).boxed()
    };
    let stopwatch =
        wanted.profile.then(|| Stopwatch::of_this_process().with_filter(filter_fn(Stopwatch::times)));
    let traces = Traces::to(&settings.telemetry)?;
    let spans = traces.as_ref().map(Traces::layer);
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(stopwatch).with(spans).init();
    if traces.is_some() {
        traces::join_callers();
    }
    Ok(Logging { _traces: traces })
}
