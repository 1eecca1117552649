use super::*;

fn close(said: [f64; 3], wanted: [f64; 3], tolerance: f64) {
    for (said_one, wanted_one) in said.iter().zip(wanted) {
        assert!((said_one - wanted_one).abs() < tolerance, "{said:?} for {wanted:?}");
    }
}

#[test]
fn poisson_agrees_with_a_sum_by_hand() {
    // Means so small that only 0 and 1 matter: P(1:0) + P(2:0) + P(2:1) and so on, to 1e-3.
    let (h, a) = (0.2f64, 0.1f64);
    let e = (-(h + a)).exp();
    let home = e * (h + h * h / 2.0 * (1.0 + a));
    let draw = e * (1.0 + h * a);
    close(poisson_outcomes(h - a, h + a), [home, draw, 1.0 - home - draw], 2e-3);
    let even = poisson_outcomes(0.0, 2.6);
    assert!((even[0] - even[2]).abs() < 1e-12, "equal means, equal chances");
}

#[test]
fn a_normal_margin_by_the_tables() {
    // P(Z < 1) = 0.841345, P(Z < 0) = 0.5.
    close(normal_outcomes(0.5, 1.0), [0.5, 0.5 - 0.158_655, 0.158_655], 1e-6);
    assert!((normal_cdf(1.959_964) - 0.975).abs() < 1e-6);
    assert!((normal_cdf(-1.0) + normal_cdf(1.0) - 1.0).abs() < 1e-12);
}

#[test]
fn an_ordered_logit_without_a_lead_says_the_shares() {
    let rows: Vec<(f64, usize)> = (0..100)
        .map(|i| {
            (
                0.0,
                if i < 45 {
                    0
                } else if i < 72 {
                    1
                } else {
                    2
                },
            )
        })
        .collect();
    let logit = OrderedLogit::fit(&rows).unwrap();
    close(logit.probabilities(0.0), [0.45, 0.27, 0.28], 1e-6);
}

#[test]
fn an_ordered_logit_finds_the_slope_that_made_the_games() {
    let truth = OrderedLogit { low: -1.1, high: 0.2, slope: 1.7 };
    // Every x occurs 1,000 times with outcomes in their exact shares.
    let mut rows = Vec::new();
    for x in [-0.6, -0.2, 0.1, 0.5] {
        let p = truth.probabilities(x);
        for (outcome, p) in p.iter().enumerate() {
            rows.extend(std::iter::repeat_n((x, outcome), (p * 1000.0).round() as usize));
        }
    }
    let found = OrderedLogit::fit(&rows).unwrap();
    for (found, truth) in [(found.low, truth.low), (found.high, truth.high), (found.slope, truth.slope)] {
        assert!((found - truth).abs() < 0.01, "shares were rounded to a thousandth: {found} for {truth}");
    }
}

#[test]
fn a_two_way_logit_leaves_ties_out() {
    let rows = [(0.0, 0), (0.0, 0), (0.0, 0), (0.0, 2), (0.0, 1), (0.0, 1)];
    let logit = OrderedLogit::fit_two_way(&rows).unwrap();
    close(logit.probabilities(0.0), [0.75, 0.0, 0.25], 1e-3);
}

#[test]
fn a_league_without_a_draw_price_has_no_three_way_line() {
    assert_eq!(fit_to_league([0.6, 0.0, 0.4], true), None);
    assert_eq!(fit_to_league([0.45, 0.1, 0.45], false), Some([0.5, 0.0, 0.5]));
}
