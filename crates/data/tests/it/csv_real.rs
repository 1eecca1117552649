//! Real files, read by a mapping of their columns.

use data::{Columns, CsvFile, CsvSettings, Location, Nflverse, OddsFormat, Parsed, Pull, Source};

use crate::{
    csv_file::shown,
    support::{at, real_data, reasons},
};

/// Mappings of real files.
pub(crate) mod by_columns {
    use super::{Columns, CsvFile, CsvSettings, Location, OddsFormat};

    fn settings(text: &str) -> CsvSettings {
        serde_json::from_str(text).unwrap()
    }

    fn source(id: &str, settings: CsvSettings) -> CsvFile {
        let league = CsvFile::league(id, false, "America/New_York").unwrap();
        CsvFile::new(league, Location::new(["unused"]), settings, CsvFile::LEADS).unwrap()
    }

    pub(crate) fn elo() -> CsvFile {
        let columns = r#"{"columns": {"date": "date", "season": "season", "neutral": "neutral", "stage": "playoff",
            "home": "team1", "away": "team2", "home_score": "score1", "away_score": "score2"}}"#;
        source("nfl", settings(columns))
    }

    pub(crate) fn baseball() -> CsvFile {
        let columns = r#"{"season_starts": 1, "columns": {"start": "start_time_utc", "date": "game_date_et",
            "home": "home_team", "away": "away_team", "status": "status", "home_score": "home_score",
            "away_score": "away_score", "number": "game_number", "event": "game_pk"}}"#;
        source("mlb", settings(columns))
    }

    pub(crate) fn nfl() -> CsvFile {
        let name = |text: &str| Some(text.to_owned());
        let columns = Columns {
            date: name("gameday"),
            time: name("gametime"),
            season: name("season"),
            home: name("home_team"),
            away: name("away_team"),
            home_score: name("home_score"),
            away_score: name("away_score"),
            neutral: name("location"),
            venue: name("stadium"),
            roof: name("roof"),
            surface: name("surface"),
            home_coach: name("home_coach"),
            away_coach: name("away_coach"),
            home_player: name("home_qb_name"),
            away_player: name("away_qb_name"),
            referee: name("referee"),
            week: name("week"),
            stage: name("game_type"),
            home_price: name("home_moneyline"),
            away_price: name("away_moneyline"),
            spread: name("spread_line"),
            spread_home_price: name("home_spread_odds"),
            spread_away_price: name("away_spread_odds"),
            total: name("total_line"),
            over_price: name("over_odds"),
            under_price: name("under_odds"),
            ..Columns::default()
        };
        let settings = CsvSettings {
            columns,
            odds: OddsFormat::American,
            home_favoured_positive: true,
            ..CsvSettings::default()
        };
        source("nfl", settings)
    }
}

/// Reads a real file as a pull would.
fn read(source: &CsvFile, path: &std::path::Path) -> Parsed {
    let location = Location::new([path.to_str().unwrap()]);
    let payload = Pull::new(at("2027-01-01T00:00:00Z")).location(&location).unwrap().remove(0);
    source.parse(&payload, &"hash".into()).unwrap()
}

#[test]
fn a_century_of_elo_is_read() {
    let Some(data) = real_data("a_century_of_elo_is_read") else { return };
    let parsed = read(&by_columns::elo(), &data.join("nfl/fivethirtyeight_nfl_elo_1920-2020.csv.gz"));
    assert_eq!(reasons(&parsed), []);
    assert_eq!((parsed.results.len(), parsed.context.len(), parsed.lines.len()), (16_810, 16_810, 0));
    let neutral = parsed.context.iter().filter(|row| row.neutral == Some(true)).count();
    let playoff = parsed.context.iter().filter(|row| row.stage.as_ref().unwrap().as_str() == "1").count();
    assert_eq!((neutral, playoff), (92, 590));
}

#[test]
fn a_week_of_baseball_is_read() {
    let Some(data) = real_data("a_week_of_baseball_is_read") else { return };
    let parsed = read(&by_columns::baseball(), &data.join("mlb/games_2026-07-31_to_2026-08-07.csv"));
    assert_eq!(reasons(&parsed), []);
    // Ten games are under way and one is ahead.
    assert_eq!((parsed.context.len(), parsed.events.len(), parsed.results.len()), (109, 109, 98));
    assert!(parsed.context.iter().all(|row| row.game.season == 2026));
}

#[test]
fn a_mapping_reads_the_nfl_as_its_own_source_does() {
    let Some(data) = real_data("a_mapping_reads_the_nfl_as_its_own_source_does") else { return };
    let path = data.join("nfl/games_1999-2021.csv");
    let by_columns = read(&by_columns::nfl(), &path);
    let location = Location::new([path.to_str().unwrap()]);
    let nflverse = Nflverse::new(Nflverse::league("nfl").unwrap(), location, Nflverse::LEADS).unwrap();
    let payload = nflverse.fetch(&Pull::new(at("2022-01-01T00:00:00Z"))).unwrap().remove(0);
    let own = nflverse.parse(&payload, &"hash".into()).unwrap();
    assert_eq!(shown(&by_columns), shown(&own));
    assert_eq!(reasons(&by_columns), reasons(&own));
    let results = |parsed: &Parsed| -> Vec<_> {
        parsed
            .results
            .iter()
            .map(|row| (row.game.season, row.game.start_time, row.margin(), row.known_at))
            .collect()
    };
    assert_eq!(results(&by_columns), results(&own));
    let facts = |parsed: &Parsed| -> Vec<_> {
        let fact = |row: &market::ContextRow| {
            (
                row.neutral,
                row.venue.clone(),
                row.roof.clone(),
                row.home_player.clone(),
                row.week,
                row.known_at,
            )
        };
        parsed.context.iter().map(fact).collect()
    };
    assert_eq!(facts(&by_columns), facts(&own));
}
