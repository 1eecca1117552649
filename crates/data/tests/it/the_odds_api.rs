//! The Odds API: what its answers say, and what is made of those that say something else.

use data::{Payload, Source, TheOddsApi};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::support::{at, real_data};

fn source(sport: &str) -> TheOddsApi {
    TheOddsApi::new(TheOddsApi::league("league", sport, None, None).unwrap(), sport).unwrap()
}

fn parse(sport: &str, document: &Value) -> data::Parsed {
    let payload = Payload::new("odds.json", "json", document.to_string());
    source(sport).parse(&payload, &"hash".into()).unwrap()
}

fn event() -> Value {
    json!({
        "id": "e912304de2b2ce35b473ce2ecd3d1502", "sport_key": "americanfootball_nfl",
        "commence_time": "2023-10-11T23:10:00Z", "home_team": "Houston Texans", "away_team": "Kansas City Chiefs",
        "bookmakers": [{"key": "draftkings", "title": "DraftKings", "last_update": "2023-10-10T12:10:29Z", "markets": [
            {"key": "h2h", "last_update": "2023-10-10T12:10:30Z", "outcomes": [
                {"name": "Kansas City Chiefs", "price": 1.5}, {"name": "Houston Texans", "price": 2.74}]},
            {"key": "spreads", "outcomes": [
                {"name": "Kansas City Chiefs", "price": 1.91, "point": -4.5}, {"name": "Houston Texans", "price": 1.91, "point": 4.5}]},
            {"key": "totals", "last_update": "2023-10-10T12:10:30Z", "outcomes": [
                {"name": "Under", "price": 1.9, "point": 45.0}, {"name": "Over", "price": 1.92, "point": 45}]}]}]
    })
}

fn told(parsed: &data::Parsed) -> String {
    let lines = parsed.lines.iter().map(|row| {
        let points = row.points.map(|points| format!(" {points}")).unwrap_or_default();
        format!(
            "{} {} {}{points} {:.3} {}",
            row.book,
            row.market,
            row.selection,
            row.price.decimal(),
            row.captured_at
        )
    });
    let results = parsed
        .results
        .iter()
        .map(|row| format!("{}:{} known at {}", row.home_score, row.away_score, row.known_at));
    let refused = parsed.refused.iter().map(|row| format!("refused {}: {}", row.row, row.reason));
    lines.chain(results).chain(refused).collect::<Vec<_>>().join("\n")
}

