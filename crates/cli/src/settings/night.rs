//! `[night]`: how long each step may take, and how long its folder is kept.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// `[night]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NightSettings {
    /// Longest time of a step by its name; `fetch` stands for every league's.
    pub(crate) budget: BTreeMap<String, SignedDuration>,
    /// Days after which a night asks whether its predecessors' folders may go; 0 keeps them all.
    pub(crate) keep_runs_days: u32,
}

/// The steps and the minutes that each may take when nothing else is said.
const STEPS: [(&str, u64); 14] = [
    ("fetch", 30),
    ("settle", 30),
    ("graph", 30),
    ("sweep", 240),
    ("train", 240),
    ("promote", 30),
    ("predict", 30),
    ("weights", 60),
    ("stake", 60),
    ("ledger", 15),
    ("games", 30),
    ("report", 15),
    ("mail", 15),
    ("notify", 15),
];

impl NightSettings {
    /// Returns the longest time of a step.
    pub(crate) fn budget_of(&self, step: &str) -> Duration {
        let usual = STEPS.iter().find(|(name, _)| *name == step).map_or(60, |(_, minutes)| *minutes);
        let set = self.budget.get(step).and_then(|budget| Duration::try_from(*budget).ok());
        set.unwrap_or(Duration::from_mins(usual))
    }

    /// Says what cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        for (step, budget) in &self.budget {
            if !STEPS.iter().any(|(name, _)| name == step) {
                let known: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
                return Err(format!("night.budget.{step} names no step: there are {}", known.join(", ")));
            }
            if *budget <= SignedDuration::ZERO {
                return Err(format!("night.budget.{step} is {budget:#}, it must be above 0, like \"2h\""));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_its_usual_time_unless_another_is_set() {
        let night: NightSettings = toml::from_str("budget = { train = \"90m\" }").unwrap();
        assert_eq!(night.budget_of("train"), Duration::from_mins(90));
        assert_eq!(night.budget_of("sweep"), Duration::from_hours(4));
        assert_eq!(night.check(), Ok(()));
    }

    #[test]
    fn steps_that_do_not_exist_and_times_that_are_none_are_refused() {
        let told = |text: &str| toml::from_str::<NightSettings>(text).unwrap().check().unwrap_err();
        assert!(
            told("budget = { trian = \"2h\" }")
                .starts_with("night.budget.trian names no step: there are fetch")
        );
        assert!(told("budget = { train = \"0s\" }").contains("must be above 0"));
    }
}
