//! How much each bet of a slate deserves at once (domain notes, section 6.4).
//!
//! Games are independent; bets on one game share its ends, be they mutually exclusive or only alike. Expected log wealth needs
//! no enumeration of all games' outcomes: by Frullani's integral `ln(1 + x) = ∫ (e^-t - e^-t(1+x)) dt/t`, so
//! `E ln(1 + Σ fᵢrᵢ) = ∫ e^-t (1 - Π E e^-t·Σfᵢrᵢ) dt/t`, a product of one factor per game. In `u = ln t` the integrand is
//! analytic and dies off on both sides, where the trapezoid rule is exact to rounding with few nodes. It costs games × ends ×
//! nodes instead of the product of all ends, and stays exact for any slate.
//!
//! # Example
//! ```
//! use ledger::simultaneous::{Group, allocate};
//! use market::{GradeProbabilities, Price};
//! let grades = GradeProbabilities([0.6, 0.0, 0.0, 0.0, 0.4]);
//! let game = Group::single(&grades, Price::new(2.0).unwrap());
//! let both = allocate(&[game.clone(), game], None);
//! assert!((both.fractions[0] - 0.192_307_7).abs() < 1e-6, "a little less than the 0.2 of one alone");
//! ```

use market::{Grade, GradeProbabilities, Price};

/// Largest share of the bankroll that a solution stakes in all: one loss in everything must leave something.
const LARGEST_TOTAL: f64 = 0.99;

/// Step in `ln t`; the error falls as `exp(-π²/step)`, here 1e-17.
const STEP: f64 = 0.25;

/// Rounds of improvement; slates of ordinary edges need about ten.
const ROUNDS: usize = 200;

/// Sweeps over the bets of one group within a round.
const SWEEPS: usize = 60;

/// The bets on one game, with everything that can happen to them together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    bets: usize,
    probabilities: Vec<f64>,
    /// Gross return (net + 1, so that nothing is negative) by end, then bet.
    gross: Vec<f64>,
}

impl Group {
    /// Builds the group of one bet.
    pub fn single(grades: &GradeProbabilities, price: Price) -> Self {
        Self::new(1, Grade::ALL.iter().zip(grades.0).map(|(grade, p)| (p, vec![grade.net(price)])))
    }

    /// Builds a group from its ends: the probability of each, and the net return of every bet in it.
    ///
    /// Ends that cannot happen are left out.
    pub fn new(bets: usize, ends: impl IntoIterator<Item = (f64, Vec<f64>)>) -> Self {
        let mut group = Self { bets, probabilities: Vec::new(), gross: Vec::new() };
        for (probability, nets) in ends {
            if probability > 0.0 && nets.len() == bets {
                group.probabilities.push(probability);
                group.gross.extend(nets.iter().map(|net| 1.0 + net));
            }
        }
        group
    }

    fn ends(&self) -> impl Iterator<Item = (f64, &[f64])> {
        self.probabilities.iter().copied().zip(self.gross.chunks_exact(self.bets.max(1)))
    }
}

/// What to stake on each bet.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Share of the bankroll per bet: all bets of the first group, then of the second, and so on.
    pub fractions: Vec<f64>,
    /// Expected log growth.
    pub growth: f64,
}

/// Maximises expected log growth over fractions that are not negative and sum to at most `cap` (and 0.99).
///
/// Projected Newton steps with the exact gradient and each group's own second derivatives, halved until the growth improves.
pub fn allocate(groups: &[Group], cap: Option<f64>) -> Allocation {
    let limit = cap.unwrap_or(LARGEST_TOTAL).clamp(0.0, LARGEST_TOTAL);
    let mut fractions = vec![0.0; groups.iter().map(|group| group.bets).sum()];
    let mut here = evaluate(groups, &fractions);
    for _ in 0..ROUNDS {
        let Some((better, there)) = improve(groups, &fractions, &here, limit) else { break };
        let moved = better.iter().zip(&fractions).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        (fractions, here) = (better, there);
        if moved < 1e-12 {
            break;
        }
    }
    Allocation { fractions, growth: here.growth }
}

