//! Bets on one game hang together: which of them are worth placing beside one another, and how do they end?

use std::collections::BTreeMap;

use market::{GameId, Grade, GradeProbabilities, Joint, settlement};

use crate::{
    kelly,
    simultaneous::{Group, allocate},
    stakes::{Joints, Proposal},
};

/// Another bet on a game must make it grow by this share more.
const WORTH_ANOTHER: f64 = 0.05;
/// Of each game at most so many bets are tried beside the best.
const TRIED: usize = 12;
/// Rounds of fitting the joint distribution to each bet's own grades.
const ROUNDS: usize = 40;

/// The bets of one game that may be placed together.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    /// Indices of the proposals, in the order of the group.
    pub(crate) bets: Vec<usize>,
    pub(crate) group: Group,
}

/// Chooses at most `most` of the proposals `open` per game; games in order of their ids.
pub(crate) fn choose(proposals: &[Proposal], open: &[usize], joints: &Joints, most: usize) -> Vec<Shared> {
    let choose_of_game = |(game, mut bets): (&GameId, Vec<usize>)| {
        let alone = |i: usize| {
            let proposal = &proposals[i];
            let full = kelly::of_grades(&proposal.grades, proposal.price);
            kelly::growth(&proposal.grades, proposal.price, full)
        };
        let growths: BTreeMap<usize, f64> = bets.iter().map(|i| (*i, alone(*i))).collect();
        bets.sort_by(|a, b| growths[b].total_cmp(&growths[a]).then(a.cmp(b)));
        let best = shared(proposals, &bets[..1], None);
        let joint = joints.get(game);
        joint.map_or(best.clone(), |joint| widen(best, growths[&bets[0]], &bets[1..], proposals, joint, most))
    };
    by_game(proposals, open).into_iter().map(choose_of_game).collect()
}

/// Groups proposals by their game as they are.
pub(crate) fn together(proposals: &[Proposal], bets: &[usize], joints: &Joints) -> Vec<Shared> {
    let group = |(game, bets): (&GameId, Vec<usize>)| shared(proposals, &bets, joints.get(game));
    by_game(proposals, bets).into_iter().map(group).collect()
}

fn by_game<'a>(proposals: &'a [Proposal], bets: &[usize]) -> BTreeMap<&'a GameId, Vec<usize>> {
    let mut games: BTreeMap<&GameId, Vec<usize>> = BTreeMap::new();
    for i in bets {
        games.entry(&proposals[*i].game_id).or_default().push(*i);
    }
    games
}

/// Adds bets while each makes the game grow by enough.
fn widen(
    mut held: Shared,
    mut growth: f64,
    others: &[usize],
    proposals: &[Proposal],
    joint: &Joint,
    most: usize,
) -> Shared {
    for other in others.iter().take(TRIED) {
        if held.bets.len() >= most {
            break;
        }
        let wider = shared(proposals, &[&held.bets[..], &[*other]].concat(), Some(joint));
        let solved = allocate(std::slice::from_ref(&wider.group), None);
        if solved.growth > growth * (1.0 + WORTH_ANOTHER) && solved.fractions.iter().all(|f| *f > 0.0) {
            (held, growth) = (wider, solved.growth);
        }
    }
    held
}

/// Builds the group of some bets on one game; several without a joint distribution count as independent of one another.
fn shared(proposals: &[Proposal], bets: &[usize], joint: Option<&Joint>) -> Shared {
    let of = |i: &usize| &proposals[*i];
    let group = match (bets, joint) {
        ([only], _) => Group::single(&of(only).grades, of(only).price),
        (_, Some(joint)) => ends(joint, &bets.iter().map(of).collect::<Vec<_>>()),
        (_, None) => {
            let mut worlds = vec![(1.0, Vec::new())];
            for bet in bets {
                worlds = worlds.iter().flat_map(|world| with(world, of(bet))).collect();
            }
            Group::new(bets.len(), worlds)
        }
    };
    Shared { bets: bets.to_vec(), group }
}

fn with(world: &(f64, Vec<f64>), bet: &Proposal) -> Vec<(f64, Vec<f64>)> {
    let end = |(grade, p): (&Grade, f64)| {
        let mut nets = world.1.clone();
        nets.push(grade.net(bet.price));
        (world.0 * p, nets)
    };
    Grade::ALL.iter().zip(bet.grades.0).map(end).collect()
}

/// Sums the joint distribution up to the ways in which the bets can end together, and fits it to what is believed of each.
///
/// The joint distribution is the model's own; each bet's grades are shrunk toward the market. Iterative proportional
/// fitting changes the former as little as possible until every bet has its own grades.
fn ends(joint: &Joint, bets: &[&Proposal]) -> Group {
    let mut masses: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
    for cell in joint.cells() {
        let end = |bet: &&Proposal| {
            let grade = settlement::grade_of(bet.selection, bet.points, cell.margin, cell.total)?;
            Grade::ALL.iter().position(|g| *g == grade)
        };
        if let Some(ends) = bets.iter().map(end).collect::<Option<Vec<usize>>>() {
            *masses.entry(ends).or_insert(0.0) += cell.probability;
        }
    }
    for _ in 0..ROUNDS {
        for (bet, proposal) in bets.iter().enumerate() {
            fit(&mut masses, bet, &proposal.grades);
        }
    }
    let nets = |ends: &[usize]| -> Vec<f64> {
        ends.iter().zip(bets).map(|(end, bet)| Grade::ALL[*end].net(bet.price)).collect()
    };
    Group::new(bets.len(), masses.iter().map(|(ends, p)| (*p, nets(ends))))
}

