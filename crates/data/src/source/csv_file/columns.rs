//! Which column of a file says what.

use serde::{Deserialize, Serialize};

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Names of a file's columns, as its header spells them; what a file lacks stays away.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Columns {
            $($(#[$doc])* pub $name: Option<String>,)*
        }

        impl Columns {
            /// Returns the columns that are set, by their keys.
            pub(super) fn set(&self) -> impl Iterator<Item = (&'static str, &str)> {
                let all = [$((stringify!($name), self.$name.as_deref())),*];
                all.into_iter().filter_map(|(key, column)| column.map(|column| (key, column)))
            }
        }
    };
}

columns! {
    /// Day of the game in the league's time zone.
    date,
    /// Time of day of the start in the league's time zone.
    time,
    /// Instant of the start: RFC 3339 or unix seconds; it goes before date and time.
    start,
    /// Season, by the year in which it began: `2012`, `2012/2013`, `2012-13`.
    season,
    /// Home team.
    home,
    /// Away team.
    away,
    /// Points of the home side.
    home_score,
    /// Points of the away side.
    away_score,
    /// State of the game: final, scheduled, postponed, ...
    status,
    /// The file's own id of the game.
    event,
    /// Which of a day's games of the same teams it is, from 1.
    number,
    /// Whether nobody is at home.
    neutral,
    /// Stadium.
    venue,
    /// Roof.
    roof,
    /// Surface.
    surface,
    /// Coach of the home side.
    home_coach,
    /// Coach of the away side.
    away_coach,
    /// Key player of the home side.
    home_player,
    /// Key player of the away side.
    away_player,
    /// Referee.
    referee,
    /// Week or round.
    week,
    /// Regular season, play-off, ...
    stage,
    /// Price of the home side.
    home_price,
    /// Price of the draw.
    draw_price,
    /// Price of the away side.
    away_price,
    /// The home side's handicap.
    spread,
    /// Price of the home side with its handicap.
    spread_home_price,
    /// Price of the away side with its handicap.
    spread_away_price,
    /// Points of over and under.
    total,
    /// Price of more points than the total.
    over_price,
    /// Price of fewer points than the total.
    under_price,
    /// Book of the row's prices.
    book,
    /// Instant at which the prices stood: RFC 3339 or unix seconds.
    captured_at,
}
