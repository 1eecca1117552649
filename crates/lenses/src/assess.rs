//! The first four lenses of one candidate from what is known of its game; the fifth needs the bets beside it.
//!
//! # Example
//! ```
//! use lenses::{Evidence, Lens, MarketOpinion, Weights, assess};
//! use market::{GradeProbabilities, Price, predictor::InformationWeight};
//! let two_way = |p: f64| GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]);
//! let evidence = Evidence {
//!     members: [0.545, 0.56, 0.535, 0.57, 0.55].map(two_way).to_vec(),
//!     consensus: Some(MarketOpinion { probability: 0.515, sd_logit: 0.05, books: 5 }),
//!     consensus_by_method: vec![0.514, 0.515, 0.516],
//!     information: Some(InformationWeight { weight: 0.35, standard_error: 0.08, games: 2000,
//!         calibration_sd: 0.10, market_move_sd: Some(0.12) }),
//!     effective_games: Some(22.0),
//!     remaining_movement: Some(0.4),
//!     ..Evidence::default()
//! };
//! let assessment = assess(Price::new(1.97).unwrap(), &evidence, 0.01);
//! assert!((assessment.edge.unwrap() - 0.040_161_24).abs() < 1e-8);
//! let (lenses, whole) = assessment.with_fat_pitch(Lens::Score(0.6), &Weights::default());
//! assert!(lenses.iter().all(|lens| lens.value() > Some(0.0)) && whole.score() > Some(0.0));
//! ```

use market::{
    GradeProbabilities, LineRow, Market, Points, Prediction, Price, ScoreForecast,
    predictor::InformationWeight, settlement::Tie,
};

use crate::{
    Aggregate, GameQuotes, Lens, MarketOpinion, Posterior, Weights, aggregate, circle_of_competence,
    drift::Expected,
    margin_of_safety,
    moat::{self, ClvRecord, Scenarios},
    mr_market,
    posterior::{averaged_grades, mean_grades, shrunk_grades},
};

/// Everything that the first four lenses look at; what is not known stays empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// Grades of the bet, one per ensemble member.
    pub members: Vec<GradeProbabilities>,
    /// The same of the variant that sees no prices.
    pub members_without_market: Vec<GradeProbabilities>,
    /// What the books say of the selection, the target book left out while two others remain.
    pub consensus: Option<MarketOpinion>,
    /// The same by each no-vig method.
    pub consensus_by_method: Vec<f64>,
    /// What the model knew beyond the price in the past of this league.
    pub information: Option<InformationWeight>,
    /// Time-decayed past games, the lesser of both sides.
    pub effective_games: Option<f64>,
    /// How ordinary the game is among past ones.
    pub conformal_p: Option<f64>,
    /// Movement of the market still to come; see [`mr_market::remaining_movement`].
    pub remaining_movement: Option<f64>,
    /// Learned drift of the consensus, and how certain it is; none until it was learned.
    pub drift: Option<Expected>,
    /// Our past bets of the segment against the close.
    pub past_clv: Option<ClvRecord>,
}

impl Evidence {
    /// Reads the model's grades and the books' consensus for the bet in `line`.
    ///
    /// `quotes` are the latest quotes of this game visible at the as-of; `tie` says what a drawn game is on the
    /// moneyline: where it loses, the books' two prices leave it out, and the model says how often that is. The other fields are left empty.
    pub fn of_quotes(line: &LineRow, prediction: &Prediction, quotes: &GameQuotes, tie: Tie) -> Self {
        let opinions = quotes.about(line);
        // Where both sides can lose, the chances of the two sum to less than the 1 that a no-vig method makes of them.
        let decided = match tie {
            Tie::Loses if line.market == Market::Moneyline => 1.0 - chance_of_a_tie(&prediction.members),
            _ => 1.0,
        };
        let scaled =
            |opinion: MarketOpinion| MarketOpinion { probability: decided * opinion.probability, ..opinion };
        Self {
            members: grades_of(&prediction.members, line, tie),
            members_without_market: grades_of(&prediction.members_without_market, line, tie),
            consensus: opinions.consensus.map(scaled),
            consensus_by_method: opinions.by_method.iter().map(|p| decided * p).collect(),
            ..Self::default()
        }
    }
}

fn chance_of_a_tie(members: &[ScoreForecast]) -> f64 {
    let sum: f64 = members.iter().map(|member| member.margin.probability(0)).sum();
    sum / members.len().max(1) as f64
}

