//! The real files, with their known counts.

use std::{collections::BTreeMap, time::Instant};

use data::{FootballData, Lake, Leads, Location, Nflverse, Pull, Snapshot, Source};
use market::{Market, Timestamp};

use crate::support::{at, folder, lake, real_data};

/// Pulls a source twice, reads it back and says how long each took.
fn round_trip(source: &dyn Source, lake: &Lake, as_of: Timestamp) -> Snapshot {
    let clock = Instant::now();
    let report = lake.ingest(source, as_of).unwrap();
    let first = clock.elapsed();
    let again = lake.ingest(source, as_of).unwrap();
    let second = clock.elapsed().saturating_sub(first);
    assert_eq!((again.rows_added.total(), again.new_payloads), (0, 0));
    let clock = Instant::now();
    let snapshot = lake.snapshot(&[source.league().clone()], at("2030-01-01T00:00:00Z")).unwrap();
    let days = (jiff::civil::date(2000, 1, 1), jiff::civil::date(2030, 1, 1));
    for row in
        lake.quarantined(days.0, days.1).unwrap().iter().filter(|row| row.reason.starts_with("spread: the h"))
    {
        eprintln!("{} | {}", row.reason, row.text);
    }
    eprintln!(
        "{:#?} {}: first pull {first:.2?}, second {second:.2?}, snapshot {:.2?} of {:?}; refused {:#?}",
        report.findings,
        source.league().id,
        clock.elapsed(),
        report.rows_added,
        report.refused
    );
    let averages = lake.averages(source.league(), at("2030-01-01T00:00:00Z")).unwrap();
    assert_eq!(snapshot.lines.len() + averages.len(), report.rows_added.lines);
    assert!(report.refused.values().sum::<usize>() * 1000 < report.rows_added.total());
    snapshot
}

/// Nothing at or after the as-of, and everything before it.
fn assert_cut(lake: &Lake, snapshot: &Snapshot, as_of: Timestamp) {
    let cut = lake.snapshot(&snapshot.leagues, as_of).unwrap();
    let expected = snapshot.before(as_of);
    assert!(
        cut.lines == expected.lines && cut.results == expected.results && cut.context == expected.context
    );
    assert!(!cut.lines.is_empty() && cut.lines.len() < snapshot.lines.len());
}

#[test]
fn every_season_of_the_nfl_is_read() {
    let Some(folder_of_data) = real_data("every_season_of_the_nfl_is_read") else { return };
    let path = folder_of_data.join("nfl/games_1999-2021.csv");
    let league = Nflverse::league("nfl").unwrap();
    let source = Nflverse::new(league, Location::new([path.to_str().unwrap()]), Nflverse::LEADS).unwrap();
    let folder = folder();
    let lake = lake(&folder);
    let snapshot = round_trip(&source, &lake, at("2021-11-11T14:00:00Z"));
    assert_eq!(snapshot.results.len(), 6137);
    assert_eq!(snapshot.context.len(), 2 * 6137);
    // 4,156 priced moneylines but for one with an overround of -1.9 %, 4,156 spreads, 4,153 totals, two sides each.
    let count = |market| snapshot.lines.iter().filter(|row| row.market == market).count();
    assert_eq!([Market::Moneyline, Market::Spread, Market::Total].map(count), [2 * 4155, 2 * 4156, 2 * 4153]);
    let teams: std::collections::BTreeSet<_> = snapshot.results.iter().map(|row| &row.game.home).collect();
    assert_eq!(teams.len(), 32, "35 codes, three franchises moved");
    assert_cut(&lake, &snapshot, at("2021-11-11T14:00:00Z"));
}

#[test]
fn every_season_of_english_football_is_read() {
    let Some(folder_of_data) = real_data("every_season_of_english_football_is_read") else { return };
    let path = folder_of_data.join("soccer/E0/E0_*.csv.gz");
    let league = FootballData::league("epl", "Europe/London").unwrap();
    let source = FootballData::new(league, Location::new([path.to_str().unwrap()]), FootballData::LEADS)
        .unwrap()
        .division("E0");
    let folder = folder();
    let lake = lake(&folder);
    let snapshot = round_trip(&source, &lake, at("2022-10-14T09:00:00Z"));
    assert_eq!(snapshot.results.len(), 24 * 380);
    let mut games: BTreeMap<i32, usize> = BTreeMap::new();
    for row in &snapshot.results {
        *games.entry(row.game.season).or_default() += 1;
    }
    assert!(games.values().all(|count| *count == 380) && games.len() == 24, "{games:?}");
    // Counted apart from this code over the same columns, averages included; a few wrong markets are refused, among them
    // four handicaps of 2003 to 2005 that contradict their own moneyline.
    let averages = lake.averages(source.league(), snapshot.as_of).unwrap();
    let count = |market| snapshot.lines.iter().chain(&averages).filter(|row| row.market == market).count();
    assert_eq!([Market::Moneyline, Market::Spread, Market::Total].map(count), [260_142, 33_268 - 8, 33_152]);
    let teams: std::collections::BTreeSet<_> = snapshot.results.iter().map(|row| &row.game.home).collect();
    assert!((40..60).contains(&teams.len()), "{} teams", teams.len());
    assert_cut(&lake, &snapshot, at("2022-10-14T09:00:00Z"));
}

#[test]
fn every_league_of_the_football_layout_is_read() {
    let Some(folder_of_data) = real_data("every_league_of_the_football_layout_is_read") else { return };
    let mut games = 0;
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for division in ["D1", "E1", "F1", "I1", "N1", "P1", "SP1"] {
        let path = folder_of_data.join("soccer").join(division);
        let league = FootballData::league(&division.to_lowercase(), "Europe/Paris").unwrap();
        let leads = Leads { ..FootballData::LEADS };
        let source = FootballData::new(league, Location::new([path.to_str().unwrap()]), leads).unwrap();
        for payload in source.fetch(&Pull::new(at("2023-01-01T00:00:00Z"))).unwrap() {
            let parsed = source.parse(&payload, &"hash".into()).unwrap();
            let seasons: std::collections::BTreeSet<_> =
                parsed.results.iter().map(|row| row.game.season).collect();
            assert_eq!(seasons.len(), 1, "{}", payload.name);
            games += parsed.results.len();
            for row in parsed.refused {
                *refused.entry(row.reason).or_default() += 1;
            }
        }
    }
    eprintln!("games {games}; refused {refused:#?}");
    // 49,855 in all leagues, 9,120 of them in E0.
    assert_eq!(games, 49_855 - 9_120);
}
