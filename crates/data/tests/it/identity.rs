//! One game from several sources is one game, and what is not certain is not merged.

use std::sync::Arc;

use data::{Aliases, Event, IngestReport, Lake, Parsed};
use market::{Game, GameId, Name};

use crate::support::{ByHand, at, context, folder, game, lake, line, result};

const UNTIL: &str = "2022-10-31T09:00:00Z";
const EARLY: &str = "2022-09-20T09:00:00Z";

fn schedule(games: &[Arc<Game>]) -> Parsed {
    let mut parsed = Parsed::default();
    for (row, game) in (0_u32..).zip(games) {
        let mut row_of = context(game, at(EARLY));
        row_of.raw_ref.row = row;
        parsed.context.push(row_of);
    }
    parsed
}

/// A game under the source's own id.
fn named(id: &str, game: &Arc<Game>) -> Arc<Game> {
    Arc::new(Game { game_id: GameId::from_text(id), ..(**game).clone() })
}

fn with_events(mut parsed: Parsed) -> Parsed {
    for row in &parsed.context {
        let id = row.game.game_id.clone();
        parsed.events.insert(id.clone(), Event { id: Some(Name::from(id.as_str())), number: None });
    }
    parsed
}

fn ids(lake: &Lake) -> Vec<String> {
    let leagues = lake.leagues().unwrap();
    let snapshot = lake.snapshot(&leagues, at("2023-01-01T00:00:00Z")).unwrap();
    let mut ids: Vec<String> = snapshot
        .context
        .iter()
        .map(|row| format!("{} {} {}", row.game.game_id, row.source, row.game.start_time))
        .collect();
    ids.sort();
    ids
}

fn refusals(lake: &Lake) -> String {
    let days = (jiff::civil::date(2022, 1, 1), jiff::civil::date(2022, 12, 31));
    let rows = lake.quarantined(days.0, days.1).unwrap();
    rows.iter().map(|row| format!("{} | {}", row.reason, row.text)).collect::<Vec<_>>().join("\n")
}

fn second(lake: &Lake, parsed: Parsed, aliases: &str) -> IngestReport {
    let source = ByHand::new(parsed, "second").by("other");
    lake.ingest_with(&source, at(UNTIL), &Aliases::parse(aliases).unwrap()).unwrap()
}

fn first(folder: &tempfile::TempDir, games: &[Arc<Game>]) -> Lake {
    let lake = lake(folder);
    lake.ingest(&ByHand::new(schedule(games), "first"), at(UNTIL)).unwrap();
    lake
}

