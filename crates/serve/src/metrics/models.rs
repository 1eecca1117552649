//! Which models are loaded, and how far their forecasts have moved; written anew at every scrape.

use std::{
    fmt::Error,
    sync::{Arc, Mutex, PoisonError},
};

use market::ModelCard;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use crate::drift::Drift;

type InfoLabels = [(&'static str, String); 3];

/// Version and hash of the model that answers, and of the one that runs in its shadow.
#[derive(Debug, Default)]
pub(super) struct Models {
    loaded: Mutex<Loaded>,
    pub(super) drift: Arc<Drift>,
}

#[derive(Debug, Default)]
struct Loaded {
    champion: Option<(String, String)>,
    challenger: Option<(String, String)>,
}

fn named(card: &ModelCard) -> (String, String) {
    (card.version.clone(), card.sha256.clone())
}

impl Models {
    /// Takes the model that answers from now on; another one than before, which is told, has its forecasts watched anew.
    pub(super) fn serve(&self, card: &ModelCard) -> bool {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Some(named(card));
        let is_new = loaded.champion != new;
        if is_new {
            loaded.champion = new;
            self.drift.reset();
        }
        is_new
    }

    pub(super) fn shadow(&self, card: Option<&ModelCard>) {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).challenger = card.map(named);
    }

    fn infos(&self) -> Vec<InfoLabels> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let roles = [("champion", &loaded.champion), ("challenger", &loaded.challenger)];
        let info = |(role, model): (&str, &Option<(String, String)>)| {
            let (version, sha256) = model.clone()?;
            Some([("role", role.to_owned()), ("version", version), ("sha256", sha256)])
        };
        roles.into_iter().filter_map(info).collect()
    }
}

impl Collector for Models {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let infos = self.infos();
        if !infos.is_empty() {
            let help = "Models that are loaded: the champion answers, the challenger runs in its shadow.";
            let mut metric = encoder.encode_descriptor("model", help, None, MetricType::Info)?;
            for info in &infos {
                metric.encode_info(info)?;
            }
        }
        let seen = self.drift.read();
        let mut say = |name: &str, help: &str, values: Vec<(&str, f64)>| {
            if values.is_empty() {
                return Ok(());
            }
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (league, value) in values {
                ConstGauge::new(value).encode(metric.encode_family(&[("league", league)])?)?;
            }
            Ok::<_, Error>(())
        };
        let games = seen.iter().map(|(league, games, _)| (league.as_str(), *games as f64));
        say("drift_games", "Recent games that are compared with the reference.", games.collect())?;
        let found = seen.iter().filter_map(|(league, _, found)| Some((league.as_str(), (*found)?)));
        let index = found.clone().map(|(league, found)| (league, found.index));
        let help =
            "Population stability index of the recent home-win probabilities; absent with too few games.";
        say("drift_psi", help, index.collect())?;
        let help = "Value that the index exceeds once in twenty times when nothing has moved.";
        say("drift_psi_by_chance", help, found.map(|(league, found)| (league, found.by_chance)).collect())
    }
}
