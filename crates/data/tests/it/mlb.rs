//! Eight days of baseball, replayed snapshot by snapshot from raw answers of The Odds API.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use data::{
    Columns, CsvFile, CsvSettings, Lake, Leads, League, Location, Nflverse, Pull, Source, TheOddsApi,
};
use market::{GameId, LineRow, Timestamp};

use crate::support::{at, folder, lake, real_data};

fn league() -> League {
    TheOddsApi::league("mlb", "baseball_mlb", None, None).unwrap()
}

fn odds(path: &Path) -> TheOddsApi {
    let stored = Location::new([path.to_str().unwrap()]);
    TheOddsApi::new(league(), "baseball_mlb").unwrap().stored(stored)
}

fn results(data: &Path) -> CsvFile {
    let column = |name: &str| Some(name.to_owned());
    let columns = Columns {
        event: column("game_pk"),
        number: column("game_number"),
        start: column("start_time_utc"),
        date: column("game_date_et"),
        home: column("home_team"),
        away: column("away_team"),
        status: column("status"),
        home_score: column("home_score"),
        away_score: column("away_score"),
        ..Columns::default()
    };
    let path = data.join("mlb/games_2026-07-31_to_2026-08-07.csv");
    let settings = CsvSettings { columns, season_starts: 1, ..CsvSettings::default() };
    let leads: Leads = Nflverse::LEADS;
    CsvFile::new(league(), Location::new([path.to_str().unwrap()]), settings, leads).unwrap()
}

/// Every snapshot in the order in which it was taken.
fn snapshots(data: &Path) -> Vec<std::path::PathBuf> {
    let order = ["open", "midday", "pregame", "close"];
    let root = data.join("mlb/odds_api_raw_2026");
    let mut days: Vec<_> = std::fs::read_dir(root).unwrap().map(|day| day.unwrap().path()).collect();
    days.sort();
    let of = |day: &std::path::PathBuf| order.map(|name| day.join(format!("{name}.json.gz")));
    days.iter().flat_map(of).filter(|path| path.exists()).collect()
}

/// When the newest price of a snapshot was seen.
fn newest_capture(path: &Path) -> Timestamp {
    let source = odds(path);
    let payload = source.fetch(&Pull::new(at("2026-08-08T09:00:00Z"))).unwrap().remove(0);
    let parsed = source.parse(&payload, &"hash".into()).unwrap();
    parsed.context.iter().map(|row| row.known_at).max().unwrap()
}

/// The games that start within a day of an as-of, with the prices known then.
fn slate(lake: &Lake, as_of: Timestamp) -> BTreeMap<GameId, Vec<LineRow>> {
    let snapshot = lake.snapshot(&[league()], as_of).unwrap();
    let tomorrow = as_of + jiff::SignedDuration::from_hours(24);
    let mut games: BTreeMap<GameId, Vec<LineRow>> = BTreeMap::new();
    for row in snapshot.lines.into_iter().filter(|row| (as_of..tomorrow).contains(&row.game.start_time)) {
        games.entry(row.game.game_id.clone()).or_default().push(row);
    }
    games
}

/// The instant after a snapshot, its name, and what it and those before it say about the next 24 hours.
type Replayed = (Timestamp, String, BTreeMap<GameId, Vec<LineRow>>);

/// Replays every snapshot and returns the slate after each, and what was taken and refused in all, in words.
fn replay(data: &Path, lake: &Lake) -> (Vec<Replayed>, String) {
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut slates = Vec::new();
    let mut findings = BTreeSet::new();
    let (mut added, mut known) = (0, 0);
    for path in snapshots(data) {
        let report = lake.ingest(&odds(&path), at("2026-08-08T09:00:00Z")).unwrap();
        added += report.rows_added.lines;
        known += report.already_known;
        for (reason, count) in report.refused {
            *refused.entry(reason).or_default() += count;
        }
        findings.extend(report.findings.iter().map(ToString::to_string));
        let as_of = newest_capture(&path) + jiff::SignedDuration::from_secs(1);
        let games = slate(lake, as_of);
        assert!(
            games
                .values()
                .flatten()
                .all(|row| row.captured_at < as_of && row.captured_at < row.game.start_time)
        );
        let name = path.file_name().unwrap().to_str().unwrap().trim_end_matches(".json.gz").to_owned();
        slates.push((as_of, name, games));
    }
    (slates, format!("{added} prices, {known} known already, refused {refused:#?}, findings {findings:#?}"))
}