/// Returns the expected log growth of staking `fractions` on the bets of `groups`; minus infinity when all may be lost.
pub fn growth(groups: &[Group], fractions: &[f64]) -> f64 {
    if fractions.iter().sum::<f64>() >= 1.0 { f64::NEG_INFINITY } else { evaluate(groups, fractions).growth }
}

fn improve(groups: &[Group], from: &[f64], here: &Evaluation, limit: f64) -> Option<(Vec<f64>, Evaluation)> {
    let target = best_within(groups, from, here, limit);
    let mut step = 1.0;
    while step > 1e-6 {
        // Both ends of the way are allowed, hence all of it is.
        let to: Vec<f64> = from.iter().zip(&target).map(|(f, t)| f + step * (t - f)).collect();
        let there = evaluate(groups, &to);
        // At the top growth is flat: a step within its rounding still brings the fractions nearer.
        if there.growth > here.growth - 1e-15 {
            return Some((to, there));
        }
        step /= 2.0;
    }
    None
}

/// Returns the top of the quadratic that touches the growth at `from`, over `{f >= 0, Σf <= limit}`.
fn best_within(groups: &[Group], from: &[f64], here: &Evaluation, limit: f64) -> Vec<f64> {
    let at = |price: f64| -> Vec<f64> {
        let mut target = from.to_vec();
        let (mut first, mut square) = (0, 0);
        for group in groups {
            let bets = first..first + group.bets;
            let bends = &here.curvature[square..square + group.bets * group.bets];
            top_of_group(&mut target[bets.clone()], &from[bets.clone()], &here.gradient[bets], bends, price);
            (first, square) = (first + group.bets, square + group.bets * group.bets);
        }
        target
    };
    let unbound = at(0.0);
    if unbound.iter().sum::<f64>() <= limit {
        return unbound;
    }
    let mut low = 0.0;
    let mut high = here.gradient.iter().fold(0.0, |most, slope| f64::max(most, *slope))
        + here.steepest_pull(groups, from);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if at(middle).iter().sum::<f64>() > limit { low = middle } else { high = middle }
    }
    at(high)
}

/// Maximises `(slope - price)·d - d'Bd/2` over `f + d >= 0`, one bet after the other until nothing moves.
fn top_of_group(target: &mut [f64], from: &[f64], slopes: &[f64], bends: &[f64], price: f64) {
    let count = target.len();
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f64;
        for bet in 0..count {
            let pull: f64 = (0..count)
                .filter(|i| *i != bet)
                .map(|i| bends[bet * count + i] * (target[i] - from[i]))
                .sum();
            let to = (from[bet] + (slopes[bet] - price - pull) / bends[bet * count + bet]).max(0.0);
            moved = moved.max((to - target[bet]).abs());
            target[bet] = to;
        }
        if count == 1 || moved < 1e-14 {
            break;
        }
    }
}

/// Growth with its slopes and its (negated) second derivatives within each group.
struct Evaluation {
    growth: f64,
    gradient: Vec<f64>,
    /// Group after group, row after row.
    curvature: Vec<f64>,
}

impl Evaluation {
    /// Returns a price per unit of stake at which every bet would be given up.
    fn steepest_pull(&self, groups: &[Group], from: &[f64]) -> f64 {
        let (mut most, mut first, mut square) = (0.0_f64, 0, 0);
        for group in groups {
            for bet in 0..group.bets {
                let row = &self.curvature[square + bet * group.bets..square + (bet + 1) * group.bets];
                let pull: f64 = row.iter().zip(&from[first..]).map(|(bend, f)| bend.abs() * f).sum();
                most = most.max(pull);
            }
            (first, square) = (first + group.bets, square + group.bets * group.bets);
        }
        most
    }
}

