//! From a prediction to the numbers of an answer: means over the ensemble, and its spread.

use market::{Market, Prediction, ScoreForecast, Selection};

use crate::wire::{GameForecast, Interval, LineAnswer, LineAsked, Moneyline};

/// Says why a line cannot be graded; none when it can.
pub(crate) fn refuse_line(line: &LineAsked) -> Option<String> {
    let LineAsked { market, selection, points } = line;
    let fits = match market {
        Market::Moneyline => matches!(selection, Selection::Home | Selection::Draw | Selection::Away),
        Market::Spread => matches!(selection, Selection::Home | Selection::Away),
        Market::Total => matches!(selection, Selection::Over | Selection::Under),
    };
    match (fits, market, points) {
        (false, ..) => Some(format!("`{selection}` is no selection of a {market}")),
        (true, Market::Moneyline, Some(_)) => Some("a moneyline takes no points".to_owned()),
        (true, Market::Spread | Market::Total, None) => Some(format!("a {market} needs `points`")),
        _ => None,
    }
}

/// Builds the answer for one game; none when the prediction has no member at all.
pub(crate) fn game_forecast(
    prediction: &Prediction,
    lines: &[LineAsked],
    full: bool,
) -> Option<GameForecast> {
    let without_market = moneyline(&prediction.members_without_market);
    let members = opinions(prediction);
    let answers = lines.iter().map(|line| answer(members, line)).collect::<Option<Vec<_>>>()?;
    Some(GameForecast {
        game: prediction.game.clone(),
        as_of: prediction.as_of,
        moneyline: moneyline(members)?,
        moneyline_without_market: without_market,
        mean_margin: mean(members, |member| member.margin.mean()),
        mean_total: mean(members, |member| member.total.mean()),
        interval: interval(members),
        lines: answers,
        prediction: full.then(|| prediction.clone()),
        explanation: None,
    })
}

/// Returns the mean probability that home wins, given that somebody does; none without a member.
pub(crate) fn home_two_way(prediction: &Prediction) -> Option<f64> {
    moneyline(opinions(prediction)).map(|moneyline| moneyline.home_two_way)
}

/// The members that answer.
fn opinions(prediction: &Prediction) -> &[ScoreForecast] {
    match prediction.members.as_slice() {
        [] => &prediction.members_without_market,
        members => members,
    }
}

fn mean(members: &[ScoreForecast], of: impl Fn(&ScoreForecast) -> f64) -> f64 {
    members.iter().map(of).sum::<f64>() / members.len() as f64
}

fn moneyline(members: &[ScoreForecast]) -> Option<Moneyline> {
    if members.is_empty() {
        return None;
    }
    let [home, draw, away] =
        [0, 1, 2].map(|i| mean(members, |member| member.moneyline_three_way()[i]).min(1.0));
    Some(Moneyline { home, draw, away, home_two_way: home / (home + away) })
}

fn interval(members: &[ScoreForecast]) -> Interval {
    let opinions: Vec<f64> = members.iter().map(ScoreForecast::moneyline_two_way).collect();
    let centre = opinions.iter().sum::<f64>() / opinions.len() as f64;
    let variance = opinions.iter().map(|p| (p - centre).powi(2)).sum::<f64>() / opinions.len() as f64;
    Interval {
        low: opinions.iter().copied().fold(f64::INFINITY, f64::min),
        high: opinions.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        standard_deviation: variance.sqrt(),
        members: opinions.len(),
    }
}

fn answer(members: &[ScoreForecast], line: &LineAsked) -> Option<LineAnswer> {
    let mut grades = [0.0; 5];
    for member in members {
        for (sum, p) in grades.iter_mut().zip(member.grades(line.selection, line.points)?.0) {
            *sum += p / members.len() as f64;
        }
    }
    let fair_probability = market::GradeProbabilities(grades).win_share();
    // A sum of shares may stand a bit above 1.
    let [win, half_win, push, half_loss, loss] = grades.map(|p| p.min(1.0));
    Some(LineAnswer { asked: *line, win, half_win, push, half_loss, loss, fair_probability })
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{Distribution, Points};

    fn member(mass: [f64; 3]) -> ScoreForecast {
        let margin = Distribution::new(-1, mass.to_vec()).unwrap();
        ScoreForecast { margin, total: Distribution::new(2, vec![0.5, 0.5]).unwrap() }
    }

    #[test]
    fn an_answer_is_the_mean_of_the_members() {
        let members = [member([0.2, 0.2, 0.6]), member([0.4, 0.2, 0.4])];
        let line =
            LineAsked { market: Market::Spread, selection: Selection::Home, points: Points::from_f64(0.0) };
        let answer = answer(&members, &line).unwrap();
        // Both members draw with 0.2; home wins with (0.6 + 0.4) / 2. Exact but for rounding.
        assert!((answer.win - 0.5).abs() < 1e-12 && (answer.push - 0.2).abs() < 1e-12);
        assert!((answer.fair_probability - 0.625).abs() < 1e-12);
        let interval = interval(&members);
        assert!((interval.low - 0.5).abs() < 1e-12 && (interval.high - 0.75).abs() < 1e-12);
        assert!((interval.standard_deviation - 0.125).abs() < 1e-12);
    }

    #[test]
    fn lines_that_cannot_be_graded_are_refused_in_words() {
        let line = |market, selection, points: Option<f64>| {
            refuse_line(&LineAsked { market, selection, points: points.and_then(Points::from_f64) })
        };
        assert_eq!(line(Market::Total, Selection::Home, None).unwrap(), "`home` is no selection of a total");
        assert_eq!(line(Market::Total, Selection::Over, None).unwrap(), "a total needs `points`");
        assert_eq!(
            line(Market::Moneyline, Selection::Home, Some(1.0)).unwrap(),
            "a moneyline takes no points"
        );
        assert!(line(Market::Spread, Selection::Away, Some(0.25)).is_none());
    }
}