#[test]
fn a_week_of_snapshots_gives_each_days_slate_and_accounts_for_every_game() {
    let Some(data) = real_data("a_week_of_snapshots_gives_each_days_slate_and_accounts_for_every_game")
    else {
        return;
    };
    let folder = folder();
    let lake = lake(&folder);
    let (slates, told) = replay(&data, &lake);
    let report = lake.ingest(&results(&data), at("2026-08-08T09:00:00Z")).unwrap();
    assert_eq!((report.rows_added.results, report.rows_added.context > 0), (98, true));
    assert!(report.refused.is_empty(), "{:?}", report.refused);

    let whole = lake.snapshot(&[league()], at("2026-09-01T00:00:00Z")).unwrap();
    assert!(whole.lines.iter().all(|row| row.captured_at < row.game.start_time), "no in-play price");
    let priced: BTreeSet<&GameId> = whole.lines.iter().map(|row| &row.game.game_id).collect();
    let played: BTreeSet<&GameId> = whole.results.iter().map(|row| &row.game.game_id).collect();
    let scheduled: BTreeSet<&GameId> = whole
        .context
        .iter()
        .filter(|row| row.source.as_str() == "csv")
        .map(|row| &row.game.game_id)
        .collect();
    let all: BTreeSet<&GameId> = whole.context.iter().map(|row| &row.game.game_id).collect();
    assert_eq!((scheduled.len(), played.len()), (109, 98));

    let shown: Vec<String> = slates
        .iter()
        .map(|(as_of, name, games)| {
            let prices = games.values().map(Vec::len).sum::<usize>();
            let with_result = games.keys().filter(|game| played.contains(game)).count();
            format!("{as_of} {name}: {} games, {prices} prices, {with_result} of them played", games.len())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    2026-08-01T02:49:58Z open: 15 games, 790 prices, 15 of them played
    2026-08-01T14:53:22Z open: 15 games, 1596 prices, 15 of them played
    2026-08-01T16:26:32Z midday: 15 games, 2404 prices, 15 of them played
    2026-08-01T21:10:35Z pregame: 25 games, 2708 prices, 25 of them played
    2026-08-02T14:53:56Z open: 15 games, 1192 prices, 15 of them played
    2026-08-02T16:26:46Z midday: 15 games, 2000 prices, 15 of them played
    2026-08-02T21:10:56Z pregame: 1 games, 194 prices, 1 of them played
    2026-08-03T15:30:51Z open: 8 games, 682 prices, 8 of them played
    2026-08-03T16:54:56Z midday: 8 games, 1114 prices, 8 of them played
    2026-08-03T21:16:04Z pregame: 8 games, 1546 prices, 8 of them played
    2026-08-04T15:22:43Z open: 15 games, 960 prices, 15 of them played
    2026-08-04T16:43:15Z midday: 15 games, 1770 prices, 15 of them played
    2026-08-04T21:17:58Z pregame: 19 games, 2656 prices, 19 of them played
    2026-08-05T15:21:04Z open: 15 games, 1142 prices, 15 of them played
    2026-08-05T16:39:13Z midday: 15 games, 1952 prices, 15 of them played
    2026-08-05T22:00:24Z pregame: 17 games, 2154 prices, 17 of them played
    2026-08-07T00:59:13Z pregame: 9 games, 450 prices, 8 of them played
    2026-08-07T15:26:56Z open: 15 games, 1258 prices, 15 of them played
    2026-08-07T16:59:26Z midday: 15 games, 2058 prices, 15 of them played
    2026-08-07T21:23:53Z pregame: 18 games, 2960 prices, 15 of them played
    ");
    let unpriced: Vec<String> = scheduled.difference(&priced).map(ToString::to_string).collect();
    insta::assert_snapshot!(unpriced.join("\n"), @r"
    mlb_2026-07-31_athletics_detroit-tigers
    mlb_2026-07-31_atlanta-braves_washington-nationals
    mlb_2026-07-31_baltimore-orioles_philadelphia-phillies
    mlb_2026-07-31_chicago-cubs_new-york-yankees
    mlb_2026-07-31_cincinnati-reds_pittsburgh-pirates
    mlb_2026-07-31_cleveland-guardians_arizona-diamondbacks
    mlb_2026-07-31_colorado-rockies_kansas-city-royals
    mlb_2026-07-31_houston-astros_texas-rangers
    mlb_2026-07-31_los-angeles-angels_milwaukee-brewers
    mlb_2026-07-31_los-angeles-dodgers_boston-red-sox
    mlb_2026-07-31_new-york-mets_miami-marlins
    mlb_2026-07-31_san-diego-padres_san-francisco-giants
    mlb_2026-07-31_seattle-mariners_minnesota-twins
    mlb_2026-07-31_tampa-bay-rays_chicago-white-sox
    mlb_2026-07-31_toronto-blue-jays_st-louis-cardinals
    ");
    let unscheduled: Vec<String> = all.difference(&scheduled).map(ToString::to_string).collect();
    insta::assert_snapshot!(unscheduled.join("\n"), @r"
    mlb_2026-08-08_arizona-diamondbacks_los-angeles-dodgers
    mlb_2026-08-08_boston-red-sox_athletics
    mlb_2026-08-08_chicago-white-sox_cleveland-guardians
    mlb_2026-08-08_kansas-city-royals_chicago-cubs
    mlb_2026-08-08_miami-marlins_los-angeles-angels
    mlb_2026-08-08_milwaukee-brewers_minnesota-twins
    mlb_2026-08-08_new-york-yankees_atlanta-braves
    mlb_2026-08-08_philadelphia-phillies_toronto-blue-jays
    mlb_2026-08-08_pittsburgh-pirates_new-york-mets
    mlb_2026-08-08_san-diego-padres_houston-astros
    mlb_2026-08-08_san-francisco-giants_detroit-tigers
    mlb_2026-08-08_seattle-mariners_tampa-bay-rays
    mlb_2026-08-08_st-louis-cardinals_colorado-rockies
    mlb_2026-08-08_texas-rangers_baltimore-orioles
    mlb_2026-08-08_washington-nationals_cincinnati-reds
    ");
    insta::assert_snapshot!(told, @r#"
    15346 prices, 0 known already, refused {
        "moneyline: the price is in-play": 111,
        "spread: the price is in-play": 144,
        "total: the price is in-play": 147,
    }, findings {}
    "#);
}
