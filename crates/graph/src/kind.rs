//! Which kinds of nodes there are, and through which relations they reach one another.
//!
//! A fixture (`Game`: what is known when it is scheduled) is apart from its `Outcome` (what is known
//! after it ended), so that a leak is hard to write.
//!
//! # Example
//! ```
//! use graph::{NodeKind, Relation};
//! assert!(Relation::ALL.iter().all(|r| r.target() != NodeKind::Book), "nothing flows into a book");
//! ```

use serde::Serialize;

/// Kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A fixture.
    Game,
    /// A fixture's final score.
    Outcome,
    /// A team.
    Team,
    /// A stadium.
    Venue,
    /// A coach.
    Coach,
    /// A key player: quarterback, goalkeeper, pitcher.
    Player,
    /// A referee.
    Referee,
    /// One book's latest quote on a game's market.
    Line,
    /// A bookmaker.
    Book,
}

impl NodeKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Game,
        Self::Outcome,
        Self::Team,
        Self::Venue,
        Self::Coach,
        Self::Player,
        Self::Referee,
        Self::Line,
        Self::Book,
    ];

    /// Returns the name used in tables, pictures and checkpoints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Game => "game",
            Self::Outcome => "outcome",
            Self::Team => "team",
            Self::Venue => "venue",
            Self::Coach => "coach",
            Self::Player => "player",
            Self::Referee => "referee",
            Self::Line => "line",
            Self::Book => "book",
        }
    }
}

/// A directed kind of edge: messages flow from source to target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Home team into the game.
    HomeTeam,
    /// Away team into the game.
    AwayTeam,
    /// Venue into the game.
    PlayedAt,
    /// Home coach into the game.
    HomeCoach,
    /// Away coach into the game.
    AwayCoach,
    /// Home key player into the game.
    HomePlayer,
    /// Away key player into the game.
    AwayPlayer,
    /// Referee into the game.
    Officiates,
    /// A line into the game (market variant only).
    Quotes,
    /// A book into its line (market variant only).
    Posts,
    /// A past home game's outcome into the team.
    TeamHomeOutcome,
    /// A past away game's outcome into the team.
    TeamAwayOutcome,
    /// A past game's outcome into its venue.
    VenueOutcome,
    /// A past game's outcome into a coach who led in it.
    CoachOutcome,
    /// A past game's outcome into a key player who started in it.
    PlayerOutcome,
    /// A past game's outcome into its referee.
    RefereeOutcome,
    /// The home team of a past game into its outcome.
    OutcomeHomeTeam,
    /// The away team of a past game into its outcome.
    OutcomeAwayTeam,
}

impl Relation {
    /// All relations.
    pub const ALL: [Self; 18] = [
        Self::HomeTeam,
        Self::AwayTeam,
        Self::PlayedAt,
        Self::HomeCoach,
        Self::AwayCoach,
        Self::HomePlayer,
        Self::AwayPlayer,
        Self::Officiates,
        Self::Quotes,
        Self::Posts,
        Self::TeamHomeOutcome,
        Self::TeamAwayOutcome,
        Self::VenueOutcome,
        Self::CoachOutcome,
        Self::PlayerOutcome,
        Self::RefereeOutcome,
        Self::OutcomeHomeTeam,
        Self::OutcomeAwayTeam,
    ];

    /// Returns the name used in tables, pictures and checkpoints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HomeTeam => "home_team",
            Self::AwayTeam => "away_team",
            Self::PlayedAt => "played_at",
            Self::HomeCoach => "home_coach",
            Self::AwayCoach => "away_coach",
            Self::HomePlayer => "home_player",
            Self::AwayPlayer => "away_player",
            Self::Officiates => "officiates",
            Self::Quotes => "quotes",
            Self::Posts => "posts",
            Self::TeamHomeOutcome => "team_home_outcome",
            Self::TeamAwayOutcome => "team_away_outcome",
            Self::VenueOutcome => "venue_outcome",
            Self::CoachOutcome => "coach_outcome",
            Self::PlayerOutcome => "player_outcome",
            Self::RefereeOutcome => "referee_outcome",
            Self::OutcomeHomeTeam => "outcome_home_team",
            Self::OutcomeAwayTeam => "outcome_away_team",
        }
    }

    /// Returns the kind that messages come from.
    pub fn source(self) -> NodeKind {
        match self {
            Self::HomeTeam | Self::AwayTeam | Self::OutcomeHomeTeam | Self::OutcomeAwayTeam => NodeKind::Team,
            Self::PlayedAt => NodeKind::Venue,
            Self::HomeCoach | Self::AwayCoach => NodeKind::Coach,
            Self::HomePlayer | Self::AwayPlayer => NodeKind::Player,
            Self::Officiates => NodeKind::Referee,
            Self::Quotes => NodeKind::Line,
            Self::Posts => NodeKind::Book,
            Self::TeamHomeOutcome
            | Self::TeamAwayOutcome
            | Self::VenueOutcome
            | Self::CoachOutcome
            | Self::PlayerOutcome
            | Self::RefereeOutcome => NodeKind::Outcome,
        }
    }

    /// Returns the kind that messages go to.
    pub fn target(self) -> NodeKind {
        match self {
            Self::HomeTeam
            | Self::AwayTeam
            | Self::PlayedAt
            | Self::HomeCoach
            | Self::AwayCoach
            | Self::HomePlayer
            | Self::AwayPlayer
            | Self::Officiates
            | Self::Quotes => NodeKind::Game,
            Self::Posts => NodeKind::Line,
            Self::TeamHomeOutcome | Self::TeamAwayOutcome => NodeKind::Team,
            Self::VenueOutcome => NodeKind::Venue,
            Self::CoachOutcome => NodeKind::Coach,
            Self::PlayerOutcome => NodeKind::Player,
            Self::RefereeOutcome => NodeKind::Referee,
            Self::OutcomeHomeTeam | Self::OutcomeAwayTeam => NodeKind::Outcome,
        }
    }

    /// Whether a target has at most one source as of any instant, the latest statement.
    pub fn is_single(self) -> bool {
        self.target() == NodeKind::Game && self != Self::Quotes
            || matches!(self, Self::Posts | Self::OutcomeHomeTeam | Self::OutcomeAwayTeam)
    }

    /// Whether it carries prices, which the variant without market inputs never sees.
    pub fn is_market(self) -> bool {
        matches!(self, Self::Quotes | Self::Posts)
    }
}
