//! What the model's threads, its loader and its shadow count.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    SECONDS, Seconds,
    buckets::{batches, differences, probabilities, reloads, waits},
    reasons::{CacheLabels, LeagueLabels, ReloadLabels},
    registering::Registering as _,
};

#[derive(Debug)]
pub(super) struct Work {
    pub(super) batches: Histogram,
    pub(super) waited: Histogram,
    pub(super) queued: Gauge,
    /// Misses, hits.
    pub(super) cached: [Counter; 2],
    pub(super) reloads: Family<ReloadLabels, Counter, fn() -> Counter>,
    pub(super) reload_seconds: Family<ReloadLabels, Histogram, fn() -> Histogram>,
    pub(super) reloaded_at: Family<ReloadLabels, Seconds, fn() -> Seconds>,
    pub(super) shadow: Histogram,
    pub(super) forecasts: Family<LeagueLabels, Histogram, fn() -> Histogram>,
}

impl Work {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let cached = registry.family(
            "slate_cache",
            "Known games and slates asked of memory, by result",
            None,
            Counter::default,
        );
        let apart = "Distance of the challenger's home-win probability from the champion's";
        let forecast = "Home-win probabilities that the model forecast, by league";
        let (count, at) = ("Reloads of the model by outcome", "Last reload, seconds since 1970");
        Self {
            batches: registry.histogram("batch_games", "Games of one batch of the model", None, batches),
            waited: registry.histogram("queue_wait", "Wait for the model", SECONDS, waits),
            queued: registry.gauge("queue_depth", "Games that wait for the model", None),
            cached: ["miss", "hit"].map(|result| cached.get_or_create_owned(&CacheLabels { result })),
            reloads: registry.family("model_reloads", count, None, Counter::default),
            reload_seconds: registry.family("model_reload_duration", "Time of a reload", SECONDS, reloads),
            reloaded_at: registry.family("model_reload_timestamp", at, SECONDS, Seconds::default),
            shadow: registry.histogram("shadow_difference", apart, None, differences),
            forecasts: registry.family("forecast_home_win", forecast, None, probabilities),
        }
    }
}