/// Integrates over `t`. With `g = net + 1`, wealth is `1 - Σf + Σ f·g`, so every exponent is at most 0.
fn evaluate(groups: &[Group], fractions: &[f64]) -> Evaluation {
    let squares = groups.iter().map(|group| group.bets * group.bets).sum();
    let mut sum =
        Evaluation { growth: 0.0, gradient: vec![0.0; fractions.len()], curvature: vec![0.0; squares] };
    let kept = 1.0 - fractions.iter().sum::<f64>();
    let mut moments = Moments::new(fractions.len(), squares);
    for t in nodes(kept) {
        moments.at(t, groups, fractions);
        let exponent = moments.log_product - t * kept;
        let product = exponent.exp();
        // e^-t - product, without cancelling while t is small and without overflow while it is large.
        let difference = if t < 0.5 { -(-t).exp() * (exponent + t).exp_m1() } else { (-t).exp() - product };
        sum.growth += STEP * difference;
        if product > 0.0 {
            let (slope, bend) = (STEP * t * product, STEP * t * t * product);
            sum.gradient.iter_mut().zip(&moments.first).for_each(|(s, m)| *s += slope * m);
            sum.curvature.iter_mut().zip(&moments.second).for_each(|(s, m)| *s += bend * m);
        }
    }
    let mut square = 0;
    for group in groups {
        for bet in 0..group.bets {
            // A bet that cannot end in any way has no curvature; it keeps its fraction of 0.
            let bend = &mut sum.curvature[square + bet * group.bets + bet];
            *bend = bend.max(1e-12);
        }
        square += group.bets * group.bets;
    }
    sum
}

/// Returns the values of `t` at which the integrand is taken.
///
/// Beyond the last the slowest term, `e^(-t·kept)`, is below 1e-16; before the first every term is.
fn nodes(kept: f64) -> impl Iterator<Item = f64> {
    let last = (40.0 / kept.max(1e-9)).ln();
    let count = ((last + 40.0) / STEP).ceil() as i32;
    (0..=count).map(|node| (-40.0 + f64::from(node) * STEP).exp())
}

/// `ln Π E e^(-t·Σf·g)`, and per bet `E r·e^(..)/E e^(..)`, per pair of a group `E r·r'·e^(..)/E e^(..)`, with `r = g - 1`.
struct Moments {
    log_product: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Moments {
    fn new(bets: usize, squares: usize) -> Self {
        Self { log_product: 0.0, first: vec![0.0; bets], second: vec![0.0; squares] }
    }

    fn at(&mut self, t: f64, groups: &[Group], fractions: &[f64]) {
        self.log_product = 0.0;
        self.first.fill(0.0);
        self.second.fill(0.0);
        let (mut start, mut square) = (0, 0);
        for group in groups {
            let count = group.bets;
            let f = &fractions[start..start + count];
            let first = &mut self.first[start..start + count];
            let second = &mut self.second[square..square + count * count];
            let mut whole = 0.0;
            for (p, gross) in group.ends() {
                let staked: f64 = gross.iter().zip(f).map(|(g, f)| g * f).sum();
                let weight = p * (-t * staked).exp();
                whole += weight;
                for (i, g) in gross.iter().enumerate() {
                    let pulled = weight * (g - 1.0);
                    first[i] += pulled;
                    for (slot, other) in second[i * count..(i + 1) * count].iter_mut().zip(gross) {
                        *slot += pulled * (other - 1.0);
                    }
                }
            }
            if count > 0 {
                self.log_product += whole.ln();
                first.iter_mut().chain(second).for_each(|moment| *moment /= whole);
            }
            (start, square) = (start + count, square + count * count);
        }
    }
}

/// What one more bet adds to a slate whose stakes stand.
#[derive(Debug, Clone)]
pub struct Marginal {
    /// Values of `t`.
    nodes: Vec<f64>,
    /// Per node the logarithm of the slate's factors times that of the bankroll kept.
    whole: Vec<f64>,
    /// The same of each group by itself, group after group.
    groups: Vec<f64>,
}

impl Marginal {
    /// Prepares the slate `groups` at `fractions`.
    pub fn new(groups: &[Group], fractions: &[f64]) -> Self {
        let nodes: Vec<f64> = nodes(1.0 - fractions.iter().sum::<f64>()).collect();
        let mut of_groups = Vec::with_capacity(groups.len() * nodes.len());
        let mut first = 0;
        for group in groups {
            let f = &fractions[first..first + group.bets];
            first += group.bets;
            // With net returns instead of gross ones the factor of the bankroll kept is in it.
            of_groups.extend(nodes.iter().map(|t| {
                let end = |(p, gross): (f64, &[f64])| {
                    p * (-t * gross.iter().zip(f).map(|(g, f)| (g - 1.0) * f).sum::<f64>()).exp()
                };
                group.ends().map(end).sum::<f64>().ln()
            }));
        }
        let mut whole: Vec<f64> = nodes.iter().map(|t| -t).collect();
        for of_group in of_groups.chunks_exact(nodes.len()) {
            whole.iter_mut().zip(of_group).for_each(|(sum, log)| *sum += log);
        }
        Self { nodes, whole, groups: of_groups }
    }

