//! What ESPN's scoreboards say, and that nothing in them is lost or believed blindly.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpListener,
};

use data::{DataError, Espn, Location, Parsed, Payload, Pull, Source};
use market::{GameStatus, Market};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::support::{at, folder, lake, real_data, reasons, write};

fn espn(sport: &str) -> Espn {
    let league = Espn::league("x", sport, None, None).unwrap();
    Espn::new(league, None, sport, Espn::LEADS).unwrap()
}

fn parse(sport: &str, document: &Value, received_at: Option<&str>) -> Parsed {
    let mut payload = Payload::new("scoreboard.json", "json", document.to_string());
    payload.received_at = received_at.map(at);
    espn(sport).parse(&payload, &"hash".into()).unwrap()
}

fn competitor(place: &str, id: &str, name: &str, score: &str) -> Value {
    json!({"id": id, "homeAway": place, "score": score, "team": {"id": id, "displayName": name}})
}

fn event(id: &str, status: &str, state: &str, scores: [&str; 2]) -> Value {
    let status = json!({"type": {"name": status, "state": state, "completed": state == "post"}});
    json!({
        "id": id, "date": "2024-11-10T18:00Z", "season": {"year": 2024, "type": 2, "slug": "regular-season"},
        "week": {"number": 10}, "status": status,
        "competitions": [{
            "id": id, "timeValid": true, "neutralSite": false, "venue": {"fullName": "Harbour Ground"}, "status": status,
            "competitors": [competitor("home", "1", "Harbour Gulls", scores[0]), competitor("away", "2", "Hill Goats", scores[1])],
        }],
    })
}

/// Prices in the shape in which the site writes most of them.
fn offer() -> Value {
    let side = |line: &str, odds: &str| json!({"open": {"line": "-9", "odds": "-140"}, "close": {"line": line, "odds": odds}});
    json!({
        "provider": {"id": "58", "name": "ESPN BET"}, "overUnder": 44.5, "spread": -2.5,
        "homeTeamOdds": {"favorite": true}, "awayTeamOdds": {"favorite": false},
        "moneyline": {"home": side("", "-135"), "away": side("", "+115"), "draw": side("", "OFF")},
        "pointSpread": {"home": side("-2.5", "-105"), "away": side("+2.5", "-115")},
        "total": {"over": side("o44.5", "EVEN"), "under": side("u44.5", "-120")},
    })
}

fn with_odds(mut event: Value, odds: Value) -> Value {
    event["competitions"][0]["odds"] = odds;
    event
}

fn scheduled(odds: Value) -> Value {
    with_odds(event("401", "STATUS_SCHEDULED", "pre", ["0", "0"]), odds)
}

fn shown(parsed: &Parsed) -> String {
    let mut shown = String::new();
    let mut say = |line: String| shown.extend([line.trim_end(), "\n"]);
    for row in &parsed.lines {
        let points = row.points.map(|points| format!(" {points}")).unwrap_or_default();
        let closing = if row.is_closing { " closing" } else { "" };
        say(format!(
            "{} {} {}{points} {} {}{closing}",
            row.book, row.market, row.selection, row.price, row.captured_at
        ));
    }
    for row in &parsed.results {
        let scores = (row.home_score, row.away_score);
        say(format!("{} {}-{} {}", row.status.as_str(), scores.0, scores.1, row.known_at));
    }
    for row in &parsed.context {
        let (game, name) = (&row.game, |name: &Option<market::Name>| name.as_ref().map(ToString::to_string));
        say(format!("{} {} {} v {} {}", game.game_id, game.season, game.home, game.away, game.start_time));
        say(format!("{:?} {:?} {:?} {:?}", name(&row.venue), row.neutral, row.week, name(&row.stage)));
        say(format!("known {}", row.known_at));
    }
    for row in &parsed.refused {
        say(format!("refused {}: {}", row.row, row.reason));
    }
    shown
}

