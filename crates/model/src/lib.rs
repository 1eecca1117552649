//! The Heterogeneous Graph Transformer: network, training, baselines, scores, and the predictor over a graph.
//!
//! A [`graph::Sampler`] cuts a game's surroundings out of the graph as a tree of padded rectangles; the network passes
//! messages up that tree and tilts the league's own histograms of margin and total. The only crate that lists tch;
//! no tensor crosses its border.
//!
//! | module | question it answers |
//! |---|---|
//! | [`settings`] | what may a person set? |
//! | `examples`, `samples`, `tree` | which games, as of when, as which tensors? |
//! | `schema`, `hgt`, `net` | how do messages pass? |
//! | [`base`], `tilt` | how do five numbers become two distributions, and what is the loss? |
//! | `anchor`, `direct` | where does a forecast start, and what do plain features say? |
//! | `ground`, `fit`, [`train`], `update` | how are members trained, and the ensemble, and brought up to date? |
//! | `baselines`, `dixon_coles`, `evaluate`, [`information`] | what must it beat, and what does it know beyond the price? |
//! | [`backtest`] | how would it have done, trained again and again as time went by? |
//! | [`ensemble`], [`graph_file`] | how are model and graph kept? |
//! | `forecast`, `linear` | how do trained members forecast without libtorch? |
//! | [`predictor`], `explain` | what does it say of a game, and what carried it? |
//! | `adam`, [`checkpoint`] | how are weights moved, and how does a killed training go on? |
//! | `full_graph` | the same layers on a whole graph at once, exact to the public reference |
//! | [`progress`] | where does training stand? |
//! | `stopwatch` | where does the time go? |
//! | [`runtime`] | does libtorch work here? |
//! | [`trial`] | what came of these settings? |

mod adam;
mod anchor;
mod baselines;
mod direct;
mod dixon_coles;
mod error;
mod evaluate;
mod examples;
mod explain;
mod fit;
mod forecast;
mod ground;
mod hgt;
mod linear;
mod net;
mod newton;
mod poisson;
mod samples;
mod schema;
mod stopwatch;
mod tilt;
mod tree;

pub mod backtest;
pub mod base;
pub mod checkpoint;
pub mod ensemble;
#[doc(hidden)]
// For tests and benchmarks beside the public reference: its tensors are no part of the crate's border.
pub mod full_graph;
pub mod graph_file;
pub mod information;
pub mod predictor;
pub mod progress;
pub mod runtime;
pub mod settings;
pub mod train;
pub mod trial;
mod update;

pub use base::{LeagueBase, smoothed_histogram};
pub use checkpoint::Checkpoints;
pub use ensemble::{Ensemble, MemberRecord, ModelFile, sha256};
pub use error::ModelError;
pub use graph_file::{graph_from_bytes, graph_to_bytes};
pub use information::{HeldOut, information_weight};
pub use predictor::GraphPredictor;
pub use progress::{Progress, Stage, Step, Variant};
pub use runtime::{LIBTORCH_VERSION, device_name};
pub use settings::{DeviceChoice, Precision, TrainSettings};
pub use stopwatch::PROFILE_TARGET;
pub use train::{Provenance, Trained, Trainer};
pub use trial::{Rung, TrialResult, TrialSpec, run_trial};