    /// Returns the growth that a bet on another game adds when `fraction` is staked on it; the group `without` is
    /// left out of the slate.
    pub fn growth_added(
        &self,
        without: Option<usize>,
        grades: &GradeProbabilities,
        price: Price,
        fraction: f64,
    ) -> f64 {
        let count = self.nodes.len();
        let of_group = without.and_then(|group| self.groups.get(group * count..(group + 1) * count));
        let ends: Vec<(f64, f64)> =
            Grade::ALL.iter().zip(grades.0).map(|(grade, p)| (p, fraction * grade.net(price))).collect();
        let at = |(node, t): (usize, &f64)| -> f64 {
            let weight = (self.whole[node] - of_group.map_or(0.0, |logs| logs[node])).exp();
            let lost: f64 = ends.iter().map(|(p, net)| p * (-t * net).exp_m1()).sum();
            // Where the bet's own loss overflows, the weight has long been nothing.
            if weight > 0.0 { -STEP * weight * lost } else { 0.0 }
        };
        self.nodes.iter().enumerate().map(at).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kelly;

    fn price(odds: f64) -> Price {
        Price::new(odds).unwrap()
    }

    fn bet(p: f64, odds: f64) -> Group {
        Group::single(&GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]), price(odds))
    }

    /// The definition: every combination of ends.
    fn enumerated(groups: &[Group], fractions: &[f64]) -> f64 {
        let mut worlds = vec![(1.0, 1.0)];
        let mut first = 0;
        for group in groups {
            let f = &fractions[first..first + group.bets];
            first += group.bets;
            let ends: Vec<(f64, f64)> = group
                .ends()
                .map(|(p, gross)| (p, gross.iter().zip(f).map(|(g, f)| f * (g - 1.0)).sum()))
                .collect();
            worlds = worlds
                .iter()
                .flat_map(|(p, wealth)| ends.iter().map(move |(q, net)| (p * q, wealth + net)))
                .collect();
        }
        worlds.iter().map(|(p, wealth): &(f64, f64)| p * wealth.ln()).sum()
    }

    #[test]
    fn the_integral_equals_the_enumeration() {
        let quarter = GradeProbabilities([0.35, 0.22, 0.03, 0.1, 0.3]);
        let bets = [bet(0.55, 2.1), bet(0.1, 12.0), Group::single(&quarter, price(1.95))];
        for fractions in [[0.0; 3], [0.1, 0.02, 0.05], [0.4, 0.1, 0.45], [0.0, 0.9, 0.0]] {
            let (ours, exact) = (growth(&bets, &fractions), enumerated(&bets, &fractions));
            // Rounding over 200 nodes.
            assert!((ours - exact).abs() < 1e-12, "{fractions:?}: {ours} is not {exact}");
        }
        assert!(growth(&bets, &[0.5, 0.3, 0.2]).is_infinite());
    }

