//! Forecasts of trained members in plain numbers: what is published, whatever machine they were trained on.

use std::{collections::BTreeMap, sync::Arc};

use graph::{Around, Batch, Block, features};
use market::{Distribution, ScoreForecast};

use crate::{
    LeagueBase, ModelError, Variant,
    anchor::{Bin, anchor, bins, centre, powers},
    fit::Member,
    hgt::PlainSource,
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
    let at_zero = level.exp();
    let weight = |(bin, power): (&Bin, f64)| bin.mass * power * if bin.value == 0 { at_zero } else { 1.0 };
    let mut weights: Vec<f64> = bins.iter().zip(powers(bins, shift, width)).map(weight).collect();
    let share = weights.iter().sum::<f64>().recip();
    for weight in &mut weights {
        *weight *= share;
    }
    let first = bins.first().map_or(0, |bin| bin.value);
    Distribution::new(first, weights)
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

    /// Returns what a node next to a game sends to it by every member, `[members, layers, 2 d]`; the block is that of the
    /// node alone. Nothing where no member listens to messages.
    pub(crate) fn sent(&self, variant: Variant, node: &Block) -> Arc<[f32]> {
        let members = self.members.get(&variant).map_or(&[][..], |(_, members)| members);
        let size = members.first().map_or(0, PlainNet::sent_by_a_node);
        let mut sent = vec![0.0; members.len() * size];
        for (member, sent) in members.iter().zip(sent.chunks_exact_mut(size.max(1))) {
            member.send(node, 0, sent);
        }
        sent.into()
    }

    /// Whether any member of the variant listens to messages.
    pub(crate) fn listens(&self, variant: Variant) -> bool {
        self.members.get(&variant).is_some_and(|(_, members)| members.iter().any(PlainNet::listens))
    }

    /// Forecasts one game with each member, by what the nodes next to it [send](Self::sent), in the order of its sources:
    /// the bits that [`forecast`](Self::forecast) gives of a batch with the same game in it.
    pub(crate) fn forecast_around(
        &self,
        variant: Variant,
        around: &Around,
        sent: &[Arc<[f32]>],
    ) -> Result<Vec<ScoreForecast>, ModelError> {
        let Some((_, members)) = self.members.get(&variant) else { return Ok(Vec::new()) };
        let Some(first) = members.first() else { return Ok(Vec::new()) };
        if around.league >= self.histograms.three_way.len() {
            return Err(ModelError::Mismatch(format!("it has no league number {}", around.league)));
        }
        // All members encode an age alike.
        let ages: Vec<Option<Vec<f32>>> =
            around.sources.iter().take(sent.len()).map(|source| first.age(source.age_days)).collect();
        let anchor = self.histograms.anchor(around.league, around.consensus, around.expected);
        let size = first.sent_by_a_node();
        let of_member = |(place, member): (usize, &PlainNet)| {
            let sources: Vec<PlainSource<'_>> = around
                .sources
                .iter()
                .zip(&ages)
                .zip(sent)
                .map(|((source, age), sent)| PlainSource {
                    relation: source.relation,
                    age: age.as_deref(),
                    sent: &sent[place * size..(place + 1) * size],
                })
                .collect();
            let raw = member.tilts(&around.features, around.league, &sources);
            self.histograms.forecast(around.league, &raw, &anchor, &member.confidence)
        };
        members.iter().enumerate().map(of_member).collect()
    }

    /// Refuses members of a variant that were made for other features than the graph's.
    pub(crate) fn check(&self, variant: Variant) -> Result<(), ModelError> {
        let Some((schema, _)) = self.members.get(&variant) else { return Ok(()) };
        match schema.kinds().find(|(kind, width)| features::width(*kind) as i64 != *width) {
            Some((kind, width)) => Err(ModelError::Mismatch(format!(
                "`{}` has {} features, the model expects {width}",
                kind.as_str(),
                features::width(kind)
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
