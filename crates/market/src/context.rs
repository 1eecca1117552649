//! What surrounds a game: venue, coaches, key players, referee, rest.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Game, Name, RawRef};

/// Facts about a game, each optional; what makes the graph heterogeneous.
///
/// A game may have several rows, for instance one from the schedule and a later one with the starters.
/// As of an instant, each field is the latest known value among the visible rows ([`ContextRow::merge`]).
///
/// # Example
/// ```
/// # use market::*;
/// # let game = Game::new(&LeagueId::new("nfl").unwrap(), 2021, "2021-11-12T01:20:00Z".parse().unwrap(),
/// #     "2021-11-11".parse().unwrap(), "MIA", "BAL");
/// # let raw_ref = RawRef { payload: "ab".into(), row: 0 };
/// let mut schedule = ContextRow::new(game.clone(), "2021-11-01T00:00:00Z".parse().unwrap(), "nflverse".into(), raw_ref.clone());
/// schedule.venue = Some("Hard Rock Stadium".into());
/// let mut starters = ContextRow::new(game, "2021-11-11T23:00:00Z".parse().unwrap(), "nflverse".into(), raw_ref);
/// starters.home_player = Some("Jacoby Brissett".into());
/// schedule.merge(&starters);
/// assert!(schedule.venue.is_some() && schedule.home_player.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextRow {
    /// The game's header.
    #[serde(flatten)]
    pub game: Arc<Game>,
    /// Whether nobody is at home.
    pub neutral: Option<bool>,
    /// Stadium.
    pub venue: Option<Name>,
    /// Roof: open, closed, dome, ...
    pub roof: Option<Name>,
    /// Surface: grass, turf, ...
    pub surface: Option<Name>,
    /// Coach of the home side.
    pub home_coach: Option<Name>,
    /// Coach of the away side.
    pub away_coach: Option<Name>,
    /// Key player of the home side (quarterback, goalkeeper, pitcher).
    pub home_player: Option<Name>,
    /// Key player of the away side.
    pub away_player: Option<Name>,
    /// Referee.
    pub referee: Option<Name>,
    /// Days since the home side's last game.
    pub home_rest_days: Option<u16>,
    /// Days since the away side's last game.
    pub away_rest_days: Option<u16>,
    /// Week or round of the season.
    pub week: Option<u16>,
    /// Regular season, play-off, ...
    pub stage: Option<Name>,
    /// When this could have been known, UTC.
    pub known_at: Timestamp,
    /// The source's id.
    pub source: Name,
    /// The bytes behind it.
    pub raw_ref: RawRef,
}

impl ContextRow {
    /// Builds a row that says only that the game is scheduled.
    pub fn new(game: Arc<Game>, known_at: Timestamp, source: Name, raw_ref: RawRef) -> Self {
        Self {
            game,
            neutral: None,
            venue: None,
            roof: None,
            surface: None,
            home_coach: None,
            away_coach: None,
            home_player: None,
            away_player: None,
            referee: None,
            home_rest_days: None,
            away_rest_days: None,
            week: None,
            stage: None,
            known_at,
            source,
            raw_ref,
        }
    }

    /// Takes from a `later` row of the same game every field that it states.
    pub fn merge(&mut self, later: &Self) {
        fn take<T: Clone>(mine: &mut Option<T>, later: Option<&T>) {
            if let Some(later) = later {
                *mine = Some(later.clone());
            }
        }
        self.game = later.game.clone();
        take(&mut self.neutral, later.neutral.as_ref());
        take(&mut self.venue, later.venue.as_ref());
        take(&mut self.roof, later.roof.as_ref());
        take(&mut self.surface, later.surface.as_ref());
        take(&mut self.home_coach, later.home_coach.as_ref());
        take(&mut self.away_coach, later.away_coach.as_ref());
        take(&mut self.home_player, later.home_player.as_ref());
        take(&mut self.away_player, later.away_player.as_ref());
        take(&mut self.referee, later.referee.as_ref());
        take(&mut self.home_rest_days, later.home_rest_days.as_ref());
        take(&mut self.away_rest_days, later.away_rest_days.as_ref());
        take(&mut self.week, later.week.as_ref());
        take(&mut self.stage, later.stage.as_ref());
        self.known_at = later.known_at;
        self.source = later.source.clone();
        self.raw_ref = later.raw_ref.clone();
    }
}
