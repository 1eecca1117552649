use super::*;
use crate::smoothed_histogram;

fn leagues() -> Vec<LeagueBase> {
    let base = |id: &str, three_way, margins: &[i32], totals: &[i32]| LeagueBase {
        league: market::LeagueId::new(id).unwrap(),
        three_way,
        games: margins.len(),
        margin: smoothed_histogram(margins, i32::MIN).unwrap(),
        total: smoothed_histogram(totals, 0).unwrap(),
    };
    vec![
        base("epl", true, &[0, 1, -1, 2, 0, 3, -2, 1], &[0, 1, 3, 2, 2, 3, 4, 1]),
        base("nfl", false, &[3, 7, -3, 10, -14, 21, 6, -7], &[40, 51, 33, 48, 37, 61, 44, 20]),
    ]
}

fn anchors(games: i64) -> Tensor {
    Tensor::zeros([games, TILTS], (Kind::Float, Device::Cpu))
}

fn raw(rows: &[[f32; 5]]) -> Tensor {
    Tensor::from_slice(&rows.concat()).view([-1, 5])
}

#[test]
fn without_tilt_the_forecast_is_the_leagues_own_histogram() {
    let leagues = leagues();
    let table = BaseTable::new(&leagues, Device::Cpu);
    let log = table.forecast(&raw(&[[0.0; 5], [0.0; 5]]), &anchors(2), &Tensor::from_slice(&[0i64, 1]));
    let forecasts = table.forecasts(&log, &[0, 1]).unwrap();
    for (forecast, league) in forecasts.iter().zip(&leagues) {
        assert_eq!(forecast.margin.iter().count(), league.margin.iter().count());
        for (value, p) in league.margin.iter().chain([]) {
            let said = forecast.margin.probability(value);
            assert!((said - p).abs() < 1e-6, "f32 keeps six digits: {value}: {said} for {p}");
        }
        for (value, p) in league.total.iter() {
            assert!((forecast.total.probability(value) - p).abs() < 1e-6);
        }
    }
}

#[test]
fn the_most_extreme_tilts_are_proper_distributions() {
    let leagues = leagues();
    let table = BaseTable::new(&leagues, Device::Cpu);
    for extreme in [1e3f32, -1e3] {
        for column in 0..5 {
            let mut row = [0.0; 5];
            row[column] = extreme;
            let log = table.forecast(&raw(&[row, row]), &anchors(2), &Tensor::from_slice(&[0i64, 1]));
            for forecast in table.forecasts(&log, &[0, 1]).unwrap() {
                for distribution in [&forecast.margin, &forecast.total] {
                    let sum: f64 = distribution.iter().map(|(_, p)| p).sum();
                    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
                }
                let deviation = forecast.margin.standard_deviation();
                assert!(deviation > 0.1 && deviation < 30.0, "{deviation} with {extreme} in {column}");
            }
        }
    }
}

#[test]
fn each_tilt_moves_what_it_is_named_for() {
    let leagues = leagues();
    let table = BaseTable::new(&leagues, Device::Cpu);
    let say = |row: [f32; 5]| {
        let log = table.forecast(&raw(&[row]), &anchors(1), &Tensor::from_slice(&[0i64]));
        table.forecasts(&log, &[0]).unwrap().remove(0)
    };
    let flat = say([0.0; 5]);
    assert!(say([0.5, 0.0, 0.0, 0.0, 0.0]).margin.mean() > flat.margin.mean());
    assert!(say([0.0, -0.5, 0.0, 0.0, 0.0]).margin.standard_deviation() < flat.margin.standard_deviation());
    assert!(say([0.0, 0.0, 0.5, 0.0, 0.0]).margin.probability(0) > flat.margin.probability(0));
    assert!(say([0.0, 0.0, 0.0, 0.5, 0.0]).total.mean() > flat.total.mean());
}

#[test]
fn the_loss_is_the_negative_log_likelihood_by_hand() {
    let leagues = leagues();
    let table = BaseTable::new(&leagues, Device::Cpu);
    let league = Tensor::from_slice(&[0i64, 1]);
    let log = table.forecast(&raw(&[[0.0; 5], [0.0; 5]]), &anchors(2), &league);
    let loss = log.loss(&table.targets(&[(0, 1, 3), (1, 0, 40)], &[None; 2], 0.9), 0.5, 2.0);
    let (epl, nfl) = (&leagues[0], &leagues[1]);
    let home: f64 = epl.margin.iter().filter(|(k, _)| *k > 0).map(|(_, p)| p).sum();
    let margin = -(epl.margin.probability(1).ln() + nfl.margin.probability(0).ln()) / 2.0;
    let total = -(epl.total.probability(3).ln() + nfl.total.probability(40).ln()) / 2.0;
    let by_hand = margin + 0.5 * total + 2.0 * -home.ln(); // the NFL tie has no outcome
    assert!((loss.double_value(&[]) - by_hand).abs() < 1e-5, "f32 sums: {loss:?} for {by_hand}");
}

#[test]
fn in_a_two_way_league_the_outcome_is_given_that_somebody_wins() {
    let leagues = leagues();
    let table = BaseTable::new(&leagues, Device::Cpu);
    let log = table.forecast(&raw(&[[0.3, 0.0, 0.2, 0.0, 0.0]]), &anchors(1), &Tensor::from_slice(&[1i64]));
    let two_way = table.forecasts(&log, &[1]).unwrap()[0].moneyline_two_way();
    let outcome = Vec::<Vec<f64>>::try_from(log.outcome.exp()).unwrap().remove(0);
    assert!((outcome[0] - two_way).abs() < 1e-6, "{outcome:?} for {two_way}");
    assert!(outcome[1] < 1e-12, "a draw is not offered: {outcome:?}");
}

#[test]
fn an_anchored_forecast_repeats_the_market() {
    let leagues = leagues();
    let table = BaseTable::new(&leagues, Device::Cpu);
    let consensus = [Some([0.5, 0.2, 0.3]), Some([0.35, 0.0, 0.65]), None];
    let games = [0, 1, 1];
    let expected = [[1.0, 2.5], [3.0, 44.0], [3.0, 44.0]];
    let anchors = table.anchors(&games, &consensus, &expected);
    let league = Tensor::from_slice(&games.map(|league| league as i64));
    let log = table.forecast(&raw(&[[0.0; 5]; 3]), &anchors, &league);
    let said = Vec::<Vec<f64>>::try_from(log.outcome.exp()).unwrap();
    for (said, consensus) in said.iter().zip(consensus.iter().flatten()) {
        for (said, p) in said.iter().zip(consensus) {
            assert!((said - p).abs() < 1e-5, "f32 sums: {said} for {p}");
        }
    }
    let forecasts = table.forecasts(&log, &games).unwrap();
    assert!((forecasts[2].margin.mean() - 3.0).abs() < 1e-3, "without a price the ratings are all there is");
    assert!((forecasts[2].total.mean() - 44.0).abs() < 1e-2);
}
