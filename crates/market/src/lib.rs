//! The nouns of Edge and the mathematics of prices: what every other crate speaks.
//!
//! Pure: no I/O, no clock, no tensors, no data frames; it compiles in a second.
//!
//! | module | question it answers |
//! |---|---|
//! | [`id`] | which league, game, team, book? |
//! | [`game`] | which fixture, when does it start? |
//! | [`odds`] | what is a price, and how is it written elsewhere? |
//! | [`no_vig`] | what does a set of prices say once the margin is taken out? |
//! | [`consensus`] | what do the books say together? |
//! | [`line`](mod@line) | one price of one book at one instant |
//! | [`result`] | how did the game end, and when could that be known? |
//! | [`context`] | venue, coaches, key players, referee, rest |
//! | [`settlement`] | what does a selection at some points return? |
//! | [`prediction`] | what does the model say about margin and total? |
//! | [`joint`] | and about both together? |
//! | [`explanation`] | what carried it? |
//! | [`predictor`] | the seam through which predictions are asked for |
//! | [`score`] | how good were the forecasts? |
//! | [`money`] | fixed-point amounts |

pub mod consensus;
pub mod context;
pub mod explanation;
pub mod game;
pub mod id;
pub mod joint;
pub mod line;
pub mod money;
pub mod no_vig;
pub mod odds;
pub mod prediction;
pub mod predictor;
pub mod result;
pub mod score;
pub mod settlement;

pub use context::ContextRow;
pub use explanation::Explanation;
pub use game::Game;
pub use id::{GameId, LeagueId, Name, RawRef};
pub use jiff::{Timestamp, civil::Date};
pub use joint::Joint;
pub use line::{LineRow, Market, Points, Selection};
pub use money::Money;
pub use odds::Price;
pub use prediction::{Distribution, Prediction, ScoreForecast};
pub use predictor::{GameQuery, ModelCard, PredictError, Predictor};
pub use result::{GameStatus, ResultRow};
pub use settlement::{Grade, GradeProbabilities};
