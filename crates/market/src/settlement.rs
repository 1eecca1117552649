//! What a selection returns: five grades, by the whole and quarter points of domain notes section 6.5.
//!
//! # Example
//! ```
//! use market::{Grade, Points, Selection, settlement::grade};
//! let quarter = Points::from_f64(-0.75);
//! assert_eq!(grade(Selection::Home, quarter, 1, 0), Some(Grade::HalfWin));
//! assert_eq!(grade(Selection::Over, Points::from_f64(2.0), 1, 1), Some(Grade::Push));
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Points, Price, Selection};

/// How a bet on a finished game ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Stake back and full profit.
    Win,
    /// Half of the stake wins, half comes back.
    HalfWin,
    /// The stake comes back.
    Push,
    /// Half of the stake is lost, half comes back.
    HalfLoss,
    /// The stake is lost.
    Loss,
}

impl Grade {
    /// All grades, best first.
    pub const ALL: [Self; 5] = [Self::Win, Self::HalfWin, Self::Push, Self::HalfLoss, Self::Loss];

    /// Returns the net return of a stake of 1.
    pub fn net(self, price: Price) -> f64 {
        let profit = price.decimal() - 1.0;
        match self {
            Self::Win => profit,
            Self::HalfWin => profit / 2.0,
            Self::Push => 0.0,
            Self::HalfLoss => -0.5,
            Self::Loss => -1.0,
        }
    }

    /// Returns the contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Win => "win",
            Self::HalfWin => "half_win",
            Self::Push => "push",
            Self::HalfLoss => "half_loss",
            Self::Loss => "loss",
        }
    }

    /// Reads the contract's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.as_str() == text)
    }

    /// Grades by the distance to the line in quarters: a half point or more decides the whole bet.
    fn of_quarters(distance: i32) -> Self {
        match distance {
            2.. => Self::Win,
            1 => Self::HalfWin,
            0 => Self::Push,
            -1 => Self::HalfLoss,
            ..=-2 => Self::Loss,
        }
    }
}

/// Grades `selection` at `points` on a final score.
///
/// Without points it is the moneyline: a drawn game loses for `Home` and `Away`; a two-way league's draw
/// is a push and is decided by the caller through [`moneyline_two_way`]. None when a total has no points.
pub fn grade(
    selection: Selection,
    points: Option<Points>,
    home_score: i32,
    away_score: i32,
) -> Option<Grade> {
    grade_of(selection, points, home_score - away_score, home_score + away_score)
}

/// Grades by margin (home minus away) and total; see [`grade`].
pub fn grade_of(selection: Selection, points: Option<Points>, margin: i32, total: i32) -> Option<Grade> {
    let decided = |won: bool| if won { Grade::Win } else { Grade::Loss };
    match (selection, points) {
        (Selection::Home, None) => Some(decided(margin > 0)),
        (Selection::Draw, _) => Some(decided(margin == 0)),
        (Selection::Away, None) => Some(decided(margin < 0)),
        (Selection::Home, Some(points)) => Some(Grade::of_quarters(4 * margin + points.quarters())),
        (Selection::Away, Some(points)) => Some(Grade::of_quarters(-4 * margin + points.quarters())),
        (Selection::Over, Some(points)) => Some(Grade::of_quarters(4 * total - points.quarters())),
        (Selection::Under, Some(points)) => Some(Grade::of_quarters(points.quarters() - 4 * total)),
        (Selection::Over | Selection::Under, None) => None,
    }
}

/// Grades a moneyline where no draw is offered: a drawn game is a push.
pub fn moneyline_two_way(selection: Selection, margin: i32) -> Option<Grade> {
    grade_of(selection, Some(Points::from_quarters(0)), margin, 0)
}

/// What a drawn game is to a bet on the moneyline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// The draw can be bet on: it wins for `Draw`, and loses for `Home` and `Away`.
    Offered,
    /// The stake comes back.
    Push,
    /// Both sides lose.
    Loses,
    /// Both sides share the win: half of the stake wins at full odds, half is lost.
    DeadHeat,
}

impl Tie {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Offered, Self::Push, Self::Loses, Self::DeadHeat];

    /// Returns the contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Push => "push",
            Self::Loses => "loses",
            Self::DeadHeat => "dead_heat",
        }
    }

    /// Reads the contract's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tie| tie.as_str() == text)
    }
}

impl fmt::Display for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Probabilities of the five grades, in the order of [`Grade::ALL`]; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GradeProbabilities(pub [f64; 5]);

impl GradeProbabilities {
    /// Returns the expected net return of a stake of 1 at `price`.
    pub fn expected_net(&self, price: Price) -> f64 {
        Grade::ALL.iter().zip(self.0).map(|(grade, p)| p * grade.net(price)).sum()
    }

    /// Returns the fair probability: winning share among decided stakes (a push counts for neither side).
    ///
    /// Zero when nothing would be decided.
    pub fn win_share(&self) -> f64 {
        let [win, half_win, _, half_loss, loss] = self.0;
        let (for_, against) = (win + half_win / 2.0, loss + half_loss / 2.0);
        if for_ + against > 0.0 { for_ / (for_ + against) } else { 0.0 }
    }
}
