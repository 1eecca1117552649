//! The same night on real lines and results: real names and prices, and nothing known after the as-of.

use std::path::Path;

use crate::edge::{Edge, SMALL, shared_data};

fn night(settings: &str, date: &str) -> (Edge, String) {
    let edge = Edge::with(&format!("{settings}{SMALL}"));
    edge.run(&["nightly", "--date", date]).done();
    let report =
        String::from_utf8(edge.files()[&format!("reports/daily_report_{date}.html")].clone()).unwrap();
    (edge, report)
}

/// Every instant in the night's predictions and bets lies before the as-of, but for the starts of the games.
fn assert_nothing_later(edge: &Edge, date: &str, as_of: &str) {
    let text = String::from_utf8(edge.files()[&format!("reports/data/{date}.json")].clone()).unwrap();
    let data: serde_json::Value = serde_json::from_str(&text).unwrap();
    let as_of: jiff::Timestamp = as_of.parse().unwrap();
    assert_eq!(data["as_of"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap(), as_of);
    let mut seen = 0;
    visit(&data, &mut |key, value| {
        if ["captured_at", "newest_line", "newest_result", "data_as_of", "to"].contains(&key)
            && let Some(Ok(instant)) = value.as_str().map(str::parse::<jiff::Timestamp>)
        {
            seen += 1;
            let allowed = if key == "data_as_of" { instant <= as_of } else { instant < as_of };
            assert!(allowed, "{key} is {instant}, the as-of {as_of}");
        }
    });
    assert!(seen >= 3, "only {seen} instants were found");
}

fn visit(value: &serde_json::Value, look: &mut dyn FnMut(&str, &serde_json::Value)) {
    match value {
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| {
            look(key, value);
            visit(value, look);
        }),
        serde_json::Value::Array(values) => values.iter().for_each(|value| visit(value, look)),
        _ => {}
    }
}

fn league(id: &str, source: &str, path: &Path) -> String {
    format!("[[league]]\nid = \"{id}\"\nsource = \"{source}\"\npath = \"{}\"\n", path.display())
}

#[test]
fn a_night_of_the_nfl_names_its_game_and_sees_nothing_later() {
    let Some(data) = shared_data("a night of the NFL") else { return };
    let (edge, report) =
        night(&league("nfl", "nflverse", &data.join("nfl/games_1999-2021.csv")), "2021-11-11");
    let slate = edge.run(&["predict", "slate", "--date", "2021-11-11"]).done();
    assert!(slate.contains("MIA") && slate.contains("BAL"), "{slate}");
    assert!(report.contains("24 h before the start"), "the report repeats the assumption");
    assert_nothing_later(&edge, "2021-11-11", "2021-11-11T09:00:00Z");
}

#[test]
fn a_night_of_english_football_names_its_game_and_sees_nothing_later() {
    let Some(data) = shared_data("a night of English football") else { return };
    let (edge, _) = night(&league("epl", "football_data", &data.join("soccer/E0")), "2022-10-14");
    let slate = edge.run(&["predict", "slate", "--date", "2022-10-14"]).done();
    assert!(slate.contains("Brentford") && slate.contains("Brighton"), "{slate}");
    assert_nothing_later(&edge, "2022-10-14", "2022-10-14T09:00:00Z");
}
