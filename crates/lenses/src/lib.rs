//! Five lenses on one price, and the score that they make together (domain notes, section 5).
//!
//! Pure: no I/O, no clock, and no chance but from a fixed seed. Each lens turns plain numbers into a [`Lens`]: a score in (0, 1], a veto
//! with its reason, or *missing* with its reason; what is not known is never made up.
//!
//! | module | question it answers |
//! |---|---|
//! | [`candidate`] | which quotes may be bet on at all, and why not the others? |
//! | [`game_quotes`] | what do the other books say of it? |
//! | [`posterior`] | what do we believe once the market has had its say? |
//! | [`circle_of_competence`] | have our forecasts known more than the price here? |
//! | [`margin_of_safety`] | is it still a good bet if we err? |
//! | [`mr_market`] | will this quote beat the close? |
//! | [`drift`] | where does the consensus usually go until then? |
//! | [`drifts`] | what do past prices of every league and market say of that? |
//! | [`moat`] | does the edge survive another method, less evidence, a worse price? |
//! | [`fat_pitch`] | how much growth does it add tonight, and is there capacity left? |
//! | [`aggregate`](mod@aggregate) | what do the five say together, and which part is whose? |
//! | [`learning`] | how much should each of them count? |
//! | [`assess`](mod@assess) | the first four lenses of one candidate from what is known of its game |
//! | [`arbitrage`] | which prices contradict one another? |
//! | [`lens`] | what can a lens say? |
//! | [`normal`] | how likely is a normal variable below a point? |

pub mod aggregate;
pub mod arbitrage;
pub mod assess;
pub mod candidate;
pub mod circle_of_competence;
pub mod drift;
pub mod drifts;
pub mod fat_pitch;
pub mod game_quotes;
pub mod learning;
pub mod lens;
pub mod margin_of_safety;
pub mod moat;
pub mod mr_market;
pub mod normal;
pub mod posterior;

pub use aggregate::{Aggregate, Weights, aggregate};
pub use assess::{Assessment, Evidence, assess};
pub use candidate::{Candidate, Refusal};
pub use drifts::Drifts;
pub use game_quotes::GameQuotes;
pub use lens::{Lens, LensKind};
pub use posterior::{MarketOpinion, Posterior};