#[test]
fn a_scheduled_game_has_lines_and_context() {
    let document = json!({"events": [scheduled(json!([offer()]))]});
    insta::assert_snapshot!(shown(&parse("football/nfl", &document, Some("2024-11-08T09:00:00Z"))), @r#"
    espn_bet moneyline home 1.74 2024-11-08T09:00:00Z
    espn_bet moneyline away 2.15 2024-11-08T09:00:00Z
    espn_bet spread home -2.5 1.95 2024-11-08T09:00:00Z
    espn_bet spread away 2.5 1.87 2024-11-08T09:00:00Z
    espn_bet total over 44.5 2.00 2024-11-08T09:00:00Z
    espn_bet total under 44.5 1.83 2024-11-08T09:00:00Z
    espn:401 2024 Harbour Gulls v Hill Goats 2024-11-10T18:00:00Z
    Some("Harbour Ground") Some(false) Some(10) Some("regular-season")
    known 2024-11-08T09:00:00Z
    "#);
    // A file does not say when it came.
    let undated = parse("football/nfl", &document, None);
    assert_eq!(undated.lines[0].captured_at, at("2024-11-09T18:00:00Z"));
    assert_eq!(undated.context[0].known_at, at("2024-11-03T18:00:00Z"));
    let event = &undated.events[&undated.lines[0].game.game_id];
    assert_eq!(event.id.as_ref().unwrap().as_str(), "401");
}

#[test]
fn a_finished_game_has_its_score_and_keeps_closing_prices_only() {
    let mut closing = offer();
    for (side, odds) in [("home", "+120"), ("draw", "+240"), ("away", "+230")] {
        closing["moneyline"][side]["close"]["odds"] = json!(odds);
    }
    let flat = json!({"provider": {"name": "Other"}, "overUnder": 2.5, "overOdds": -900, "underOdds": 600});
    let document =
        with_odds(event("7", "STATUS_FULL_TIME", "post", ["2", "5"]), json!([null, closing, flat]));
    insta::assert_snapshot!(shown(&parse("soccer/eng.1", &document, Some("2024-11-10T20:10:00Z"))), @r#"
    espn_bet moneyline home 2.20 2024-11-10T17:55:00Z closing
    espn_bet moneyline draw 3.40 2024-11-10T17:55:00Z closing
    espn_bet moneyline away 3.30 2024-11-10T17:55:00Z closing
    espn_bet spread home -2.5 1.95 2024-11-10T17:55:00Z closing
    espn_bet spread away 2.5 1.87 2024-11-10T17:55:00Z closing
    espn_bet total over 44.5 2.00 2024-11-10T17:55:00Z closing
    espn_bet total under 44.5 1.83 2024-11-10T17:55:00Z closing
    final 2-5 2024-11-10T20:10:00Z
    espn:7 2024 Harbour Gulls v Hill Goats 2024-11-10T18:00:00Z
    Some("Harbour Ground") Some(false) Some(10) Some("regular-season")
    known 2024-11-03T18:00:00Z
    refused 0: total: a price left after the game is not called the closing one
    "#);
    let late = parse("soccer/eng.1", &document, Some("2024-12-01T00:00:00Z"));
    assert_eq!(late.results[0].known_at, at("2024-11-10T20:30:00Z"));
    assert_eq!(late.context[0].known_at, at("2024-11-03T18:00:00Z"));
}

#[test]
fn a_price_that_may_be_in_play_is_refused() {
    let under_way = with_odds(event("1", "STATUS_HALFTIME", "in", ["1", "0"]), json!([offer()]));
    let parsed = parse("football/nfl", &under_way, Some("2024-11-10T19:00:00Z"));
    let expected = [
        (0, "moneyline: the price is in-play"),
        (0, "spread: the price is in-play"),
        (0, "total: the price is in-play"),
    ];
    assert_eq!(reasons(&parsed), expected);
    assert!(parsed.lines.is_empty() && parsed.results.is_empty() && parsed.context.len() == 1);
    // The clock knows better than a status that was not updated.
    assert_eq!(
        reasons(&parse("football/nfl", &scheduled(json!([offer()])), Some("2024-11-10T18:00:00Z"))),
        expected
    );
    let mut live = offer();
    live["provider"]["name"] = json!("ESPN Bet - Live Odds");
    assert_eq!(reasons(&parse("football/nfl", &scheduled(json!(live)), None)), expected);
}

#[test]
fn every_status_has_its_result() {
    use GameStatus::{Abandoned, Cancelled, Final, Postponed};
    for (status, state, expected) in [
        ("STATUS_SCHEDULED", "pre", None),
        ("STATUS_DELAYED", "pre", None),
        ("STATUS_IN_PROGRESS", "in", None),
        ("STATUS_HALFTIME", "in", None),
        ("STATUS_SUSPENDED", "in", None),
        ("STATUS_FINAL", "post", Some((Final, 3, 3))),
        ("STATUS_FULL_TIME", "post", Some((Final, 3, 3))),
        ("STATUS_FINAL_AET", "post", Some((Final, 3, 3))),
        ("STATUS_FINAL_PEN", "post", Some((Final, 3, 3))),
        ("STATUS_POSTPONED", "post", Some((Postponed, 0, 0))),
        ("STATUS_CANCELED", "post", Some((Cancelled, 0, 0))),
        ("STATUS_FORFEIT", "post", Some((Cancelled, 0, 0))),
        ("STATUS_ABANDONED", "post", Some((Abandoned, 0, 0))),
    ] {
        let parsed = parse("football/nfl", &event("1", status, state, ["3", "3"]), None);
        let results: Vec<_> =
            parsed.results.iter().map(|row| (row.status, row.home_score, row.away_score)).collect();
        assert_eq!(results, expected.into_iter().collect::<Vec<_>>(), "{status}");
        assert_eq!((parsed.context.len(), parsed.refused.len()), (1, 0), "{status}");
    }
}

#[test]
fn soccer_counts_as_it_stood_after_90_minutes() {
    let goal = |team: &str, seconds: f64, shootout: bool| json!({"scoringPlay": true, "shootout": shootout, "team": {"id": team}, "clock": {"value": seconds}});
    let mut long = event("1", "STATUS_FINAL_AET", "post", ["2", "1"]);
    long["competitions"][0]["details"] = json!([
        goal("1", 600.0, false),
        goal("2", 5400.0, false),
        {"scoringPlay": false},
        goal("1", 6000.0, false),
        goal("2", 7200.0, true),
    ]);
    let parsed = parse("soccer/uefa.champions", &json!([long]), None);
    assert_eq!((parsed.results[0].home_score, parsed.results[0].away_score), (1, 1));
    assert_eq!(parsed.results[0].known_at, at("2024-11-10T21:30:00Z"));
    // A goal that nobody timed could have fallen before or after.
    long["competitions"][0]["details"][0] = Value::Null;
    let parsed = parse("soccer/uefa.champions", &json!([long]), None);
    assert_eq!(reasons(&parsed), [(0, "the score after 90 minutes cannot be told")]);
    let parsed = parse("hockey/nhl", &json!([long]), None);
    assert_eq!((parsed.results[0].home_score, parsed.results[0].away_score), (2, 1));
}

#[test]
fn a_start_that_is_a_placeholder_ends_with_its_day() {
    let mut unknown = event("1", "STATUS_FINAL", "post", ["1", "0"]);
    unknown["date"] = json!("2024-11-10T05:00Z");
    unknown["competitions"][0]["timeValid"] = json!(false);
    let parsed = parse("football/nfl", &json!([unknown]), None);
    assert_eq!(parsed.results[0].known_at, at("2024-11-11T09:00:00Z"));
}

#[test]
fn each_shape_of_prices_is_understood() {
    let flat = json!({
        "provider": {"name": "Draft Kings"}, "spread": 3, "overUnder": "41", "overOdds": -110.0, "underOdds": "-110",
        "homeTeamOdds": {"favorite": false, "moneyLine": 140, "spreadOdds": -108},
        "awayTeamOdds": {"favorite": true, "moneyLine": "-165", "spreadOdds": "-112"},
    });
    let nested = json!({
        "provider": {"name": "caesars"},
        "homeTeamOdds": {"moneyLine": 900, "current": {"moneyLine": {"american": "+140"}, "pointSpread": {"american": "+3"}, "spread": {"american": "-108"}}},
        "awayTeamOdds": {"moneyLine": -1800, "current": {"moneyLine": {"american": "-165"}, "pointSpread": {"american": "-3"}, "spread": {"american": "-112"}}},
        "current": {"over": {"american": "-110"}, "under": {"american": "-110"}, "total": {"american": "41"}},
    });
    let parsed = parse("football/nfl", &scheduled(json!([flat, nested])), None);
    let rows = |book: &str| -> Vec<_> {
        let rows = parsed.lines.iter().filter(|row| row.book.as_str() == book);
        rows.map(|row| (row.selection, row.points.map(market::Points::as_f64), row.price)).collect()
    };
    assert_eq!((reasons(&parsed).len(), rows("draft_kings").len()), (0, 6));
    assert_eq!(rows("draft_kings"), rows("caesars"));
    assert_eq!((rows("caesars")[2].1, rows("caesars")[3].1), (Some(3.0), Some(-3.0)));
}

#[test]
fn no_price_is_invented_and_half_a_market_is_refused() {
    let bare = json!({"provider": {"name": "ESPN BET"}, "overUnder": 44.5, "spread": -2.5, "details": "HG -2.5", "moneyline": {}});
    for odds in [json!(null), json!([]), json!([null]), json!([bare]), json!([{}])] {
        let parsed = parse("football/nfl", &scheduled(odds.clone()), None);
        assert_eq!((parsed.lines.len(), parsed.refused.len(), parsed.context.len()), (0, 0, 1), "{odds}");
    }
    let mut wrong = Vec::new();
    for (pointer, value) in [
        ("/moneyline/away/close/odds", Value::Null),
        ("/moneyline/away/close/odds", json!("-1000")),
        ("/moneyline/away/close/odds", json!("+1e300")),
        ("/pointSpread/home/close/line", json!("-2.4")),
        ("/pointSpread/home/close/line", json!("+2.5")),
        ("/total/over/close/line", Value::Null),
        ("/provider", json!([])),
    ] {
        let mut offer = offer();
        *offer.pointer_mut(pointer).unwrap() = value;
        wrong.push(scheduled(json!([offer])));
    }
    wrong.push(scheduled(
        json!([{"provider": {"name": "b"}, "spread": 3, "homeTeamOdds": {"favorite": true, "spreadOdds": -110}, "awayTeamOdds": {"spreadOdds": -110}}]),
    ));
    wrong.push(scheduled(json!("soon")));
    let parsed = parse("football/nfl", &json!({ "events": wrong }), None);
    let shown: Vec<_> = reasons(&parsed).iter().map(|(row, reason)| format!("{row} {reason}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    0 moneyline: a side of a book's market has no price
    1 moneyline: the overround of a book's market is below -1 % or above 25 %
    2 moneyline: a price is no odds above 1
    3 spread: points are no multiple of a quarter
    4 spread: the points of the two sides do not fit together
    5 total: a price stands without its points
    6 moneyline: the book is missing
    6 spread: the book is missing
    6 total: the book is missing
    7 spread: the handicap contradicts the favourite
    8 the odds are no object
    ");
    assert!(parsed.refused[0].text.starts_with('{'));
}

#[test]
fn events_that_cannot_be_right_are_refused_with_their_reason() {
    let played = || event("1", "STATUS_FINAL", "post", ["3", "1"]);
    let mut events = Vec::new();
    for (pointer, value) in [
        ("/id", Value::Null),
        ("/date", json!("soon")),
        ("/season/year", json!(1924)),
        ("/competitions", json!([])),
        ("/competitions", json!([{}, {}])),
        ("/competitions/0/competitors", json!([])),
        ("/competitions/0/competitors/0/team/displayName", json!("Hill Goats")),
        ("/competitions/0/competitors/0/team/displayName", json!("TBD")),
        ("/competitions/0/competitors/0/score", Value::Null),
        ("/competitions/0/competitors/0/score", json!("-3")),
        ("/competitions/0/status/type/name", json!("STATUS_SCHEDULED")),
    ] {
        let mut event = played();
        *event.pointer_mut(pointer).unwrap() = value;
        events.push(event);
    }
    let mut all_star = played();
    all_star["competitions"][0]["type"] = json!({"abbreviation": "ALLSTAR"});
    events.extend([all_star, json!(7)]);
    let parsed = parse("football/nfl", &json!(events), None);
    let shown: Vec<_> = reasons(&parsed).iter().map(|(row, reason)| format!("{row} {reason}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    0 the event has no id
    1 the date is unreadable
    2 the season does not fit the start
    3 the event has no competition
    4 the event has several competitions
    5 a team is missing
    6 both teams are the same
    7 a team is not known yet
    8 one of the two scores is missing
    9 a score is no number from 0 to 999
    10 the status contradicts itself
    11 an all-star game is no game of the league
    12 the event is no object
    ");
    // Scores are no reason to forget the fixture.
    assert_eq!(parsed.context.iter().map(|row| row.raw_ref.row).collect::<Vec<_>>(), [8, 9]);
    let early = parse("football/nfl", &played(), Some("2024-11-10T17:00:00Z"));
    assert_eq!(reasons(&early), [(0, "the result came before the start")]);
}

#[test]
fn a_season_bears_the_year_in_which_it_began() {
    let season = |sport: &str, year: Value| {
        let mut event = event("1", "STATUS_SCHEDULED", "pre", ["0", "0"]);
        event["season"] = json!({ "year": year });
        parse(sport, &event, None).context[0].game.season
    };
    assert_eq!(season("basketball/nba", json!(2025)), 2024);
    assert_eq!(season("soccer/eng.1", json!("2024")), 2024);
    assert_eq!(season("soccer/eng.1", Value::Null), 2024);
}

#[test]
fn what_is_no_scoreboard_is_named_with_the_way_out() {
    let message = |text: &str| -> String {
        let payload = Payload::new("scoreboard.json", "json", text);
        espn("football/nfl").parse(&payload, &"hash".into()).unwrap_err().to_string()
    };
    insta::assert_snapshot!(message(" "), @"cannot read `scoreboard.json`: it is empty; download it again");
    insta::assert_snapshot!(message("<html>"), @"cannot read `scoreboard.json`: it is a web page, not an ESPN scoreboard; check that the address names the API");
    insta::assert_snapshot!(message(r#"{"events": [{"#), @"cannot read `scoreboard.json`: it is no JSON (EOF while parsing an object at line 1 column 13); download it again");
    insta::assert_snapshot!(message(r#"{"code": 400, "message": "no"}"#), @"cannot read `scoreboard.json`: it is no ESPN scoreboard; check that it holds a list of `events`");
    insta::assert_snapshot!(message("7"), @"cannot read `scoreboard.json`: it is no ESPN scoreboard; check that it holds a list of `events`");
    assert!(message(&"[".repeat(100_000)).contains("is no JSON"));
    for empty in ["[]", r#"{"events": []}"#] {
        let payload = Payload::new("scoreboard.json", "json", empty);
        assert_eq!(espn("football/nfl").parse(&payload, &"hash".into()).unwrap(), Parsed::default());
    }
}

#[test]
fn settings_that_cannot_be_right_are_refused() {
    let league = |sport: &str| Espn::league("x", sport, None, None).unwrap();
    assert!(league("soccer/eng.1").three_way && !league("hockey/nhl").three_way);
    for sport in ["nfl", "football/../nfl", "football/", "football/nfl?x=1", "/", "a/b/c"] {
        let error = Espn::new(league(sport), None, sport, Espn::LEADS).unwrap_err();
        assert!(error.to_string().contains("is no sport of ESPN"), "{sport}: {error}");
    }
    assert!(Espn::league("x", "football/nfl", Some(false), Some("Mars/Base")).is_err());
}

#[test]
fn the_days_around_a_pull_are_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v2/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 2048];
        let read = socket.read(&mut request).unwrap();
        let body = r#"{"events": []}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned()
    });
    // Midnight has passed in UTC, but not in New York.
    let pull = Pull::new(at("2024-11-10T03:00:00Z"));
    let payloads = espn("football/nfl").address(&address).fetch(&pull).unwrap();
    assert_eq!(
        server.join().unwrap(),
        "GET /v2/football/nfl/scoreboard?dates=20241106-20241116&limit=1000 HTTP/1.1"
    );
    assert_eq!((payloads.len(), payloads[0].extension.as_str()), (1, "json"));
    assert!(payloads[0].received_at.is_some());
}

#[test]
fn a_stored_answer_reaches_the_lake() {
    let folder = folder();
    let document =
        json!({"events": [scheduled(json!([offer()])), event("2", "STATUS_FINAL", "post", ["3", "1"])]});
    let path = write(&folder, "scoreboard.json", document.to_string());
    let league = Espn::league("x", "football/nfl", None, None).unwrap();
    let source = Espn::new(league, Some(Location::new([path])), "football/nfl", Espn::LEADS).unwrap();
    let payloads = source.fetch(&Pull::new(at("2024-11-11T00:00:00Z"))).unwrap();
    assert_eq!(source.parse(&payloads[0], &"hash".into()).unwrap().lines.len(), 6);
    let report = lake(&folder).ingest(&source, at("2024-11-11T00:00:00Z")).unwrap();
    assert_eq!(report.rows_added.lines, 6);
}

#[test]
fn assumptions_are_said_in_sentences() {
    insta::assert_snapshot!(espn("soccer/eng.1").assumptions().join("\n"), @r"
    a price of x is taken as known when it came; without that time, 24 h before the start
    what is called the closing price on a played game of x is taken as known 5 min before the start; any other price left on it is refused, for it may be in-play
    fixture, venue, week and stage of x are taken as known when they came, but if that was after the start or is not known, 7 days before the start
    a result of x is taken as known 150 min after the start and 1 h later after extra time, or when it came if that was earlier; without a start time, 150 min after the end of the day
    a game of x that went to extra time counts as it stood after 90 minutes, by the times of its goals
    ");
    assert_ne!(espn("soccer/eng.1").settings(), espn("soccer/eng.2").settings());
}

/// Every place in a document.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn damage(document: &mut Value, rng: &mut ChaCha8Rng) {
    let mut found = Vec::new();
    places(document, "", &mut found);
    let place = found.choose(rng).unwrap();
    let kind = rng.random_range(0..10);
    if kind == 0 {
        let Some((parent, key)) = place.rsplit_once('/') else { return };
        match document.pointer_mut(parent).unwrap() {
            Value::Object(object) => _ = object.remove(key),
            Value::Array(list) => _ = list.remove(key.parse().unwrap()),
            _ => {}
        }
        return;
    }
    let value = document.pointer_mut(place).unwrap();
    *value = match kind {
        1 => Value::Null,
        2 => json!("x".repeat(rng.random_range(0..5000))),
        3 => json!(rng.random::<f64>() * 10_f64.powi(rng.random_range(-300..300))),
        4 => json!([i64::MAX, i64::MIN, 0, -1, 65_536][rng.random_range(0..5)]),
        5 => json!(
            ["", "-0", "NaN", "inf", "-1e999", "🐐\u{0}", "9999-12-31T23:59Z", "-009999-01-02T00:00Z"]
                [rng.random_range(0..8)]
        ),
        6 => json!([value.take()]),
        7 => json!({ "value": value.take() }),
        8 => match value.take() {
            Value::String(text) => text.parse().map_or(Value::Bool(true), |number: i64| json!(number)),
            Value::Number(number) => json!(number.to_string()),
            other => json!(other.to_string()),
        },
        _ => json!([[], {}, true, false, [null], "post", "STATUS_FINAL"])[rng.random_range(0..7)].take(),
    };
}

/// Asserts that each event has rows or one refusal, and that no row stands where it cannot be right.
fn account_for(parsed: &Parsed, events: usize, received_at: bool) {
    let told: BTreeSet<u32> = parsed.context.iter().map(|row| row.raw_ref.row).collect();
    let refused: Vec<u32> =
        parsed.refused.iter().map(|row| row.row).filter(|row| !told.contains(row)).collect();
    let lost: BTreeSet<u32> = refused.iter().copied().collect();
    assert_eq!(refused.len(), lost.len(), "an event without rows is refused once: {:?}", parsed.refused);
    assert_eq!(told.len() + lost.len(), events);
    for line in &parsed.lines {
        assert!(
            line.captured_at < line.game.start_time
                && line.points.is_some() == (line.market != Market::Moneyline)
        );
        assert!(told.contains(&line.raw_ref.row));
    }
    for result in &parsed.results {
        assert!(received_at || result.known_at >= result.game.start_time);
        assert!(told.contains(&result.raw_ref.row));
    }
}

#[test]
fn a_damaged_scoreboard_loses_nothing_and_stops_nobody() {
    let mut rng = ChaCha8Rng::seed_from_u64(401_671_641);
    let whole = json!({"events": [
        scheduled(json!([offer()])),
        with_odds(event("2", "STATUS_FINAL", "post", ["3", "1"]), json!([offer(), null])),
        event("3", "STATUS_FINAL_PEN", "post", ["0", "0"]),
    ]});
    let sources = [espn("soccer/eng.1"), espn("football/nfl")];
    let (mut read, mut refused) = (0, 0);
    for round in 0..2_000 {
        let mut document = whole.clone();
        for _ in 0..rng.random_range(1..6) {
            damage(&mut document, &mut rng);
        }
        let mut payload = Payload::new("scoreboard.json", "json", document.to_string());
        payload.received_at = (round % 3 == 0).then(|| at("2024-11-10T12:00:00Z"));
        match sources[round % 2].parse(&payload, &"hash".into()) {
            Ok(parsed) => {
                let events = document.as_array().or(document["events"].as_array()).map_or(1, Vec::len);
                account_for(&parsed, events, payload.received_at.is_some());
                read += 1;
            }
            Err(error) => {
                assert!(matches!(error, DataError::Payload { .. }), "{error}");
                assert!(error.to_string().contains("scoreboard.json"));
                refused += 1;
            }
        }
    }
    assert!(read > 1_500 && refused > 10, "{read} {refused}");
}

#[test]
fn real_answers_are_read() {
    let Some(data) = real_data("real_answers_are_read") else { return };
    let samples = data.join("api-samples");
    // Lines, results, context, refusals.
    for (file, sport, expected) in [
        ("espn_events/espn_event_nfl_scheduled_with_odds_2024.json", "football/nfl", [2, 0, 1, 0]),
        ("espn_events/espn_event_nfl_final_2024.json", "football/nfl", [0, 1, 1, 0]),
        ("espn_events/espn_event_nba_scheduled_with_odds_2024.json", "basketball/nba", [2, 0, 1, 0]),
        ("espn_events/espn_event_nba_scheduled_with_odds_2024b.json", "basketball/nba", [2, 0, 1, 0]),
        ("espn_events/espn_event_soccer_final_2024.json", "soccer/uefa.champions", [0, 1, 1, 0]),
        ("espn_scoreboard_soccer_two_events.json", "soccer/fifa.world", [0, 2, 2, 0]),
        ("espn_scoreboard_soccer_full_day.json.gz", "soccer/fifa.world", [0, 32, 32, 0]),
        ("fixtures/espn_scoreboard.json", "basketball/wnba", [0, 2, 2, 0]),
        ("fixtures/espn_scoreboard_allstar.json", "basketball/wnba", [0, 0, 0, 1]),
        ("fixtures/espn_scoreboard_nba.json", "basketball/nba", [0, 0, 1, 0]),
        ("fixtures/espn_scoreboard_wnba_min_lynx.json", "basketball/wnba", [0, 0, 1, 0]),
    ] {
        let location = Location::new([samples.join(file).display().to_string()]);
        let league = Espn::league("x", sport, None, None).unwrap();
        let source = Espn::new(league, Some(location), sport, Espn::LEADS).unwrap();
        let payload = source.fetch(&Pull::new(at("2026-08-01T00:00:00Z"))).unwrap().remove(0);
        let parsed = source.parse(&payload, &"hash".into()).unwrap();
        let counts = [parsed.lines.len(), parsed.results.len(), parsed.context.len(), parsed.refused.len()];
        assert_eq!(counts, expected, "{file}: {:?}", reasons(&parsed));
        assert_eq!(parsed.events.len(), parsed.context.len(), "{file}");
    }
}

#[test]
fn real_games_after_extra_time_stand_as_after_90_minutes() {
    let Some(data) = real_data("real_games_after_extra_time_stand_as_after_90_minutes") else { return };
    let path = data.join("api-samples/espn_scoreboard_soccer_full_day.json.gz").display().to_string();
    let payload = Pull::new(at("2026-08-01T00:00:00Z")).location(&Location::new([path])).unwrap().remove(0);
    let parsed = espn("soccer/fifa.world").parse(&payload, &"hash".into()).unwrap();
    let score = |home: &str, away: &str| {
        let row = parsed
            .results
            .iter()
            .find(|row| row.game.home.as_str() == home && row.game.away.as_str() == away);
        row.map(|row| (row.home_score, row.away_score)).unwrap()
    };
    assert_eq!(score("Belgium", "Senegal"), (2, 2), "3-2 after extra time");
    assert_eq!(score("Spain", "Argentina"), (0, 0), "1-0 after extra time");
    assert_eq!(score("Germany", "Paraguay"), (1, 1), "on penalties");
}
