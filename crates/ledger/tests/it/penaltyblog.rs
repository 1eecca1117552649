//! Kelly, no-vig and settlement beside the Python package penaltyblog, on a thousand random cases each.
//!
//! `tests/penaltyblog_reference.py` makes `tests/fixtures/penaltyblog.json`. Where both mean the same, the numbers
//! agree to the tolerance stated; where penaltyblog means something else, the test says what, and holds it to that.

use std::{collections::BTreeMap, fmt::Debug};

use ledger::kelly;
use market::{
    Distribution, GradeProbabilities, Points, Price, ScoreForecast, Selection,
    no_vig::{Method, NoVigError, no_vig},
};
use serde::Deserialize;

/// Answers carry twelve digits.
const PRINTED: f64 = 1e-11;

/// How near penaltyblog's optimiser comes to the stakes that are best.
const OPTIMISER: f64 = 2e-5;

/// The rows below are arrays in the order of the fields.
#[derive(Deserialize)]
struct Fixture {
    penaltyblog: String,
    methods: Vec<String>,
    single: Vec<SingleBet>,
    exclusive: Vec<ExclusiveBets>,
    no_vig: Vec<CompleteMarket>,
    markets: Vec<ScoreMarkets>,
}

#[derive(Debug, Deserialize)]
struct SingleBet {
    p: f64,
    odds: Price,
    fraction: f64,
    stake: f64,
    growth: f64,
    edge: f64,
}

#[derive(Debug, Deserialize)]
struct ExclusiveBets {
    p: Vec<f64>,
    odds: Vec<Price>,
    fraction: f64,
    optimised: bool,
    stakes: Vec<f64>,
    growth: f64,
}

#[derive(Debug, Deserialize)]
struct CompleteMarket {
    odds: Vec<f64>,
    margin: f64,
    answers: Vec<Answer>,
}

/// What one no-vig method of penaltyblog says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    /// Probabilities, then the method's parameter if it has one.
    Numbers(Vec<f64>),
    /// What went wrong, or the method whose numbers it repeats.
    Word(String),
}

#[derive(Debug, Deserialize)]
struct ScoreMarkets {
    grid: Grid,
    side: Selection,
    points: Points,
    win_push_lose: [f64; 3],
    total_points: Points,
    under_push_over: [f64; 3],
    moneyline: [f64; 3],
    no_draw: f64,
}

/// Probabilities of home goals (rows) and away goals (columns).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Grid {
    /// Dixon-Coles: home mean, away mean, rho, most goals of a side.
    Means(f64, f64, f64, usize),
    /// In proportion to these.
    Weights(Vec<Vec<f64>>),
}

fn fixture() -> Fixture {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/penaltyblog.json")).unwrap();
    assert_eq!(fixture.penaltyblog, "1.13.1");
    fixture
}

fn close(left: f64, right: f64, tolerance: f64, what: &impl Debug) {
    assert!((left - right).abs() <= tolerance, "{left} is not {right} in {what:?}");
}

#[test]
fn kelly_of_one_bet_agrees_until_everything_is_staked() {
    let mut ruinous = 0;
    for bet in fixture().single {
        let grades = GradeProbabilities([bet.p, 0.0, 0.0, 0.0, 1.0 - bet.p]);
        close(grades.expected_net(bet.odds), bet.edge, PRINTED, &bet);
        close(kelly::of_grades(&grades, bet.odds), kelly::single(bet.p, bet.odds), PRINTED, &bet);
        // penaltyblog clips the scaled stake to everything; ours is capped by the rules of staking.
        let stake = (bet.fraction * kelly::single(bet.p, bet.odds)).min(1.0);
        close(stake, bet.stake, PRINTED, &bet);
        let growth = kelly::growth(&grades, bet.odds, stake);
        if stake < 1.0 || bet.p >= 1.0 {
            close(growth, bet.growth, PRINTED, &bet);
        } else {
            // Ruin is minus infinity; penaltyblog counts it as no change and reports the winning half alone.
            ruinous += 1;
            assert!(growth.is_infinite() && growth < 0.0, "{growth} is no ruin in {bet:?}");
            close(bet.growth, bet.p * bet.odds.decimal().ln(), PRINTED, &bet);
        }
    }
    assert!(ruinous >= 10, "only {ruinous} bets of everything were found");
}

