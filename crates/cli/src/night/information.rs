//! What the model knows beyond the price of spreads and totals, and what an ordinary game looks like to it.
//!
//! Measured on the held-out games of a training, of which the model crate scores who wins; the prices of the other markets
//! are only known here.

use std::collections::BTreeMap;

use data::Snapshot;
use market::{
    GameId, GameStatus, Grade, LineRow, Market, Points, Prediction, ResultRow, Selection,
    consensus::{main_market, markets, standing_quotes},
    predictor::{LeagueScores, MarketInformation, Ordinary},
};
use model::{HeldOut, information_weight};

/// Adds to the scores what the held-out predictions and the prices of their games tell.
///
/// Each game is judged as of its own decision; closing prices only measure how far markets move.
pub(crate) fn measure(scores: &mut [LeagueScores], held_out: &[Prediction], snapshot: &Snapshot) {
    let mut lines: BTreeMap<&GameId, Vec<&LineRow>> = BTreeMap::new();
    for line in &snapshot.lines {
        lines.entry(&line.game.game_id).or_default().push(line);
    }
    let finals = snapshot.latest_results().into_iter().filter(|result| result.status == GameStatus::Final);
    let results: BTreeMap<&GameId, &ResultRow> =
        finals.map(|result| (&result.game.game_id, result)).collect();
    for league in scores {
        let of_league = || held_out.iter().filter(|prediction| prediction.game.league == league.league);
        let measured = |market: Market| {
            let games: Vec<HeldOut> = of_league()
                .filter_map(|prediction| {
                    let game = &prediction.game.game_id;
                    one(market, prediction, lines.get(game)?, results.get(game)?)
                })
                .collect();
            Some(MarketInformation { market, information: information_weight(&games)? })
        };
        league.by_market = [Market::Spread, Market::Total].into_iter().filter_map(measured).collect();
        league.ordinary = Ordinary::of(of_league().map(|p| p.members_without_market.as_slice()));
    }
}

/// One game on the main points of a market; none where nobody quoted them, or where they pushed.
fn one(market: Market, prediction: &Prediction, lines: &[&LineRow], result: &ResultRow) -> Option<HeldOut> {
    let side = if market == Market::Total { Selection::Over } else { Selection::Home };
    let quoted = |as_of| {
        let quotes = standing_quotes(lines.iter().copied().filter(|line| line.market == market), as_of);
        markets(&quotes)
    };
    let now = quoted(prediction.as_of);
    let main = main_market(&now, side)?;
    let consensus = main.consensus(None)?.probability(side)?;
    let points = main.points?;
    let closing = quoted(prediction.game.start_time).iter().find_map(|close| {
        (close.points == Some(points)).then(|| close.consensus(None)?.probability(side)).flatten()
    });
    let shares: Vec<f64> = prediction
        .members
        .iter()
        .filter_map(|member| Some(member.grades(side, Some(points))?.win_share()))
        .collect();
    let model = shares.iter().sum::<f64>() / shares.len() as f64;
    let won = match ended(side, points, result)? {
        Grade::Win | Grade::HalfWin => true,
        Grade::Loss | Grade::HalfLoss => false,
        Grade::Push => return None,
    };
    model.is_finite().then_some(HeldOut { model, consensus, closing, home_won: won })
}

fn ended(side: Selection, points: Points, result: &ResultRow) -> Option<Grade> {
    market::settlement::grade_of(side, Some(points), result.margin(), result.total())
}