/// Scales the masses so that one bet has the given grades; a grade that never happens stays away.
fn fit(masses: &mut BTreeMap<Vec<usize>, f64>, bet: usize, grades: &GradeProbabilities) {
    let mut sums = [0.0; 5];
    for (ends, p) in masses.iter() {
        sums[ends[bet]] += p;
    }
    let reachable: f64 = grades.0.iter().zip(sums).filter(|(_, sum)| *sum > 0.0).map(|(p, _)| p).sum();
    for (ends, p) in masses.iter_mut() {
        let end = ends[bet];
        if sums[end] > 0.0 && reachable > 0.0 {
            *p *= grades.0[end] / (sums[end] * reachable);
        }
    }
}

#[cfg(test)]
mod tests {
    use market::{Distribution, LeagueId, Points, Price, ScoreForecast, Selection};

    use super::*;

    fn joint() -> Joint {
        let mass = |spread: f64, middle: f64, range: std::ops::RangeInclusive<i32>| -> Vec<f64> {
            let masses: Vec<f64> =
                range.map(|k| (-(f64::from(k) - middle).powi(2) / (2.0 * spread * spread)).exp()).collect();
            let sum: f64 = masses.iter().sum();
            masses.into_iter().map(|p| p / sum).collect()
        };
        let margin = Distribution::new(-6, mass(1.6, 0.4, -6..=6)).unwrap();
        let total = Distribution::new(0, mass(1.6, 2.7, 0..=9)).unwrap();
        Joint::of(&ScoreForecast { margin, total })
    }

    fn proposal(selection: Selection, points: Option<f64>, price: f64, edge: f64) -> Proposal {
        let points = points.and_then(Points::from_f64);
        let mut grades = [0.0; 5];
        for cell in joint().cells() {
            let grade = settlement::grade_of(selection, points, cell.margin, cell.total).unwrap();
            grades[Grade::ALL.iter().position(|g| *g == grade).unwrap()] += cell.probability;
        }
        // Shift from losing to winning until the edge is there.
        let price = Price::new(price).unwrap();
        let shift = (edge - GradeProbabilities(grades).expected_net(price)) / price.decimal();
        grades[0] += shift;
        grades[4] -= shift;
        Proposal {
            game_id: GameId::from_text("a"),
            league: LeagueId::new("demo").unwrap(),
            book: "north".into(),
            selection,
            points,
            price,
            grades: GradeProbabilities(grades),
            score: Some(0.5),
        }
    }

    fn joints() -> Joints {
        Joints::from([(GameId::from_text("a"), joint())])
    }

    #[test]
    fn the_ends_together_keep_what_is_believed_of_each() {
        let bets = [
            proposal(Selection::Home, Some(-0.25), 2.0, 0.03),
            proposal(Selection::Over, Some(2.5), 1.95, 0.02),
        ];
        let group = together(&bets, &[0, 1], &joints()).remove(0).group;
        for (bet, fractions) in [(0, [0.03, 0.0]), (1, [0.0, 0.03])] {
            let ours = crate::simultaneous::growth(std::slice::from_ref(&group), &fractions);
            let alone = kelly::growth(&bets[bet].grades, bets[bet].price, 0.03);
            assert!((ours - alone).abs() < 1e-9, "{ours} is not {alone}");
        }
    }

    #[test]
    fn side_and_total_are_bet_together_and_near_twins_are_not() {
        let side = proposal(Selection::Home, None, 2.4, 0.03);
        let total = proposal(Selection::Over, Some(2.5), 2.0, 0.03);
        let twin = proposal(Selection::Home, Some(-0.5), 2.35, 0.028);
        let chosen = |bets: &[Proposal]| {
            choose(bets, &(0..bets.len()).collect::<Vec<_>>(), &joints(), 2)[0].bets.clone()
        };
        let both = chosen(&[side.clone(), total.clone()]);
        assert_eq!(both.len(), 2, "{both:?}");
        assert_eq!(chosen(&[side.clone(), twin.clone()]).len(), 1, "the same bet under another name");
        let mut three = chosen(&[twin, side.clone(), total.clone()]);
        three.sort_unstable();
        assert_eq!(three.len(), 2);
        assert!(three.contains(&2), "the total is the other one: {three:?}");
        let without = choose(&[side, total], &[0, 1], &Joints::new(), 2);
        assert_eq!(without[0].bets.len(), 1, "nothing is known of how they hang together");
    }
}