/// Every end of the bets as its probability and what a bankroll of 1 becomes; the outcome nobody offers comes last.
fn ends(bets: &[(f64, Price)], stakes: &[f64]) -> Vec<(f64, f64)> {
    let kept = 1.0 - stakes.iter().sum::<f64>();
    let won = |((p, price), stake): (&(f64, Price), &f64)| (*p, kept + stake * price.decimal());
    let mut ends: Vec<(f64, f64)> = bets.iter().zip(stakes).map(won).collect();
    let rest = 1.0 - bets.iter().map(|(p, _)| p).sum::<f64>();
    if rest > 1e-10 {
        ends.push((rest, kept));
    }
    ends
}

fn growth(bets: &[(f64, Price)], stakes: &[f64]) -> f64 {
    ends(bets, stakes).iter().map(|(p, wealth)| p * wealth.ln()).sum()
}

/// How far the stakes are from growing fastest among those of at most `each` and together at most `all`.
///
/// At the optimum one price of the bankroll separates what more of a stake adds: at most that price for a stake that
/// could be more, at least that price for one that could be less; it is 0 unless `all` binds (Karush-Kuhn-Tucker).
fn distance_from_best(bets: &[(f64, Price)], stakes: &[f64], each: f64, all: f64) -> f64 {
    let ends = ends(bets, stakes);
    let cost: f64 = ends.iter().map(|(p, wealth)| p / wealth).sum();
    let binds = stakes.iter().sum::<f64>() > all - OPTIMISER;
    let (mut least, mut most) = (0.0_f64, if binds { f64::INFINITY } else { 0.0 });
    for (((p, price), (_, wealth)), stake) in bets.iter().zip(&ends).zip(stakes) {
        let adds = p * price.decimal() / wealth - cost;
        if *stake < each - OPTIMISER {
            least = least.max(adds);
        }
        if *stake > OPTIMISER {
            most = most.min(adds);
        }
    }
    (least - most).max(0.0)
}

#[test]
fn kelly_of_exclusive_bets_agrees_but_for_penaltyblogs_caps() {
    let mut capped = 0;
    for case in fixture().exclusive {
        assert!(case.optimised, "sized one by one: {case:?}");
        let bets: Vec<(f64, Price)> = case.p.iter().copied().zip(case.odds.iter().copied()).collect();
        let ours = kelly::exclusive(&bets).unwrap();
        close(growth(&bets, &ours.fractions), ours.growth, PRINTED, &case);
        close(growth(&bets, &case.stakes), case.growth, PRINTED, &case);
        let distance = distance_from_best(&bets, &ours.fractions, 1.0, 1.0);
        assert!(distance < 1e-9, "ours is {distance} from the best in {case:?}");

        // It stakes at most half of the bankroll on one outcome and 99 % on all, and is right within that.
        let full: Vec<f64> = case.stakes.iter().map(|stake| stake / case.fraction).collect();
        let distance = distance_from_best(&bets, &full, 0.5, 0.99);
        assert!(distance < 2e-4, "penaltyblog is {distance} from its best in {case:?}");
        let total: f64 = ours.fractions.iter().sum();
        if total > 0.99 || ours.fractions.iter().any(|fraction| *fraction > 0.5) {
            capped += 1;
            assert!(growth(&bets, &full) < ours.growth - 1e-7, "a cap that costs nothing: {case:?}");
        } else {
            close(growth(&bets, &full), ours.growth, 1e-10, &case);
            for (fraction, stake) in ours.fractions.iter().zip(&case.stakes) {
                close(case.fraction * fraction, *stake, OPTIMISER, &case);
            }
        }
    }
    assert!((50..=200).contains(&capped), "{capped} cases are capped");
}

/// Our name for penaltyblog's method.
fn method(name: &str) -> Method {
    match name {
        "multiplicative" => Method::Multiplicative,
        "additive" | "differential_margin_weighting" => Method::Additive,
        "power" => Method::Power,
        "shin" => Method::Shin,
        "odds_ratio" | "logarithmic" => Method::OddsRatio,
        other => panic!("{other} has no counterpart"),
    }
}

