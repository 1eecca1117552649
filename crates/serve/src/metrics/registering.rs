//! Making a metric and naming it in one step.

use std::hash::Hash;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric},
    metrics::{TypedMetric, family::Family, histogram::Histogram},
    registry::{Metric, Registry, Unit},
};

/// Registers what it returns.
pub(super) trait Registering {
    fn keep(&mut self, name: &str, help: &str, unit: Option<Unit>, metric: impl Metric);

    fn gauge<M: Metric + Clone + Default>(&mut self, name: &str, help: &str, unit: Option<Unit>) -> M {
        let gauge = M::default();
        self.keep(name, help, unit, gauge.clone());
        gauge
    }

    fn histogram(&mut self, name: &str, help: &str, unit: Option<Unit>, new: fn() -> Histogram) -> Histogram {
        let histogram = new();
        self.keep(name, help, unit, histogram.clone());
        histogram
    }

    fn family<L, M>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        new: fn() -> M,
    ) -> Family<L, M, fn() -> M>
    where
        L: Clone + Hash + Eq + EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static,
        M: TypedMetric + EncodeMetric + std::fmt::Debug + Clone + Send + Sync + 'static,
    {
        let family = Family::new_with_constructor(new);
        self.keep(name, help, unit, family.clone());
        family
    }
}

impl Registering for Registry {
    fn keep(&mut self, name: &str, help: &str, unit: Option<Unit>, metric: impl Metric) {
        match unit {
            Some(unit) => self.register_with_unit(name, help, unit, metric),
            None => self.register(name, help, metric),
        }
    }
}
