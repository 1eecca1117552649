//! Forecasts of trained members in plain numbers: what is published, whatever machine they were trained on.

use std::collections::BTreeMap;

use graph::Batch;
use market::{Distribution, ScoreForecast};

use crate::{
    LeagueBase, ModelError, Variant,
    anchor::{Bin, anchor, bins, centre},
    fit::Member,
    net::{PlainNet, RawTilts},
    poisson::{LOW_SCORING, poisson_outcomes},
    schema::Schema,
    tilt::bound,
};

/// Histograms of all leagues.
#[derive(Debug)]
pub(crate) struct Histograms {
    margin: Vec<Vec<Bin>>,
    total: Vec<Vec<Bin>>,
    three_way: Vec<bool>,
    mean_total: Vec<f64>,
}

impl Histograms {
    pub(crate) fn new(leagues: &[LeagueBase]) -> Self {
        Self {
            margin: leagues.iter().map(|league| bins(&league.margin)).collect(),
            total: leagues.iter().map(|league| bins(&league.total)).collect(),
            three_way: leagues.iter().map(|league| league.three_way).collect(),
            mean_total: leagues.iter().map(|league| league.total.mean()).collect(),
        }
    }

    /// Returns each league's margins with their untilted probabilities, ascending and without gaps.
    pub(crate) fn margin(&self) -> &[Vec<Bin>] {
        &self.margin
    }

    /// Returns each league's totals.
    pub(crate) fn total(&self) -> &[Vec<Bin>] {
        &self.total
    }

    /// Returns whether a draw is bet on, by league.
    pub(crate) fn three_way(&self) -> &[bool] {
        &self.three_way
    }

    /// Whether a consensus can be expressed as a tilt of the league's margins.
    pub(crate) fn can_say(&self, league: usize, consensus: [f64; 3]) -> bool {
        anchor(&self.margin[league], consensus, self.three_way[league]).is_some()
    }

    /// Returns the tilts at which a game says what its consensus says, or without one what the ratings say: Poisson scores
    /// around the `expected` margin and total in a league of few points, elsewhere a histogram with that mean.
    pub(crate) fn anchor(&self, league: usize, consensus: Option<[f64; 3]>, expected: [f64; 2]) -> [f64; 5] {
        let bins = &self.margin[league];
        let three_way = self.three_way[league];
        let rated = || {
            let [margin, total] = expected;
            (self.mean_total[league] < LOW_SCORING)
                .then(|| anchor(bins, poisson_outcomes(margin, total), three_way))
                .flatten()
        };
        let said = consensus.and_then(|p| anchor(bins, p, three_way)).or_else(rated);
        let (shift, level) = said.unwrap_or_else(|| (centre(bins, expected[0]), 0.0));
        [shift, 0.0, level, centre(&self.total[league], expected[1]), 0.0]
    }

    fn forecast(
        &self,
        league: usize,
        raw: &RawTilts,
        anchor: &[f64; 5],
        confidence: &RawTilts,
    ) -> Result<ScoreForecast, ModelError> {
        let tilt = |i: usize| {
            let factor = f64::from(confidence[i]);
            bound(i, f64::from(raw[i]) * factor) + anchor[i] * factor
        };
        Ok(ScoreForecast {
            margin: tilted(&self.margin[league], tilt(0), tilt(1), tilt(2))?,
            total: tilted(&self.total[league], tilt(3), tilt(4), 0.0)?,
        })
    }
}

/// Returns `p(k) ∝ base(k) · exp(shift·z + width·z² + level·[k = 0])`.
fn tilted(bins: &[Bin], shift: f64, width: f64, level: f64) -> Result<Distribution, ModelError> {
    let exponent = |bin: &Bin| {
        let at_zero = if bin.value == 0 { level } else { 0.0 };
        shift * bin.z + width * bin.z * bin.z + at_zero
    };
    let most = bins.iter().map(exponent).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = bins.iter().map(|bin| bin.mass * (exponent(bin) - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let first = bins.first().map_or(0, |bin| bin.value);
    Distribution::new(first, weights.into_iter().map(|weight| weight / sum).collect())
        .map_err(|source| ModelError::Torch { doing: "forecasting a score", source: Box::new(source) })
}

/// Members of both variants, shared freely between threads.
#[derive(Debug)]
pub(crate) struct Forecaster {
    members: BTreeMap<Variant, (Schema, Vec<PlainNet>)>,
    histograms: Histograms,
}

impl Forecaster {
    /// Copies trained members.
    pub(crate) fn new(
        leagues: &[LeagueBase],
        members: &BTreeMap<Variant, Vec<Member>>,
    ) -> Result<Self, ModelError> {
        let copied = members.iter().filter_map(|(variant, members)| {
            let schema = members.first()?.net.schema().clone();
            let plain = members.iter().map(|member| member.net.plain()).collect::<Result<Vec<_>, _>>();
            Some(plain.map(|plain| (*variant, (schema, plain))))
        });
        Ok(Self { members: copied.collect::<Result<_, _>>()?, histograms: Histograms::new(leagues) })
    }

    /// Forecasts each game of `batch` with each member: `[member][game]`; nothing for a variant without members.
    ///
    /// A game's bits depend on nothing else in the batch.
    pub(crate) fn forecast(
        &self,
        variant: Variant,
        batch: &Batch,
    ) -> Result<Vec<Vec<ScoreForecast>>, ModelError> {
        let Some((schema, members)) = self.members.get(&variant) else { return Ok(Vec::new()) };
        schema.check_block(&batch.seeds)?;
        let known = self.histograms.three_way.len() as i64;
        if let Some(unknown) = batch.league.iter().find(|league| !(0..known).contains(*league)) {
            return Err(ModelError::Mismatch(format!("it has no league number {unknown}")));
        }
        let games = batch.league.iter().zip(batch.consensus.iter().zip(&batch.expected));
        let anchors: Vec<(usize, [f64; 5])> = games
            .map(|(league, (consensus, expected))| {
                (*league as usize, self.histograms.anchor(*league as usize, *consensus, *expected))
            })
            .collect();
        let of_member = |member: &PlainNet| -> Result<Vec<ScoreForecast>, ModelError> {
            let raw = member.raw(&batch.seeds, &batch.league);
            let games = anchors.iter().zip(&raw);
            games
                .map(|((league, anchor), raw)| {
                    self.histograms.forecast(*league, raw, anchor, &member.confidence)
                })
                .collect()
        };
        members.iter().map(of_member).collect()
    }
}

#[cfg(test)]
mod tests;
