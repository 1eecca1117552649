//! Who plays whom, when, and how far the game has come.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use market::GameStatus;
use serde_json::Value;

use super::{
    day,
    json::{list, number, text, yes},
};
use crate::source::quote;

/// Regular time of soccer, stoppage time included, in seconds on the clock of goals.
const REGULAR_TIME: f64 = 5_400.0;

/// What a league's season is called by: the year in which it ends.
const NAMED_BY_END: [&str; 7] = [
    "basketball/nba",
    "basketball/nba-development",
    "basketball/mens-college-basketball",
    "basketball/womens-college-basketball",
    "hockey/nhl",
    "hockey/mens-college-hockey",
    "hockey/womens-college-hockey",
];

/// How far a game has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has not begun.
    Before,
    /// It has begun, and is not over.
    During,
    /// It was played to its end.
    Played {
        /// Whether the score counts more than regular time.
        extra_time: bool,
    },
    /// It was not played, or not to its end.
    Off(GameStatus),
}

/// One event, read so far that a game can be made of it.
#[derive(Debug)]
pub(super) struct Fixture<'a> {
    pub(super) id: String,
    pub(super) competition: &'a Value,
    pub(super) start: Timestamp,
    /// When it is over at the latest, unless it goes to extra time.
    pub(super) ends: Timestamp,
    pub(super) season: i32,
    pub(super) home: Team,
    pub(super) away: Team,
    pub(super) phase: Phase,
}

#[derive(Debug)]
pub(super) struct Team {
    id: Option<String>,
    pub(super) name: String,
    pub(super) score: Option<String>,
}

impl<'a> Fixture<'a> {
    pub(super) fn read(event: &'a Value, sport: &str, zone: &TimeZone) -> Result<Self, &'static str> {
        if !event.is_object() {
            return Err("the event is no object");
        }
        let id = text(event, "/id").ok_or("the event has no id")?;
        let competition = match list(event, "/competitions") {
            [] => return Err("the event has no competition"),
            [competition] => competition,
            _ => return Err("the event has several competitions"),
        };
        if text(competition, "/type/abbreviation").is_some_and(|kind| kind.eq_ignore_ascii_case("ALLSTAR")) {
            return Err("an all-star game is no game of the league");
        }
        let start: Timestamp = text(event, "/date")
            .or_else(|| text(competition, "/date"))
            .and_then(|text| text.parse().ok())
            .ok_or("the date is unreadable")?;
        let lasts = lasts(sport);
        let placeholder = yes(competition, "/timeValid") == Some(false);
        let ends = if placeholder {
            quote::end_of_day(day(start, zone), zone, lasts)
        } else {
            start.checked_add(lasts).ok()
        };
        let ends = ends.ok_or("the date is unreadable")?;
        let season = season(event, sport, start, zone)?;
        let (home, away) = (team(competition, "home")?, team(competition, "away")?);
        if home.name == away.name {
            return Err("both teams are the same");
        }
        let status = [competition, event].iter().find_map(|at| at.pointer("/status/type"));
        let phase = phase(status.unwrap_or(&Value::Null))?;
        Ok(Self { id, competition, start, ends, season, home, away, phase })
    }

    /// Returns the score after regular time by the times of the goals, if all goals of the `last` score are known.
    pub(super) fn after_90_minutes(&self, last: (u16, u16)) -> Option<(u16, u16)> {
        let (mut all, mut regular) = ((0_u16, 0_u16), (0_u16, 0_u16));
        for goal in list(self.competition, "/details") {
            if yes(goal, "/scoringPlay") != Some(true) || yes(goal, "/shootout") == Some(true) {
                continue;
            }
            let (team, seconds) = (text(goal, "/team/id")?, text(goal, "/clock/value")?);
            let seconds: f64 = seconds.parse().ok()?;
            let scored = match Some(team) {
                team if team == self.home.id => (1, 0),
                team if team == self.away.id => (0, 1),
                _ => return None,
            };
            all = (all.0.checked_add(scored.0)?, all.1.checked_add(scored.1)?);
            if seconds <= REGULAR_TIME {
                regular = (regular.0 + scored.0, regular.1 + scored.1);
            }
        }
        (all == last).then_some(regular)
    }
}

/// Returns how long a game lasts at most.
pub(super) fn lasts(sport: &str) -> SignedDuration {
    let minutes = match sport.split('/').next() {
        Some("basketball") => 180,
        Some("hockey") => 210,
        Some("baseball") => 270,
        Some("soccer") => 150,
        _ => 240,
    };
    SignedDuration::from_mins(minutes)
}

/// Returns the year in which the season began.
fn season(event: &Value, sport: &str, start: Timestamp, zone: &TimeZone) -> Result<i32, &'static str> {
    let year = i32::from(day(start, zone).year());
    if !(1900..=2200).contains(&year) {
        return Err("the date is unreadable");
    }
    let Some(named) = event.pointer("/season/year").filter(|named| !named.is_null()) else {
        return Ok(year);
    };
    let named = number(&Value::Array(vec![named.clone()]), "/0").and_then(|named| i32::try_from(named).ok());
    let named = named.filter(|named| (named - year).abs() <= 1).ok_or("the season does not fit the start")?;
    Ok(if NAMED_BY_END.contains(&sport) { named - 1 } else { named })
}