impl CompleteMarket {
    /// Returns the answer of a method and which method's numbers these are.
    fn answer<'a>(&'a self, methods: &'a [String], name: &'a str) -> (&'a str, &'a Answer) {
        let answer = methods.iter().zip(&self.answers).find(|(method, _)| *method == name).unwrap().1;
        match answer {
            Answer::Word(word) if methods.contains(word) => self.answer(methods, word),
            _ => (name, answer),
        }
    }
}

/// Compares one method on one market; returns what is to be said about it.
fn compare(case: &CompleteMarket, methods: &[String], name: &str) -> &'static str {
    let fair = no_vig(&case.odds, method(name));
    match case.answer(methods, name) {
        (source, Answer::Numbers(numbers)) => {
            let fair = fair.unwrap();
            let (probabilities, parameter) = numbers.split_at(case.odds.len());
            for (ours, theirs) in fair.probabilities.iter().zip(probabilities) {
                close(*ours, *theirs, PRINTED, case);
            }
            if let [theirs] = parameter {
                let ours = fair.parameter.unwrap();
                // A common odds ratio is a common shift of the log odds.
                let ours = if source == "logarithmic" { ours.ln() } else { ours };
                close(ours, *theirs, 1e-10, case);
            }
            close(fair.overround, case.margin, PRINTED, case);
            assert!(!fair.negative, "{name}: {fair:?} has no negative probability in {case:?}");
            assert_eq!(fair.underround, case.margin < 0.0, "{case:?}");
            "agrees"
        }
        // penaltyblog returns them as they are; ours say so, and only additive ones can be.
        (_, Answer::Word(word)) if word == "negative" => {
            let fair = fair.unwrap();
            assert!(fair.negative && fair.method == Method::Additive, "{name}: {fair:?} in {case:?}");
            assert!(fair.probabilities.iter().any(|p| *p <= 0.0), "{fair:?}");
            close(fair.probabilities.iter().sum(), 1.0, PRINTED, case);
            "negative"
        }
        // Both refuse an underround; ours says why.
        (_, Answer::Word(word)) if word == "raised" => {
            let Err(NoVigError::Underround(sum)) = fair else { panic!("{name}: {fair:?} in {case:?}") };
            assert!(case.margin < 0.0 && method(name) == Method::Shin, "{name}: {case:?}");
            close(sum - 1.0, case.margin, PRINTED, case);
            "refused"
        }
        (_, Answer::Word(word)) => panic!("{name}: {word} in {case:?}"),
    }
}

#[test]
fn no_vig_agrees_by_every_method() {
    let fixture = fixture();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for case in &fixture.no_vig {
        for name in &fixture.methods {
            *counts.entry((name.as_str(), compare(case, &fixture.methods, name))).or_default() += 1;
        }
    }
    for name in ["multiplicative", "power", "odds_ratio", "logarithmic"] {
        assert_eq!(counts[&(name, "agrees")], 1000, "{name}");
    }
    let explained =
        [("additive", "negative"), ("differential_margin_weighting", "negative"), ("shin", "refused")];
    for (name, otherwise) in explained {
        let (agree, differ) = (counts[&(name, "agrees")], counts[&(name, otherwise)]);
        assert!(agree + differ == 1000 && differ >= 50, "{name}: {counts:?}");
    }
}

/// Probabilities of 0, 1, .. `most` goals.
fn poisson(mean: f64, most: usize) -> Vec<f64> {
    let next = |p: &mut f64, goals: usize| {
        let now = *p;
        *p *= mean / (goals + 1) as f64;
        Some(now)
    };
    (0..=most).scan((-mean).exp(), next).collect()
}

impl Grid {
    /// Returns what is proportional to the probabilities.
    fn weights(&self) -> Vec<Vec<f64>> {
        match self {
            Self::Weights(weights) => weights.clone(),
            Self::Means(home, away, rho, most) => {
                let (rows, columns) = (poisson(*home, *most), poisson(*away, *most));
                let row = |p: &f64| columns.iter().map(|q| p * q).collect::<Vec<f64>>();
                let mut weights: Vec<Vec<f64>> = rows.iter().map(row).collect();
                weights[0][0] *= 1.0 - rho * home * away;
                weights[1][0] *= 1.0 + rho * home;
                weights[0][1] *= 1.0 + rho * away;
                weights[1][1] *= 1.0 - rho;
                weights
            }
        }
    }

