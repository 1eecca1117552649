//! `--test`: a mocked endpoint on loopback, and prices made up for its one game, to see the table without a model.

use std::sync::Arc;

use data::{League, Snapshot};
use jiff::{SignedDuration, Timestamp};
use market::{Game, LineRow, Market, Points, Price, RawRef, Selection};
use serve::{Client, mock};

use super::source;
use crate::{args::PredictGameArgs, night::Predicted};

/// Made-up quotes: book, home, draw, away.
const MONEYLINE: [(&str, [f64; 3]); 3] = [
    ("Mock North", [2.25, 3.50, 3.40]),
    ("Mock South", [2.20, 3.60, 3.45]),
    ("Mock Late", [2.60, 3.40, 3.30]),
];

pub(super) fn answer(args: &PredictGameArgs, as_of: Timestamp) -> anyhow::Result<(Predicted, Snapshot)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let server = runtime.block_on(mock::start(as_of))?;
    let client = Client::new(&server.url, None)?;
    let mut predicted = source::ask(&client, async |client| client.full_slate(as_of, 24).await)?;
    if let (Some(home), Some(away)) = (&args.home, &args.away) {
        for prediction in &mut predicted.predictions {
            let game = prediction.game.as_ref();
            let renamed = Game { home: home.as_str().into(), away: away.as_str().into(), ..game.clone() };
            prediction.game = Arc::new(renamed);
        }
    }
    let lines =
        predicted.predictions.iter().map(|p| quotes(&p.game, as_of)).collect::<Result<Vec<_>, _>>()?;
    let leagues = predicted
        .predictions
        .iter()
        .map(|p| League { id: p.game.league.clone(), three_way: true, time_zone: "UTC".to_owned() })
        .collect();
    Ok((predicted, Snapshot::new(as_of, leagues, lines.concat(), Vec::new(), Vec::new())))
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
