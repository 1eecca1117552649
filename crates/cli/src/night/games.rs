//! Every game of the slate as the report lists it, bet on or not.

use market::{Market, Prediction, Selection};
use report::input::{BestPrice, SlateGame, SlateOutcome};

use super::{Slate, outcome_probabilities};

pub(super) fn games(slate: &Slate) -> Vec<SlateGame> {
    slate.predictions.iter().map(|prediction| game(prediction, slate)).collect()
}

fn game(prediction: &Prediction, slate: &Slate) -> SlateGame {
    let draws = slate.has_draws(prediction);
    let sides = [Selection::Home, Selection::Draw, Selection::Away];
    let outcomes = sides
        .into_iter()
        .zip(outcome_probabilities(&prediction.members, draws))
        .filter(|(selection, _)| draws || *selection != Selection::Draw)
        .map(|(selection, model)| {
            let verdict = slate.verdicts.iter().find(|verdict| {
                let line = &verdict.line;
                line.game.game_id == prediction.game.game_id
                    && (line.market, line.selection) == (Market::Moneyline, selection)
            });
            SlateOutcome {
                selection,
                model,
                market: verdict.and_then(|verdict| verdict.probability_market),
                best: verdict.map(|v| BestPrice { book: v.line.book.clone(), price: v.line.price }),
            }
        })
        .collect();
    SlateGame { game: std::sync::Arc::clone(&prediction.game), outcomes }
}
