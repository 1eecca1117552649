//! Pulls that ask only for what is new, and only for what is paid for.

use data::{Location, Source, TheOddsApi};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    server::Server,
    support::{SEASON, at, folder, football, lake},
};

#[test]
fn an_unchanged_file_is_asked_for_on_condition_and_costs_no_bytes() {
    let server = Server::answering(|request| {
        let headers = "etag: \"v1\"\r\nlast-modified: Fri, 14 Oct 2022 07:00:00 GMT\r\n".to_owned();
        let lower = request.to_lowercase();
        if lower.contains("if-none-match: \"v1\"") && lower.contains("if-modified-since: fri, 14 oct 2022") {
            ("304 Not Modified", headers, String::new())
        } else {
            ("200 OK", headers, SEASON.to_owned())
        }
    });
    let folder = folder();
    let lake = lake(&folder);
    let source = football(&format!("{}/E0.csv", server.address));
    let first = lake.ingest(&source, at("2022-10-15T09:00:00Z")).unwrap();
    let again = lake.ingest(&source, at("2022-10-16T09:00:00Z")).unwrap();
    assert_eq!((first.new_payloads, again.new_payloads, again.already_known), (1, 0, 22));
    // When the stored bytes are gone, the file is asked for whole.
    for path in lake.store().list("data/raw").unwrap() {
        lake.store().delete(&path).unwrap();
    }
    assert_eq!(lake.ingest(&source, at("2022-10-16T09:00:00Z")).unwrap().new_payloads, 0);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn several_files_are_pulled_side_by_side_and_stay_in_order() {
    let server = Server::answering(|request| {
        let year = request.split(['/', '.']).find_map(|part| part.parse::<u32>().ok()).unwrap();
        ("200 OK", String::new(), SEASON.replace("2022", &year.to_string()))
    });
    let folder = folder();
    let years = 2010..2022;
    let addresses = years.clone().map(|year| format!("{}/{year}.csv", server.address));
    let league = data::FootballData::league("epl", "Europe/London").unwrap();
    let source =
        data::FootballData::new(league, Location::new(addresses), data::FootballData::LEADS).unwrap();
    let report = lake(&folder).ingest(&source, at("2022-10-15T09:00:00Z")).unwrap();
    assert_eq!((report.payloads, report.rows_added.results), (12, 24));
}

fn odds_api(address: &str) -> TheOddsApi {
    let league = TheOddsApi::league("mlb", "baseball_mlb", None, None).unwrap();
    TheOddsApi::new(league, "baseball_mlb").unwrap().address(address).key("s3cret")
}

#[expect(clippy::disallowed_methods, reason = "a service that is asked now is asked by the clock")]
fn now() -> Timestamp {
    std::time::SystemTime::now().try_into().unwrap()
}

/// An upcoming game whose prices are as old as told.
fn odds(age: SignedDuration) -> String {
    let start = now() + SignedDuration::from_hours(5);
    let seen = now() - age;
    json!([{"id": "7", "sport_key": "baseball_mlb", "commence_time": start.to_string(), "home_team": "Astros", "away_team": "Jays",
        "bookmakers": [{"key": "fanduel", "markets": [{"key": "h2h", "last_update": seen.to_string(),
            "outcomes": [{"name": "Astros", "price": 1.9}, {"name": "Jays", "price": 1.95}]}]}]}])
    .to_string()
}

fn service(remaining: u32, age: SignedDuration) -> Server {
    Server::answering(move |request| {
        let body = match request.split([' ', '?']).nth(1).unwrap_or_default() {
            "/v4/sports" | "/v4/sports/baseball_mlb/scores" => "[]".to_owned(),
            _ => odds(age),
        };
        ("200 OK", format!("x-requests-remaining: {remaining}\r\n"), body)
    })
}

#[test]
fn nothing_is_asked_that_the_allowance_does_not_cover() {
    let server = service(4, SignedDuration::ZERO);
    let folder = folder();
    let error = lake(&folder).ingest(&odds_api(&server.address), now()).unwrap_err().to_string();
    assert!(
        error.contains("4 requests are left") && error.contains("costs 5") && !error.contains("s3cret"),
        "{error}"
    );
    assert_eq!(server.asked().len(), 1, "only the free question was asked");
}

#[test]
fn prices_and_scores_are_asked_for_and_the_key_is_kept_nowhere() {
    let server = service(500, SignedDuration::from_mins(2));
    let folder = folder();
    let lake = lake(&folder).at(now());
    let report = lake.ingest(&odds_api(&server.address), now()).unwrap();
    assert_eq!((report.payloads, report.rows_added.lines, report.findings.len()), (2, 2, 0));
    let asked: Vec<String> =
        server.asked().iter().map(|line| line.split(['?', ' ']).nth(1).unwrap().to_owned()).collect();
    assert_eq!(asked[0], "/v4/sports");
    for path in lake.store().list("").unwrap() {
        let bytes = lake.store().get(&path).unwrap();
        assert!(!path.contains("s3cret") && !String::from_utf8_lossy(&bytes).contains("s3cret"), "{path}");
    }
    assert!(format!("{:?}", odds_api(&server.address)).find("s3cret").is_none());
}

#[test]
fn a_night_that_is_past_asks_for_the_snapshot_of_then() {
    let server = service(500, SignedDuration::ZERO);
    let until = at("2026-08-05T16:00:00Z");
    let source = odds_api(&server.address);
    source.fetch(&data::Pull::new(until)).unwrap();
    let asked = server.asked();
    assert!(
        asked[1].contains("/v4/historical/sports/baseball_mlb/odds?")
            && asked[1].contains("date=2026-08-05T16:00:00Z"),
        "{asked:?}"
    );
}

/// kyleskom/NBA-Machine-Learning-Sports-Betting#494: the file always was of the same day.
#[test]
fn a_feed_that_stands_still_while_games_are_ahead_is_noticed() {
    let server = service(500, SignedDuration::from_mins(30 * 60 + 1));
    let folder = folder();
    let lake = lake(&folder).at(now());
    let report = lake.ingest(&odds_api(&server.address), now()).unwrap();
    let told: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["frozen (warn): the newest price is 30 h old although games are ahead [baseball_mlb_odds.json]"]
    );
}

#[test]
fn without_a_key_the_way_out_is_said() {
    let league = TheOddsApi::league("mlb", "baseball_mlb", None, None).unwrap();
    let source = TheOddsApi::new(league, "baseball_mlb").unwrap();
    let folder = folder();
    let error = lake(&folder).ingest(&source, now()).unwrap_err();
    insta::assert_snapshot!(error, @"league mlb asks The Odds API, which wants a key: set ODDS_API_KEY");
}