fn team(competition: &Value, place: &str) -> Result<Team, &'static str> {
    let competitor = list(competition, "/competitors")
        .iter()
        .find(|competitor| text(competitor, "/homeAway").as_deref() == Some(place))
        .ok_or("a team is missing")?;
    let name = text(competitor, "/team/displayName").ok_or("a team is missing")?;
    let id = text(competitor, "/team/id").or_else(|| text(competitor, "/id"));
    if name.eq_ignore_ascii_case("TBD") || id.as_ref().is_some_and(|id| id.starts_with('-')) {
        return Err("a team is not known yet");
    }
    let score = ["/score", "/score/value", "/score/displayValue"];
    let score = score.iter().find_map(|pointer| text(competitor, pointer));
    Ok(Team { id, name, score })
}

/// Reads the type of a status; the names of ESPN are many, its three states few.
fn phase(status: &Value) -> Result<Phase, &'static str> {
    let name = text(status, "/name").unwrap_or_default().to_ascii_uppercase();
    let name = name.strip_prefix("STATUS_").unwrap_or(&name);
    let state = text(status, "/state").map(|state| state.to_ascii_lowercase());
    let completed = yes(status, "/completed");
    let contradicts = Err("the status contradicts itself");
    match (name, state.as_deref()) {
        ("POSTPONED", _) => Ok(Phase::Off(GameStatus::Postponed)),
        ("CANCELED" | "CANCELLED" | "FORFEIT" | "WALKOVER", _) => Ok(Phase::Off(GameStatus::Cancelled)),
        ("ABANDONED", _) => Ok(Phase::Off(GameStatus::Abandoned)),
        // It may go on, on another day; then there is a result.
        ("SUSPENDED", _) => Ok(Phase::During),
        (name, state) if name == "FULL_TIME" || name.starts_with("FINAL") => match state {
            Some("pre" | "in") => contradicts,
            _ if completed == Some(false) => contradicts,
            _ => Ok(Phase::Played { extra_time: matches!(name, "FINAL_AET" | "FINAL_PEN") }),
        },
        ("SCHEDULED", Some("in" | "post"))
        | ("IN_PROGRESS" | "HALFTIME" | "DELAYED" | "RAIN_DELAY", Some("post")) => contradicts,
        (_, Some("pre")) | ("SCHEDULED", None) => Ok(Phase::Before),
        (_, Some("in")) | ("IN_PROGRESS" | "HALFTIME", None) => Ok(Phase::During),
        (_, Some("post")) if completed == Some(true) => Ok(Phase::Played { extra_time: false }),
        _ => Err("the status is unknown"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_says_how_far_a_game_has_come() {
        use GameStatus::{Abandoned, Cancelled, Postponed};
        let played = |extra_time| Ok(Phase::Played { extra_time });
        for (name, state, expected) in [
            ("STATUS_SCHEDULED", "pre", Ok(Phase::Before)),
            ("STATUS_DELAYED", "pre", Ok(Phase::Before)),
            ("STATUS_IN_PROGRESS", "in", Ok(Phase::During)),
            ("STATUS_HALFTIME", "in", Ok(Phase::During)),
            ("STATUS_END_PERIOD", "in", Ok(Phase::During)),
            ("STATUS_RAIN_DELAY", "in", Ok(Phase::During)),
            ("STATUS_SUSPENDED", "post", Ok(Phase::During)),
            ("STATUS_FINAL", "post", played(false)),
            ("STATUS_FULL_TIME", "post", played(false)),
            ("STATUS_FINAL_AET", "post", played(true)),
            ("STATUS_FINAL_PEN", "post", played(true)),
            ("STATUS_FINAL", "in", Err("the status contradicts itself")),
            ("STATUS_SCHEDULED", "post", Err("the status contradicts itself")),
            ("STATUS_POSTPONED", "post", Ok(Phase::Off(Postponed))),
            ("STATUS_POSTPONED", "pre", Ok(Phase::Off(Postponed))),
            ("STATUS_CANCELED", "post", Ok(Phase::Off(Cancelled))),
            ("STATUS_FORFEIT", "post", Ok(Phase::Off(Cancelled))),
            ("STATUS_ABANDONED", "post", Ok(Phase::Off(Abandoned))),
            ("STATUS_NEVER_SEEN", "in", Ok(Phase::During)),
            ("STATUS_NEVER_SEEN", "post", Err("the status is unknown")),
            ("", "", Err("the status is unknown")),
        ] {
            assert_eq!(phase(&json!({"name": name, "state": state})), expected, "{name} {state}");
        }
        assert_eq!(phase(&json!({"state": "post", "completed": true})), played(false));
        assert_eq!(phase(&Value::Null), Err("the status is unknown"));
    }
}
