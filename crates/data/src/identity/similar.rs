//! Which team a strange name may stand for: a suggestion for a person, never an answer.

use std::collections::HashSet;

use super::{Name, Registry, fold};

/// Below this two names have nothing to do with each other.
const LIKELY: f64 = 0.75;

/// Returns how much two names look alike, from 0 to 1.
pub(super) fn likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (fold(a), fold(b));
    let words = |name: &str| name.split('-').map(str::to_owned).collect::<HashSet<String>>();
    let (of_a, of_b) = (words(&a), words(&b));
    // "Brighton" and "Brighton & Hove Albion", "Wolves" and "Wolverhampton".
    let shared = of_a.intersection(&of_b).filter(|word| word.len() > 2).count();
    let contained = shared as f64 / of_a.len().min(of_b.len()).max(1) as f64;
    let all = (shared as f64 / of_a.len().max(of_b.len()).max(1) as f64).mul_add(0.1, 0.85) * contained;
    all.max(strsim::jaro_winkler(&a, &b))
}

impl Registry {
    /// Returns the team that a name most likely stands for.
    ///
    /// That its opponent of the day is known to meet exactly one team weighs more than how the name is written.
    pub(super) fn suggestion(&self, name: &str, opponents: &[Name]) -> Option<Name> {
        if let [only] = opponents {
            return Some(only.clone());
        }
        let likely = |team: &Name| (likeness(name, team.as_str()), team.clone());
        let among = |teams: &mut dyn Iterator<Item = &Name>| {
            teams
                .map(likely)
                .filter(|(likeness, _)| *likeness >= LIKELY)
                .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
        };
        among(&mut self.teams.values()).map(|(_, team)| team)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_of_a_team_look_alike_and_other_teams_less() {
        for (a, b) in [
            ("Man United", "Manchester United"),
            ("Brighton", "Brighton & Hove Albion"),
            ("Nott'm Forest", "Nottingham Forest"),
            ("Köln", "1. FC Koln"),
            ("Atletico Madrid", "Ath Madrid"),
        ] {
            assert!(likeness(a, b) > LIKELY, "{a} {b} {}", likeness(a, b));
        }
        assert!(likeness("Arsenal", "Everton") < LIKELY);
    }
}
