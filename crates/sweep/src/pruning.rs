//! At which epoch a trial must be how good: the thresholds that ended trials set for a new one.
//!
//! A rung counts every trial that reached its epoch, with the best loss by then. One that completed earlier counts
//! with its final best, which is all that it would ever have shown; one that failed counts nowhere.

use crate::{
    Outcome, Pruning, Rung,
    trial::{State, best_by},
};

/// Returns the rungs that `ended` trials set, by rising epoch.
pub(crate) fn rungs(pruning: Pruning, ended: &[&Outcome]) -> Vec<Rung> {
    let longest = ended.iter().map(|outcome| outcome.curve.len()).max().unwrap_or(0);
    match pruning {
        Pruning::None => Vec::new(),
        Pruning::Asha { grace, reduction } => {
            let epochs = std::iter::successors(Some(grace), |epoch| epoch.checked_mul(reduction));
            let rung = |epoch| {
                let reached = reached(ended.iter(), epoch);
                (reached.len() >= reduction)
                    .then(|| Rung { epoch, worse_than: reached[reached.len().div_ceil(reduction) - 1] })
            };
            epochs.take_while(|epoch| *epoch <= longest).filter_map(rung).collect()
        }
        Pruning::Median { grace, startup } => {
            let complete = || ended.iter().filter(|outcome| outcome.state == State::Complete);
            let rung = |epoch| {
                let reached = reached(complete(), epoch);
                (reached.len() >= startup).then(|| Rung { epoch, worse_than: median(&reached) })
            };
            (grace..=longest).filter_map(rung).collect()
        }
    }
}

/// Returns the best losses by `epoch` of those who reached it, from the best to the worst.
fn reached<'a>(outcomes: impl Iterator<Item = &'a &'a Outcome>, epoch: usize) -> Vec<f64> {
    let best = |outcome: &&Outcome| match outcome.state {
        State::Failed { .. } => None,
        State::Complete => best_by(&outcome.curve, epoch),
        _ if outcome.curve.len() >= epoch => best_by(&outcome.curve, epoch),
        _ => None,
    };
    let mut reached: Vec<f64> = outcomes.filter_map(best).collect();
    reached.sort_by(f64::total_cmp);
    reached
}

/// Returns the median of sorted numbers, of which there is at least one.
fn median(sorted: &[f64]) -> f64 {
    let (lower, upper) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(state: State, curve: &[f64]) -> Outcome {
        let loss = best_by(curve, curve.len());
        Outcome { state, loss, curve: curve.to_vec(), seconds: 1.0, seed: 1, attempts: 1, worker: None }
    }

    fn of(pruning: Pruning, outcomes: &[Outcome]) -> Vec<(usize, f64)> {
        let ended: Vec<_> = outcomes.iter().collect();
        rungs(pruning, &ended).iter().map(|rung| (rung.epoch, rung.worse_than)).collect()
    }

    const ASHA: Pruning = Pruning::Asha { grace: 1, reduction: 2 };

    #[test]
    fn halving_keeps_the_best_of_those_who_reached_the_rung() {
        let complete = |curve: &[f64]| outcome(State::Complete, curve);
        let one = [complete(&[0.9, 0.8, 0.7, 0.6])];
        assert_eq!(of(ASHA, &one), []);
        let two = [one[0].clone(), complete(&[0.8, 0.9, 0.9, 0.9])];
        assert_eq!(of(ASHA, &two), [(1, 0.8), (2, 0.8), (4, 0.6)]);
        // The third gave up after the first epoch, and counts there only.
        let three = [two[0].clone(), two[1].clone(), outcome(State::Pruned { epoch: 1 }, &[0.95])];
        assert_eq!(of(ASHA, &three), [(1, 0.9), (2, 0.8), (4, 0.6)]);
    }

    #[test]
    fn a_machine_that_failed_sets_no_threshold_but_divergence_does() {
        let failed = || outcome(State::Failed { why: "out of memory".into() }, &[0.1, 0.1]);
        assert_eq!(of(ASHA, &[failed(), failed()]), []);
        let diverged = [outcome(State::Diverged, &[0.9]), outcome(State::Complete, &[0.5])];
        assert_eq!(of(ASHA, &diverged), [(1, 0.5)]);
    }

    #[test]
    fn a_trial_that_completed_early_still_counts() {
        let outcomes = [outcome(State::Complete, &[0.5]), outcome(State::Complete, &[0.9, 0.8])];
        assert_eq!(of(ASHA, &outcomes), [(1, 0.5), (2, 0.5)]);
    }

    #[test]
    fn the_median_rule_waits_for_complete_trials() {
        let rule = Pruning::Median { grace: 2, startup: 2 };
        let mut outcomes = vec![outcome(State::Complete, &[0.9, 0.8, 0.8])];
        outcomes.push(outcome(State::Pruned { epoch: 3 }, &[0.1, 0.1, 0.1]));
        assert_eq!(of(rule, &outcomes), []);
        outcomes.push(outcome(State::Complete, &[0.9, 0.7, 0.75]));
        assert_eq!(of(rule, &outcomes), [(2, 0.75), (3, 0.75)]);
        outcomes.push(outcome(State::Complete, &[0.6]));
        assert_eq!(of(rule, &outcomes), [(2, 0.7), (3, 0.7)]);
    }

    #[test]
    fn rungs_far_out_do_not_overflow() {
        let pruning = Pruning::Asha { grace: usize::MAX, reduction: usize::MAX };
        assert_eq!(of(pruning, &[outcome(State::Complete, &[0.5])]), []);
        assert_eq!(of(Pruning::None, &[]), []);
    }
}
