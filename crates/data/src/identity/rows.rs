//! From rows to the games that they speak of, and back.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use market::{Game, GameId, Name};

use super::resolve::{Outcome, Said};
use crate::{Parsed, Refused};

/// Returns every game that a payload's rows speak of, the earliest first.
pub(super) fn said(parsed: &Parsed) -> BTreeMap<(Timestamp, GameId), Said> {
    let mut all = BTreeMap::new();
    let lines = parsed.lines.iter().map(|row| (&row.game, row.raw_ref.row));
    let results = parsed.results.iter().map(|row| (&row.game, row.raw_ref.row));
    let context = parsed.context.iter().map(|row| (&row.game, row.raw_ref.row));
    for (game, row) in lines.chain(results).chain(context) {
        all.entry((game.start_time, game.game_id.clone())).or_insert_with(|| {
            let event = parsed.events.get(&game.game_id).cloned().unwrap_or_default();
            Said { game: game.clone(), event, row }
        });
    }
    all
}

/// Hands each row its game, or takes it out with the reason, once per raw row.
pub(super) fn apply(parsed: &mut Parsed, outcomes: &HashMap<(Timestamp, GameId), Outcome>) {
    let mut refused: BTreeMap<(u32, &'static str), String> = BTreeMap::new();
    let mut settle =
        |game: &mut Arc<Game>, row: u32| match outcomes.get(&(game.start_time, game.game_id.clone())) {
            Some(Ok(known)) => {
                game.clone_from(known);
                true
            }
            Some(Err((reason, text))) => {
                refused.entry((row, reason)).or_insert_with(|| text.clone());
                false
            }
            None => true,
        };
    parsed.lines.retain_mut(|row| settle(&mut row.game, row.raw_ref.row));
    parsed.results.retain_mut(|row| settle(&mut row.game, row.raw_ref.row));
    parsed.context.retain_mut(|row| settle(&mut row.game, row.raw_ref.row));
    parsed.refused.extend(refused.into_iter().map(|((row, reason), text)| Refused::new(row, reason, &text)));
}

/// Says which line of the alias table would settle a name.
pub(super) fn suggested(raw: &Name, team: Option<Name>) -> String {
    let quoted = |name: &Name| {
        if name.as_str().contains([',', '"', '#', '\n', '\r']) {
            format!("\"{}\"", name.as_str().replace('"', "\"\""))
        } else {
            name.to_string()
        }
    };
    match team {
        Some(team) => format!(
            "`{raw}`: add `{raw_cell},{}` to the alias file if it is that team, `{raw_cell},{raw_cell}` if it is a new one",
            quoted(&team),
            raw_cell = quoted(raw)
        ),
        None => {
            format!("`{raw}`: add `{cell},{cell}` to the alias file if it is a new team", cell = quoted(raw))
        }
    }
}
