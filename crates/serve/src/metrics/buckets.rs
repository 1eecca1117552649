//! Upper bounds of the histograms' buckets, each chosen for what it counts.

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets, linear_buckets};

/// Seconds of an answer: from memory below the first bounds, from the model around the middle.
pub(super) fn answers() -> Histogram {
    Histogram::new([
        0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
        30.0,
    ])
}

/// Seconds in the queue.
pub(super) fn waits() -> Histogram {
    Histogram::new([0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0])
}

/// Games of a batch: 1, 2, 4, ... 256.
pub(super) fn batches() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 9))
}

/// Seconds of a reload, which reads a model and warms a graph.
pub(super) fn reloads() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0])
}

/// Distances of two probabilities.
pub(super) fn differences() -> Histogram {
    Histogram::new([0.001, 0.002_5, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5])
}

/// Probabilities: 0.05, 0.1, ... 0.95.
pub(super) fn probabilities() -> Histogram {
    Histogram::new(linear_buckets(0.05, 0.05, 19).map(|bound| (bound * 100.0).round() / 100.0))
}