    #[test]
    fn one_bet_alone_is_plain_kelly() {
        for (p, odds) in [(0.55, 2.1), (0.1, 15.0), (0.4, 1.8), (0.9, 1.3)] {
            let alone = allocate(&[bet(p, odds)], None).fractions[0];
            assert!((alone - kelly::single(p, price(odds))).abs() < 1e-9, "{p} at {odds}: {alone}");
        }
    }

    #[test]
    fn no_bets_grow_nothing() {
        assert_eq!(allocate(&[], None), Allocation { fractions: vec![], growth: 0.0 });
        assert!(allocate(&[bet(0.6, 2.0)], Some(0.0)).growth.abs() < 1e-12);
    }

    #[test]
    fn a_slate_of_forty_is_solved_too() {
        let bets = vec![bet(0.55, 1.0 + 1.0 / 1.1); 40];
        let all = allocate(&bets, None);
        let total: f64 = all.fractions.iter().sum();
        assert!(
            total <= LARGEST_TOTAL + 1e-9
                && all.fractions.iter().all(|f| (f - all.fractions[0]).abs() < 1e-6)
        );
        assert!(all.growth > 10.0 * 0.001_377, "forty games carry far more than ten alone");
    }

    #[test]
    fn bets_of_which_one_wins_are_those_of_smoczynski_and_tomkins() {
        for (chances, odds) in [
            ([0.55, 0.25, 0.2], [2.5, 3.2, 2.8]),
            ([0.4, 0.35, 0.25], [2.3, 2.9, 4.2]),
            ([0.3, 0.3, 0.4], [3.4, 3.0, 2.6]),
        ] {
            let net = |winner: usize| -> Vec<f64> {
                (0..3).map(|bet| if bet == winner { odds[bet] - 1.0 } else { -1.0 }).collect()
            };
            let game = Group::new(3, (0..3).map(|winner| (chances[winner], net(winner))));
            let ours = allocate(&[game], None);
            let exact = kelly::exclusive(&[0, 1, 2].map(|bet| (chances[bet], price(odds[bet])))).unwrap();
            assert!((ours.growth - exact.growth).abs() < 1e-10, "{} is not {}", ours.growth, exact.growth);
            for (a, b) in ours.fractions.iter().zip(&exact.fractions) {
                assert!((a - b).abs() < 1e-5, "{ours:?} is not {exact:?}");
            }
        }
    }

    #[test]
    fn the_same_bet_twice_is_one_bet() {
        let grades = [(0.6, 1.0), (0.4, -1.0)];
        let twins = Group::new(2, grades.map(|(p, net)| (p, vec![net, net])));
        let ours = allocate(&[twins], None);
        assert!((ours.fractions.iter().sum::<f64>() - 0.2).abs() < 1e-9, "{ours:?}");
    }

    #[test]
    fn one_more_bet_adds_what_the_whole_grows_by() {
        let slate = [bet(0.55, 2.1), bet(0.3, 3.8)];
        let fractions = [0.03, 0.01];
        let more = GradeProbabilities([0.35, 0.22, 0.03, 0.1, 0.3]);
        let added = Marginal::new(&slate, &fractions).growth_added(None, &more, price(1.95), 0.02);
        let all = [slate[0].clone(), slate[1].clone(), Group::single(&more, price(1.95))];
        let exact = growth(&all, &[0.03, 0.01, 0.02]) - growth(&slate, &fractions);
        assert!((added - exact).abs() < 1e-13, "{added} is not {exact}");
        let instead = Marginal::new(&slate, &fractions).growth_added(Some(0), &more, price(1.95), 0.02);
        let exact = growth(&all[1..], &[0.01, 0.02]) - growth(&slate[1..], &[0.01]);
        assert!((instead - exact).abs() < 1e-13, "{instead} is not {exact}");
    }
}
