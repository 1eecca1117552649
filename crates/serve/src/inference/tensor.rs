//! From tensors to games asked, and from forecasts to tensors.

use std::collections::BTreeMap;

use market::{GameId, GameQuery, LeagueId};
use serde_json::{Value, json};

use super::protocol::{InferRequest, InputTensor, OutputTensor, TensorMetadata};
use crate::wire::{GameAsked, GameForecast};

/// Every input is a text per game.
pub(super) const INPUTS: [&str; 5] = ["game_id", "league", "home", "away", "start_time"];

type Read = fn(&GameForecast) -> Value;

/// Outputs with their datatypes.
const OUTPUTS: [(&str, &str, Read); 12] = [
    ("game_id", "BYTES", |game| json!(game.game.game_id)),
    ("home_win", "FP64", |game| json!(game.moneyline.home)),
    ("draw", "FP64", |game| json!(game.moneyline.draw)),
    ("away_win", "FP64", |game| json!(game.moneyline.away)),
    ("home_two_way", "FP64", |game| json!(game.moneyline.home_two_way)),
    ("mean_margin", "FP64", |game| json!(game.mean_margin)),
    ("mean_total", "FP64", |game| json!(game.mean_total)),
    ("low", "FP64", |game| json!(game.interval.low)),
    ("high", "FP64", |game| json!(game.interval.high)),
    ("standard_deviation", "FP64", |game| json!(game.interval.standard_deviation)),
    ("members", "INT64", |game| json!(game.interval.members)),
    ("start_time", "BYTES", |game| json!(game.game.start_time)),
];

/// Describes what may be asked.
pub(super) fn inputs() -> Vec<TensorMetadata> {
    INPUTS.map(|name| TensorMetadata { name, datatype: "BYTES", shape: [-1] }).into()
}

/// Describes what is answered.
pub(super) fn outputs() -> Vec<TensorMetadata> {
    OUTPUTS.map(|(name, datatype, _)| TensorMetadata { name, datatype, shape: [-1] }).into()
}

/// Reads the games, one per entry of the tensors; `binary` is what follows the JSON.
///
/// # Errors
/// A sentence that says which tensor is wrong and how.
pub(super) fn games(request: &InferRequest, mut binary: &[u8]) -> Result<Vec<GameQuery>, String> {
    let mut columns: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (index, input) in request.inputs.iter().enumerate() {
        let column = column(input, &mut binary).map_err(|why| format!("`inputs[{index}]`: {why}"))?;
        if columns.insert(&input.name, column).is_some() {
            return Err(format!("`inputs[{index}]`: `{}` is there twice", input.name));
        }
    }
    let count = columns.values().map(Vec::len).max().unwrap_or(0);
    if let Some((name, short)) = columns.iter().find(|(_, column)| column.len() != count) {
        return Err(format!("`{name}` has {} entries where another input has {count}", short.len()));
    }
    (0..count).map(|row| game(&columns, row).map_err(|why| format!("game {row}: {why}"))).collect()
}

fn game(columns: &BTreeMap<&str, Vec<String>>, row: usize) -> Result<GameQuery, String> {
    let text = |name: &str| {
        let text = columns.get(name).and_then(|column| column.get(row)).map(String::as_str);
        text.filter(|text| !text.is_empty())
    };
    let league = text("league").map(LeagueId::new).transpose().map_err(|error| error.to_string())?;
    let start_time = text("start_time").map(str::parse).transpose();
    let start_time = start_time.map_err(|error: jiff::Error| format!("`start_time`: {error}"))?;
    let game_id = text("game_id").map(GameId::from_text);
    let (home, away) = (text("home").map(Into::into), text("away").map(Into::into));
    GameAsked { game_id, league, home, away, start_time, ..GameAsked::default() }.into_query()
}

/// Reads one tensor's texts.
fn column(input: &InputTensor, binary: &mut &[u8]) -> Result<Vec<String>, String> {
    if !INPUTS.contains(&input.name.as_str()) {
        return Err(format!("no input `{}`; there are {}", input.name, INPUTS.join(", ")));
    }
    if input.datatype != "BYTES" {
        return Err(format!("`{}` is BYTES, not {}", input.name, input.datatype));
    }
    let size = input.parameters.as_ref().and_then(|parameters| parameters.get("binary_data_size"));
    let texts = match (size, &input.data) {
        (Some(size), None) => {
            let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
            let (own, rest) = size
                .and_then(|size| binary.split_at_checked(size))
                .ok_or("`binary_data_size` is more than what follows the JSON")?;
            *binary = rest;
            binary_texts(own)?
        }
        (None, Some(data)) => {
            let mut texts = Vec::new();
            json_texts(data, &mut texts)?;
            texts
        }
        _ => return Err("give `data`, or `binary_data_size` and the bytes after the JSON".to_owned()),
    };
    let ([wanted] | [wanted, 1]) = input.shape[..] else {
        return Err("the shape must be [n] or [n, 1]".to_owned());
    };
    if wanted != texts.len() as u64 {
        return Err(format!("the shape says {wanted} entries, the data has {}", texts.len()));
    }
    Ok(texts)
}

/// The protocol lets tensors be nested or flat.
fn json_texts(data: &Value, texts: &mut Vec<String>) -> Result<(), String> {
    match data {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().try_for_each(|item| json_texts(item, texts))?,
        other => return Err(format!("`{other}` is no text")),
    }
    Ok(())
}

/// Each text as its length in four bytes, the least first, and its bytes.
fn binary_texts(mut bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let cut = bytes.split_first_chunk::<4>().and_then(|(length, rest)| {
            rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
        });
        let (text, rest) = cut.ok_or("the bytes after the JSON end within a text")?;
        texts.push(String::from_utf8(text.to_vec()).map_err(|_| "the bytes of a text are not UTF-8")?);
        bytes = rest;
    }
    Ok(texts)
}

/// Writes the outputs that are wanted, in the order asked; all when none is named.
///
/// # Errors
/// A sentence with the names that there are.
pub(super) fn answer(games: &[GameForecast], wanted: &[&str]) -> Result<Vec<OutputTensor>, String> {
    let find = |name: &&str| {
        let output = OUTPUTS.iter().find(|(known, ..)| known == name);
        output.ok_or_else(|| {
            format!("no output `{name}`; there are {}", OUTPUTS.map(|(name, ..)| name).join(", "))
        })
    };
    let chosen: Vec<_> = if wanted.is_empty() {
        OUTPUTS.iter().collect()
    } else {
        wanted.iter().map(find).collect::<Result<_, _>>()?
    };
    if let Some((_, twice)) = wanted.iter().enumerate().find(|(index, name)| wanted[..*index].contains(name))
    {
        return Err(format!("output `{twice}` is asked twice"));
    }
    let tensor = |(name, datatype, read): &(&'static str, &'static str, Read)| OutputTensor {
        name,
        datatype,
        shape: [games.len()],
        data: games.iter().map(read).collect(),
    };
    Ok(chosen.into_iter().map(tensor).collect())
}
