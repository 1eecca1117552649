//! `--test`: a mocked endpoint on loopback, and prices made up for its one game, to see the table without a model.

use std::sync::Arc;

use data::{League, Snapshot};
use jiff::{SignedDuration, Timestamp};
use market::{Game, GameId, GameStatus, LineRow, Market, Points, Price, RawRef, ResultRow, Selection};
use serve::{Client, mock};

use super::source;
use crate::{args::PredictGameArgs, night::Predicted};

/// Made-up quotes: book, home, draw, away.
const MONEYLINE: [(&str, [f64; 3]); 3] = [
    ("Mock North", [2.25, 3.50, 3.40]),
    ("Mock South", [2.20, 3.60, 3.45]),
    ("Mock Late", [2.35, 3.40, 3.30]),
];

pub(super) fn answer(args: &PredictGameArgs, as_of: Timestamp) -> anyhow::Result<(Predicted, Snapshot)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let server = runtime.block_on(mock::start(as_of))?;
    let client = Client::new(&server.url, None)?;
    let mut predicted = source::ask(&client, async |client| client.full_slate(as_of, 24).await)?;
    let (home, away) = (args.home.as_deref().unwrap_or("Harbour"), args.away.as_deref().unwrap_or("Mill"));
    for prediction in &mut predicted.predictions {
        let game = prediction.game.as_ref().clone();
        prediction.game = Arc::new(Game { home: home.into(), away: away.into(), ..game });
    }
    let lines =
        predicted.predictions.iter().map(|p| quotes(&p.game, as_of)).collect::<Result<Vec<_>, _>>()?;
    let leagues = predicted
        .predictions
        .iter()
        .map(|p| League { id: p.game.league.clone(), three_way: true, time_zone: "UTC".to_owned() })
        .collect();
    let results =
        predicted.predictions.iter().map(|p| past(&p.game, as_of)).collect::<Result<Vec<_>, _>>()?;
    Ok((predicted, Snapshot::new(as_of, leagues, lines.concat(), results.concat(), Vec::new())))
}

/// Twenty weeks in which both sides met, so that the lenses have a past to look at.
fn past(game: &Arc<Game>, as_of: Timestamp) -> anyhow::Result<Vec<ResultRow>> {
    (1..=20)
        .map(|week| {
            let start_time = as_of.checked_sub(SignedDuration::from_hours(week * 7 * 24))?;
            let game_id = GameId::from_text(&format!("{}_{week}", game.game_id));
            Ok(ResultRow {
                game: Arc::new(Game { game_id, start_time, ..game.as_ref().clone() }),
                home_score: 1,
                away_score: 1,
                status: GameStatus::Final,
                known_at: start_time.checked_add(SignedDuration::from_hours(2))?,
                source: "mock".into(),
                raw_ref: RawRef { payload: "mock".into(), row: 0 },
            })
        })
        .collect()
}

fn quotes(game: &Arc<Game>, as_of: Timestamp) -> anyhow::Result<Vec<LineRow>> {
    let captured_at = as_of.checked_sub(SignedDuration::from_hours(1))?;
    let line = |book: &str, market, selection, points, price| {
        anyhow::Ok(LineRow {
            game: Arc::clone(game),
            book: book.into(),
            market,
            selection,
            points,
            price: Price::new(price)?,
            captured_at,
            is_closing: false,
            source: "mock".into(),
            raw_ref: RawRef { payload: "mock".into(), row: 0 },
        })
    };
    let mut lines = Vec::new();
    for (book, prices) in MONEYLINE {
        for (selection, price) in [Selection::Home, Selection::Draw, Selection::Away].into_iter().zip(prices)
        {
            lines.push(line(book, Market::Moneyline, selection, None, price)?);
        }
        let points = Points::from_f64(2.5);
        lines.push(line(book, Market::Total, Selection::Over, points, 1.95)?);
        lines.push(line(book, Market::Total, Selection::Under, points, 1.90)?);
    }
    Ok(lines)
}