/// Returns each member's grades for the bet in `line`; members that cannot grade it are left out.
///
/// A dead heat has no grade of its own: half a win and half a loss return the same on average, and vary more.
pub fn grades_of(members: &[ScoreForecast], line: &LineRow, tie: Tie) -> Vec<GradeProbabilities> {
    let moneyline = line.market == Market::Moneyline;
    let level = (moneyline && matches!(tie, Tie::Push | Tie::DeadHeat)).then(|| Points::from_quarters(0));
    let points = line.points.or(level);
    let shared = |grades: GradeProbabilities| {
        let [win, half_win, push, half_loss, loss] = grades.0;
        match tie {
            Tie::DeadHeat if moneyline => {
                GradeProbabilities([win + push / 2.0, half_win, 0.0, half_loss, loss + push / 2.0])
            }
            _ => grades,
        }
    };
    members.iter().filter_map(|member| member.grades(line.selection, points)).map(shared).collect()
}

/// What four lenses and the posterior say of one price.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Belief on the selection; none without data for one.
    pub posterior: Option<Posterior>,
    /// Grades at the centre of the posterior.
    pub grades: Option<GradeProbabilities>,
    /// Grades averaged over the posterior: what stakes are computed with.
    pub stake_grades: Option<GradeProbabilities>,
    /// The ensemble's own probability among decided stakes, before shrinkage.
    pub probability_model: Option<f64>,
    /// The consensus.
    pub probability_market: Option<f64>,
    /// Expected net return of a stake of 1 under the shrunk grades.
    pub edge: Option<f64>,
    /// Circle of competence, margin of safety, Mr. Market, moat.
    pub lenses: [Lens; 4],
}

/// Looks at one price through the first four lenses; `hurdle` is the least expected return.
pub fn assess(price: Price, evidence: &Evidence, hurdle: f64) -> Assessment {
    let shares: Vec<f64> = evidence.members.iter().map(GradeProbabilities::win_share).collect();
    let posterior = Posterior::new(&shares, evidence.consensus, evidence.information.as_ref());
    let weight = evidence.information.map_or(0.0, |information| information.weight);
    let market = evidence.consensus.map(|opinion| opinion.probability);
    let shape = mean_grades(&evidence.members);
    let grades = posterior.and_then(|_| shrunk_grades(&evidence.members, market, weight));
    let lenses = [
        circle_of_competence::score(&circle_of_competence::Inputs {
            information: evidence.information,
            effective_games: evidence.effective_games,
            half_way_games: circle_of_competence::HALF_WAY_TEAM_GAMES,
            conformal_p: evidence.conformal_p,
        }),
        margin_of_safety::score(&margin_of_safety::Inputs {
            belief: posterior
                .zip(grades)
                .map(|(posterior, shape)| margin_of_safety::Belief::Normal { posterior, shape }),
            price,
            hurdle,
        }),
        mr_market::score(&to_the_close(price, evidence)),
        moat::score(&moat::Inputs {
            scenario_returns: shape
                .map_or_else(Vec::new, |shape| scenarios(shape, shares, weight, price, evidence)),
            past_clv: evidence.past_clv,
        }),
    ];
    Assessment {
        posterior,
        grades,
        stake_grades: posterior
            .zip(grades)
            .and_then(|(posterior, shape)| averaged_grades(&posterior, &shape)),
        probability_model: shape.map(|grades| grades.win_share()),
        probability_market: market,
        edge: grades.map(|grades| grades.expected_net(price)),
        lenses,
    }
}

/// Where a drift was learnt, its own spread is that from here to the close; else that of the market's usual moves.
fn to_the_close(price: Price, evidence: &Evidence) -> mr_market::Inputs {
    let usual = evidence.information.and_then(|information| information.market_move_sd);
    let learnt = evidence.drift;
    mr_market::Inputs {
        consensus: evidence.consensus.map(|opinion| opinion.probability),
        drift: learnt.map_or(0.0, |expected| expected.drift),
        price,
        remaining_movement: learnt.map_or(evidence.remaining_movement, |_| Some(1.0)),
        move_sd: learnt.map_or(usual, |expected| Some(expected.sd)),
    }
}

fn scenarios(
    shape: GradeProbabilities,
    members: Vec<f64>,
    weight: f64,
    price: Price,
    evidence: &Evidence,
) -> Vec<f64> {
    let without = evidence.members_without_market.iter().map(GradeProbabilities::win_share).collect();
    Scenarios {
        shape,
        members,
        members_without_market: without,
        consensus: evidence.consensus_by_method.clone(),
        weight,
        price,
    }
    .returns()
}

impl Assessment {
    /// Adds the fifth lens and returns all five with what they say together.
    pub fn with_fat_pitch(&self, fat_pitch: Lens, weights: &Weights) -> ([Lens; 5], Aggregate) {
        let [circle, margin, mr_market, moat] = self.lenses.clone();
        let lenses = [circle, margin, mr_market, moat, fat_pitch];
        let whole = aggregate(&lenses, weights);
        (lenses, whole)
    }
}