    /// Returns the margin and the total, which is all that our forecasts keep.
    fn forecast(&self) -> ScoreForecast {
        let weights = self.weights();
        let sum: f64 = weights.iter().flatten().sum();
        let most_away = weights[0].len() - 1;
        let mut margin = vec![0.0; weights.len() + most_away];
        let mut total = margin.clone();
        for (home, row) in weights.iter().enumerate() {
            for (away, weight) in row.iter().enumerate() {
                margin[most_away + home - away] += weight / sum;
                total[home + away] += weight / sum;
            }
        }
        let margin = Distribution::new(-(most_away as i32), margin).unwrap();
        ScoreForecast { margin, total: Distribution::new(0, total).unwrap() }
    }
}

impl ScoreMarkets {
    /// Returns every bet on the game with what penaltyblog says of its winning, pushing and losing.
    fn bets(&self) -> [(Selection, Points, [f64; 3]); 4] {
        let [win, push, lose] = self.win_push_lose;
        let [under, level, over] = self.under_push_over;
        let other = if self.side == Selection::Home { Selection::Away } else { Selection::Home };
        [
            (self.side, self.points, [win, push, lose]),
            (other, -self.points, [lose, push, win]),
            (Selection::Over, self.total_points, [over, level, under]),
            (Selection::Under, self.total_points, [under, level, over]),
        ]
    }
}

fn is_quarter(points: Points) -> bool {
    points.quarters() % 2 != 0
}

#[test]
fn whole_and_half_lines_agree_and_quarter_lines_do_once_their_halves_are_averaged() {
    let mut halved = 0;
    for case in fixture().markets {
        let forecast = case.grid.forecast();
        for (selection, points, theirs) in case.bets() {
            let grades = forecast.grades(selection, Some(points)).unwrap();
            let [win, half_win, push, half_loss, loss] = grades.0;
            if is_quarter(points) {
                assert!(push <= 0.0, "a quarter line that pushes: {grades:?} in {case:?}");
                halved += usize::from(half_win + half_loss > 1e-3);
            } else {
                assert!(half_win + half_loss <= 0.0, "half a grade: {grades:?} in {case:?}");
            }
            let averaged =
                [win + half_win / 2.0, push + half_win / 2.0 + half_loss / 2.0, loss + half_loss / 2.0];
            for (ours, theirs) in averaged.iter().zip(theirs) {
                close(*ours, theirs, PRINTED, &case);
            }
        }
    }
    assert!(halved >= 1500, "only {halved} bets can end by halves");
}

#[test]
fn averaging_a_quarter_line_keeps_its_expectation_and_loses_growth() {
    let (mut bets, mut smaller) = (0, 0);
    for case in fixture().markets {
        let forecast = case.grid.forecast();
        for (selection, points, [win, push, lose]) in case.bets() {
            if !is_quarter(points) || win < 0.005 {
                continue;
            }
            bets += 1;
            let grades = forecast.grades(selection, Some(points)).unwrap();
            let averaged = GradeProbabilities([win, 0.0, push, 0.0, lose]);
            close(grades.win_share(), win / (win + lose), 1e-10, &case);
            let price = Price::new(1.04 * (win + lose) / win).unwrap();
            close(grades.expected_net(price), averaged.expected_net(price), 1e-10, &case);
            // The average spreads the same expectation wider, so it stakes less than grows fastest.
            let (best, timid) = (kelly::of_grades(&grades, price), kelly::of_grades(&averaged, price));
            assert!(timid <= best + 1e-9, "{timid} is more than {best} in {case:?}");
            let lost = kelly::growth(&grades, price, best) - kelly::growth(&grades, price, timid);
            assert!(lost >= -1e-15, "{lost} is a gain in {case:?}");
            smaller += usize::from(timid < 0.999 * best);
        }
    }
    assert!(bets >= 1500 && 10 * smaller >= 8 * bets, "{smaller} of {bets} stakes are smaller");
}

#[test]
fn moneylines_agree() {
    for case in fixture().markets {
        let forecast = case.grid.forecast();
        for (ours, theirs) in forecast.moneyline_three_way().iter().zip(case.moneyline) {
            close(*ours, theirs, PRINTED, &case);
        }
        close(forecast.moneyline_two_way(), case.no_draw, PRINTED, &case);
        let level = forecast.grades(Selection::Home, Some(Points::from_quarters(0))).unwrap();
        close(level.win_share(), case.no_draw, PRINTED, &case);
    }
}