#[test]
fn spellings_that_differ_in_case_accents_and_points_are_one_team() {
    let folder = folder();
    let lake = first(&folder, &[game(1, "1. FC Köln", "St. Pauli")]);
    let report = second(&lake, schedule(&[game(1, "1 FC Koln", "ST PAULI")]), "");
    assert_eq!((report.rows_added.context, report.refused.len()), (1, 0));
    insta::assert_snapshot!(ids(&lake).join("\n"), @r"
    hand_2022-10-01_1-fc-koln_st-pauli by_hand 2022-10-01T19:00:00Z
    hand_2022-10-01_1-fc-koln_st-pauli other 2022-10-01T19:00:00Z
    ");
}

#[test]
fn an_unknown_name_is_refused_with_the_line_that_settles_it() {
    let folder = folder();
    let lake = first(&folder, &[game(1, "Man United", "Leeds"), game(1, "Man City", "Everton")]);
    let report =
        second(&lake, schedule(&[game(1, "Manchester United", "Leeds"), game(1, "Man City", "Zamora")]), "");
    assert_eq!(report.rows_added.total(), 0);
    insta::assert_snapshot!(refusals(&lake), @r"
    a team's name is unknown in this league | `Manchester United`: add `Manchester United,Man United` to the alias file if it is that team, `Manchester United,Manchester United` if it is a new one
    a team's name is unknown in this league | `Zamora`: add `Zamora,Everton` to the alias file if it is that team, `Zamora,Zamora` if it is a new one
    ");
    // The suggested lines, once reviewed, settle it.
    let aliases = "name,team\nManchester United,Man United\nZamora,Zamora\n";
    let again = ByHand::new(
        schedule(&[game(1, "Manchester United", "Leeds"), game(1, "Man City", "Zamora")]),
        "again",
    )
    .by("other");
    let report = lake.ingest_with(&again, at(UNTIL), &Aliases::parse(aliases).unwrap()).unwrap();
    assert_eq!((report.rows_added.context, report.refused.len()), (2, 0));
    assert!(ids(&lake).contains(&"hand_2022-10-01_man-united_leeds other 2022-10-01T19:00:00Z".to_owned()));
}

#[test]
fn a_game_that_moves_keeps_its_id_and_says_when_that_was_known() {
    let folder = folder();
    let lake = lake(&folder);
    let start = |day: i8| named("event-7", &game(day, "Ajax", "Bath"));
    let source = |day, bytes: &str| ByHand::new(with_events(schedule(&[start(day)])), bytes);
    lake.ingest(&source(1, "one"), at(UNTIL)).unwrap();
    lake.ingest(&source(9, "two"), at(UNTIL)).unwrap();
    insta::assert_snapshot!(ids(&lake).join("\n"), @r"
    hand_2022-10-01_ajax_bath by_hand 2022-10-01T19:00:00Z
    hand_2022-10-01_ajax_bath by_hand 2022-10-09T19:00:00Z
    ");
    let before = lake.snapshot(&lake.leagues().unwrap(), at("2022-10-31T00:00:00Z")).unwrap();
    assert_eq!(before.context.len(), 1, "the move was received on 1 November by the test's clock");
    // A result under the new date belongs to the old id.
    let mut parsed = Parsed::default();
    parsed.results.push(result(&game(9, "Ajax", "Bath"), (2, 1), at("2022-10-09T22:00:00Z")));
    second(&lake, parsed, "");
    let after = lake.snapshot(&lake.leagues().unwrap(), at("2023-01-01T00:00:00Z")).unwrap();
    assert_eq!(after.results[0].game.game_id.as_str(), "hand_2022-10-01_ajax_bath");
}

#[test]
fn two_games_on_a_day_are_two_games() {
    let folder = folder();
    let lake = lake(&folder);
    let early = game(1, "Ajax", "Bath");
    let late = Arc::new(Game {
        start_time: early.start_time + jiff::SignedDuration::from_hours(4),
        ..(*early).clone()
    });
    let both = with_events(schedule(&[named("z-first", &early), named("a-second", &late)]));
    lake.ingest(&ByHand::new(both, "one"), at(UNTIL)).unwrap();
    insta::assert_snapshot!(ids(&lake).join("\n"), @r"
    hand_2022-10-01_ajax_bath by_hand 2022-10-01T19:00:00Z
    hand_2022-10-01_ajax_bath_2 by_hand 2022-10-01T23:00:00Z
    ");
    // Another source tells them apart by number, and one more by the start.
    let mut numbered = schedule(&[named("n1", &early), named("n2", &late)]);
    numbered.events.insert(GameId::from_text("n2"), Event { id: None, number: Some(2) });
    numbered.events.insert(GameId::from_text("n1"), Event { id: None, number: Some(1) });
    second(&lake, numbered, "");
    let by_start =
        Parsed { results: vec![result(&late, (5, 4), at("2022-10-02T03:00:00Z"))], ..Parsed::default() };
    lake.ingest(&ByHand::new(by_start, "third").by("third"), at(UNTIL)).unwrap();
    let snapshot = lake.snapshot(&lake.leagues().unwrap(), at("2023-01-01T00:00:00Z")).unwrap();
    assert_eq!(snapshot.results[0].game.game_id.as_str(), "hand_2022-10-01_ajax_bath_2");
    let games: std::collections::BTreeSet<_> = snapshot.context.iter().map(|row| &row.game.game_id).collect();
    assert_eq!(games.len(), 2);
}

#[test]
fn what_another_source_says_otherwise_is_not_merged() {
    let folder = folder();
    let lake = first(&folder, &[game(1, "Ajax", "Bath"), game(5, "Cork", "Derby")]);
    let swapped = game(1, "Bath", "Ajax");
    let a_day_later = game(6, "Cork", "Derby");
    let far_away = game(20, "Cork", "Derby");
    let report = second(&lake, schedule(&[swapped, a_day_later, far_away]), "");
    assert_eq!(report.rows_added.context, 1, "a game two weeks later is another game");
    insta::assert_snapshot!(refusals(&lake), @r"
    home and away stand the other way round in another source | Bath against Ajax on 2022-10-01
    the date differs by a day from that of another source | Cork against Derby at 2022-10-06T19:00:00Z
    ");
}

#[test]
fn a_name_that_suddenly_changes_in_a_running_season_is_refused() {
    let folder = folder();
    let teams = ["Ajax", "Bath", "Cork", "Derby", "Sparta Prague", "Forli", "Genoa", "Hearts"];
    let season: Vec<_> =
        (1..=9).flat_map(|day: i8| (0..4).map(move |slot| game(day, teams[slot], teams[slot + 4]))).collect();
    let lake = first(&folder, &season);
    let renamed =
        ByHand::new(schedule(&[game(12, "Ajax", "AC Sparta Prague"), game(12, "Bath", "Forli")]), "renamed");
    let report = lake.ingest(&renamed, at(UNTIL)).unwrap();
    assert_eq!(report.rows_added.context, 1);
    insta::assert_snapshot!(refusals(&lake), @"a team's name is unknown in this league | `AC Sparta Prague`: add `AC Sparta Prague,Sparta Prague` to the alias file if it is that team, `AC Sparta Prague,AC Sparta Prague` if it is a new one");
    // A team that nobody resembles is simply new.
    let new = ByHand::new(schedule(&[game(13, "Ajax", "Zamora")]), "new");
    assert_eq!(lake.ingest(&new, at(UNTIL)).unwrap().rows_added.context, 1);
}

#[test]
fn an_id_that_now_means_other_teams_is_refused() {
    let folder = folder();
    let lake = lake(&folder);
    let of = |home: &str, bytes: &str| {
        ByHand::new(with_events(schedule(&[named("7", &game(1, home, "Bath"))])), bytes)
    };
    lake.ingest(&of("Ajax", "one"), at(UNTIL)).unwrap();
    lake.ingest(&of("Cork", "two"), at(UNTIL)).unwrap();
    insta::assert_snapshot!(refusals(&lake), @"the source's id is another game's | Cork against Bath under an id that was another game's");
}

#[test]
fn prices_of_two_sources_meet_in_one_game() {
    let folder = folder();
    let lake = first(&folder, &[game(1, "Ajax", "Bath")]);
    let priced = Parsed {
        lines: vec![line(&game(1, "AJAX", "bath"), 2.0, at("2022-10-01T09:00:00Z"))],
        ..Parsed::default()
    };
    second(&lake, priced, "");
    let snapshot = lake.snapshot(&lake.leagues().unwrap(), at("2023-01-01T00:00:00Z")).unwrap();
    assert_eq!(snapshot.lines[0].game.game_id, snapshot.context[0].game.game_id);
    assert_eq!(snapshot.lines[0].game.home.as_str(), "Ajax");
}
