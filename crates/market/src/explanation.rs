//! What carried a prediction: the steps from the league's usual share to the forecast, and what would change without a part.
//!
//! Every effect is a change of the home side's probability of winning: positive when the part speaks for the home side.
//! Effects of parts are found by leaving each one out alone; they need not sum to the step that they belong to.
//!
//! # Example
//! ```
//! use market::explanation::Effect;
//! let rest = Effect { name: "days of rest, home less away".into(), says: "+3.0".into(), home: 0.004 };
//! assert_eq!(rest.to_string(), "days of rest, home less away (+3.0): +0.4 points");
//! ```

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Game;

/// How a prediction came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The game.
    pub game: Arc<Game>,
    /// Nothing known at or after this instant was used.
    pub as_of: Timestamp,
    /// The model.
    pub model_version: String,
    /// Whether the game's own prices were looked at.
    pub uses_prices: bool,
    /// From the league's usual share of home wins to the forecast; the last one is the forecast.
    pub steps: Vec<Step>,
    /// The linear part's features, the largest effect first.
    pub features: Vec<Effect>,
    /// All neighbours of a kind together, the largest effect first.
    pub kinds: Vec<Effect>,
    /// Single neighbours, the largest effect first.
    pub neighbours: Vec<Neighbour>,
}

/// The probability after a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Step {
    /// What was taken in.
    pub name: String,
    /// Probability that home wins, in a 2-way league given that somebody does.
    pub home: f64,
}

/// What a part changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Effect {
    /// The part.
    pub name: String,
    /// Its value.
    pub says: String,
    /// Home's probability with everything, less that without this part.
    pub home: f64,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {} points", self.name, self.says, points(self.home))
    }
}

/// A neighbour in the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Neighbour {
    /// How it is reached: relations from the game outwards.
    pub path: Vec<String>,
    /// Its name and its change.
    #[serde(flatten)]
    pub effect: Effect,
    /// Days from the edge's instant to the as-of.
    pub age_days: f64,
    /// Share of attention that its target pays to it, averaged over heads and members.
    pub attention: f64,
}

impl Explanation {
    /// Returns the forecast's probability that home wins.
    pub fn home(&self) -> f64 {
        self.steps.last().map_or(f64::NAN, |step| step.home)
    }

    /// Tells the story in sentences, at most about ten.
    pub fn words(&self) -> Vec<String> {
        let (home, away) = (&self.game.home, &self.game.away);
        let mut words = Vec::new();
        let mut before = None;
        for step in &self.steps {
            let percent = 100.0 * step.home;
            words.push(match before {
                None => format!("{}: home sides win {percent:.1} %.", capital(&step.name)),
                Some(before) if same(step.home, before) => {
                    format!("{} change nothing.", capital(&step.name))
                }
                Some(before) => {
                    let side = if step.home > before { home } else { away };
                    let change = points((step.home - before).abs());
                    format!(
                        "{} speak for {side} by {} points: {percent:.1} %.",
                        capital(&step.name),
                        &change[1..]
                    )
                }
            });
            before = Some(step.home);
        }
        let largest = |effects: &mut dyn Iterator<Item = &Effect>| {
            let told: Vec<String> =
                effects.filter(|e| !same(e.home, 0.0)).take(3).map(Effect::to_string).collect();
            (!told.is_empty()).then(|| told.join("; "))
        };
        if let Some(features) = largest(&mut self.features.iter()) {
            words.push(format!("Among the plain features most came from {features}."));
        }
        if let Some(kinds) = largest(&mut self.kinds.iter()) {
            words.push(format!("Among the neighbours, by kind: {kinds}."));
        }
        if let Some(single) = largest(&mut self.neighbours.iter().map(|neighbour| &neighbour.effect)) {
            words.push(format!("One by one: {single}."));
        }
        words
    }
}

/// Whether two probabilities are shown alike.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 5e-4
}

fn points(change: f64) -> String {
    format!("{:+.1}", (1000.0 * change).round() / 10.0 + 0.0)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::LeagueId;

    #[test]
    fn the_story_names_the_side_and_leaves_out_what_changes_nothing() {
        let start: Timestamp = "2020-09-13T17:00:00Z".parse().unwrap();
        let date = start.to_zoned(TimeZone::UTC).date();
        let game = Game::new(&LeagueId::new("nfl").unwrap(), 2020, start, date, "Bills", "Jets");
        let step = |name: &str, home| Step { name: name.into(), home };
        let effect = |name: &str, home| Effect { name: name.into(), says: "x".into(), home };
        let explanation = Explanation {
            game,
            as_of: start,
            model_version: "v".into(),
            uses_prices: false,
            steps: vec![
                step("in this league", 0.55),
                step("the ratings", 0.65),
                step("the plain features", 0.62),
                step("the neighbours' messages", 0.6201),
            ],
            features: vec![effect("rest", -0.02), effect("form", 0.0001)],
            kinds: vec![],
            neighbours: vec![],
        };
        assert_eq!(
            explanation.words(),
            [
                "In this league: home sides win 55.0 %.",
                "The ratings speak for Bills by 10.0 points: 65.0 %.",
                "The plain features speak for Jets by 3.0 points: 62.0 %.",
                "The neighbours' messages change nothing.",
                "Among the plain features most came from rest (x): -2.0 points.",
            ]
        );
    }
}
