//! Spans by which a subscriber can tell where training spends its time: all on the target [`PROFILE_TARGET`], none within
//! another.
//!
//! On a GPU the work of a span may end after it, since libtorch does not wait.

use tracing::{Level, Span, span, span::EnteredSpan};

/// Target of the spans that tell where training spends its time.
pub const PROFILE_TARGET: &str = "edge::profile";

macro_rules! phases {
    ($($phase:ident $name:literal),+ $(,)?) => {
        /// What time is spent on.
        #[derive(Debug, Clone, Copy)]
        pub(crate) enum Phase { $($phase),+ }

        impl Phase {
            fn span(self) -> Span {
                match self { $(Self::$phase => span!(target: PROFILE_TARGET, Level::TRACE, $name)),+ }
            }
        }
    };
}

phases! {
    Sample "sample neighbourhoods",
    Copy "copy into tensors",
    Linear "fit the linear part",
    Batch "put batches together",
    Forward "pass messages forward",
    Backward "gradients and steps",
    Validate "judge on validation games",
    Forecast "forecast held-out games",
    Score "baselines and scores",
}

/// Measures until it is dropped.
pub(crate) fn time(phase: Phase) -> EnteredSpan {
    phase.span().entered()
}