#[test]
fn outcomes_are_matched_by_name_and_times_come_from_the_market() {
    insta::assert_snapshot!(told(&parse("americanfootball_nfl", &json!([event()]))), @r"
    draftkings moneyline home 2.740 2023-10-10T12:10:30Z
    draftkings moneyline away 1.500 2023-10-10T12:10:30Z
    draftkings spread home 4.5 1.910 2023-10-10T12:10:29Z
    draftkings spread away -4.5 1.910 2023-10-10T12:10:29Z
    draftkings total over 45 1.920 2023-10-10T12:10:30Z
    draftkings total under 45 1.900 2023-10-10T12:10:30Z
    ");
}

#[test]
fn american_prices_are_known_by_themselves() {
    let mut american = event();
    american["bookmakers"][0]["markets"] = json!([{"key": "h2h", "outcomes": [
        {"name": "Houston Texans", "price": 174}, {"name": "Kansas City Chiefs", "price": -200}]}]);
    insta::assert_snapshot!(told(&parse("americanfootball_nfl", &json!([american]))), @r"
    draftkings moneyline home 2.740 2023-10-10T12:10:29Z
    draftkings moneyline away 1.500 2023-10-10T12:10:29Z
    ");
}

#[test]
fn a_stored_snapshot_and_scores_are_the_same_source() {
    let mut old = event();
    old["bookmakers"][0].as_object_mut().unwrap().remove("last_update");
    let snapshot = json!({"timestamp": "2023-10-10T12:10:39Z", "data": [old]});
    assert_eq!(parse("americanfootball_nfl", &snapshot).lines[2].captured_at, at("2023-10-10T12:10:39Z"));
    let scores = json!([
        {"id": "1", "sport_key": "americanfootball_nfl", "commence_time": "2023-10-11T23:10:00Z", "completed": true,
         "home_team": "A", "away_team": "B", "last_update": "2023-10-12T03:00:00Z",
         "scores": [{"name": "B", "score": "17"}, {"name": "A", "score": "20"}]},
        {"id": "2", "sport_key": "americanfootball_nfl", "commence_time": "2023-10-11T23:10:00Z", "completed": false,
         "home_team": "C", "away_team": "D", "last_update": null, "scores": null},
        {"id": "3", "sport_key": "americanfootball_nfl", "commence_time": "2023-10-11T23:10:00Z", "completed": true,
         "home_team": "E", "away_team": "F", "last_update": null, "scores": []},
        {"id": "4", "sport_key": "basketball_nba", "commence_time": "2023-10-11T23:10:00Z", "home_team": "E", "away_team": "F"}
    ]);
    insta::assert_snapshot!(told(&parse("americanfootball_nfl", &scores)), @r"
    20:17 known at 2023-10-12T03:00:00Z
    refused 2: a completed game has no score
    refused 3: the event is of another sport
    ");
}

#[test]
fn what_cannot_be_right_is_refused_market_by_market() {
    let wrong = |change: &dyn Fn(&mut Value)| {
        let mut event = event();
        change(&mut event);
        told(&parse("americanfootball_nfl", &json!([event])))
            .lines()
            .filter(|line| line.starts_with("refused"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let market = |index: usize| format!("/bookmakers/0/markets/{index}");
    let cases: Vec<String> = vec![
        wrong(&|event| event["commence_time"] = json!("2023-10-10T12:10:30Z")),
        wrong(&|event| *event.pointer_mut(&format!("{}/outcomes/0/point", market(1))).unwrap() = json!(4.5)),
        wrong(&|event| {
            *event.pointer_mut(&format!("{}/outcomes/0/name", market(0))).unwrap() = json!("Somebody");
        }),
        wrong(&|event| {
            *event.pointer_mut(&format!("{}/outcomes/0/price", market(0))).unwrap() = json!("much");
        }),
        wrong(&|event| *event.pointer_mut(&format!("{}/outcomes/1/price", market(0))).unwrap() = json!(1.1)),
        wrong(&|event| *event.pointer_mut(&format!("{}/key", market(2))).unwrap() = json!("player_points")),
        wrong(&|event| event["home_team"] = Value::Null),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r"
    refused 0: moneyline: the price is in-play
    refused 0: total: the price is in-play
    refused 0: spread: the points of the two sides do not match
    refused 0: moneyline: an outcome is none of the market's
    refused 0: moneyline: a price is no odds above 1
    refused 0: moneyline: the overround of a book's market is below -1 % or above 25 %
    refused 0: other: the market is none that is read
    refused 0: a team is missing
    ");
}

#[test]
fn an_error_document_is_no_quiet_night() {
    let payload = Payload::new(
        "odds.json",
        "json",
        r#"{"message": "API key is missing", "error_code": "MISSING_KEY"}"#,
    );
    let error = source("baseball_mlb").parse(&payload, &"hash".into()).unwrap_err();
    insta::assert_snapshot!(error, @"cannot read `odds.json`: it is an error of The Odds API (API key is missing); check the key, the sport and the address");
}

#[test]
fn every_sample_is_read() {
    let Some(data) = real_data("the_odds_api::every_sample_is_read") else { return };
    let mut shown = Vec::new();
    for (file, sport) in [
        ("odds_api_v4_nfl_2021_eu_decimal.json", "americanfootball_nfl"),
        ("odds_api_v4_mlb_raw_2026-08-05_open.json", "baseball_mlb"),
        ("fixtures/odds_api_scores.json", "basketball_wnba"),
        ("fixtures/odds_api_historical_odds.json", "basketball_wnba"),
        ("fixtures/odds_api_current_odds.json", "basketball_wnba"),
    ] {
        let bytes = std::fs::read(data.join("api-samples").join(file)).unwrap();
        let parsed = source(sport).parse(&Payload::new(file, "json", bytes), &"hash".into()).unwrap();
        let counts = (parsed.lines.len(), parsed.results.len(), parsed.context.len(), parsed.refused.len());
        shown.push(format!("{file}: {counts:?}"));
    }
    insta::assert_snapshot!(shown.join("\n"), @r"
    odds_api_v4_nfl_2021_eu_decimal.json: (308, 0, 13, 26)
    odds_api_v4_mlb_raw_2026-08-05_open.json: (808, 0, 15, 0)
    fixtures/odds_api_scores.json: (0, 3, 4, 0)
    fixtures/odds_api_historical_odds.json: (12, 0, 1, 0)
    fixtures/odds_api_current_odds.json: (24, 0, 2, 0)
    ");
}

/// Every place in a document.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{here}/{index}"), all);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                places(field, &format!("{here}/{key}"), all);
            }
        }
        _ => {}
    }
}

#[test]
fn a_damaged_answer_never_panics_and_every_market_is_accounted_for() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for round in 0..2_000 {
        let mut document = json!([event(), event()]);
        document[1]["id"] = json!("other");
        let mut all = Vec::new();
        places(&document, "", &mut all);
        for _ in 0..rng.random_range(1..4) {
            let place = all.choose(&mut rng).unwrap();
            let Some(value) = document.pointer_mut(place) else { continue };
            *value = match rng.random_range(0..7) {
                0 => Value::Null,
                1 => json!("x".repeat(100_000)),
                2 => json!(-1e300),
                3 => json!([]),
                4 => json!({}),
                5 => json!("1.91"),
                _ => json!(true),
            };
        }
        let payload = Payload::new("odds.json", "json", document.to_string());
        let Ok(parsed) = source("americanfootball_nfl").parse(&payload, &"hash".into()) else { continue };
        let events = document.as_array().map_or(1, Vec::len);
        for row in 0..u32::try_from(events).unwrap() {
            let has = |at: u32| at == row;
            assert!(
                parsed.context.iter().any(|line| has(line.raw_ref.row))
                    || parsed.refused.iter().any(|line| has(line.row)),
                "round {round}: event {row} is lost in {document}"
            );
        }
    }
}
