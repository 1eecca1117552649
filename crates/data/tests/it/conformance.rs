//! What every source promises, whatever it reads.

use data::{
    Columns, CsvFile, CsvSettings, DataError, DemoSource, Espn, FootballData, League, Location, Nflverse,
    Parsed, Payload, Pull, Source, TheOddsApi,
};
use market::{Market, Name};

use crate::support::{at, folder, lake, write};

const FOOTBALL: &str = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,Referee,B365H,B365D,B365A,AvgH,AvgD,AvgA\n\
    E0,14/10/2022,20:00,Brentford,Brighton,2,0,H,M Oliver,3.1,3.4,2.3,3.0,3.4,2.35\n\
    E0,15/10/2022,15:00,Fulham,Bournemouth,,,,,1.8,3.6,4.5,,,\n";
const NFL: &str = "season,gameday,gametime,game_type,week,away_team,away_score,home_team,home_score,location,away_moneyline,home_moneyline,spread_line,away_spread_odds,home_spread_odds,total_line,under_odds,over_odds,roof,stadium\n\
    2021,2021-11-11,20:20,REG,10,BAL,10,MIA,22,Home,-360,280,-8,-110,-110,46.5,-110,-110,outdoors,Hard Rock Stadium\n";
const CSV: &str = "day,h,a,hs,as,hp,ap\n2022-10-14,Ajax,Bath,3,1,1.9,1.95\n2022-10-15,Cork,Derby,,,2.1,1.8\n";
const ODDS: &str = r#"[{"id":"7","commence_time":"2026-08-05T18:10:00Z","home_team":"Astros","away_team":"Jays","bookmakers":[{"key":"fanduel","last_update":"2026-08-05T15:21:03Z","markets":[{"key":"totals","outcomes":[{"name":"Under","price":1.9,"point":8.5},{"name":"Over","price":1.95,"point":8.5}]}]}]}]"#;
const BOARD: &str = r#"{"events":[{"id":"7","date":"2024-11-10T18:00Z","season":{"year":2024},"status":{"type":{"name":"STATUS_FINAL","state":"post","completed":true}},"competitions":[{"competitors":[{"homeAway":"home","score":"20","team":{"displayName":"Commanders"}},{"homeAway":"away","score":"17","team":{"displayName":"Steelers"}}]}]}]}"#;

/// Every source with a payload that it can read.
fn all() -> Vec<(Box<dyn Source>, Payload)> {
    let column = |name: &str| Some(name.to_owned());
    let columns = Columns {
        date: column("day"),
        home: column("h"),
        away: column("a"),
        home_score: column("hs"),
        away_score: column("as"),
        home_price: column("hp"),
        away_price: column("ap"),
        ..Columns::default()
    };
    let nowhere = || Location::new(["nowhere"]);
    let football = FootballData::league("epl", "Europe/London").unwrap();
    let settings = CsvSettings { columns, ..CsvSettings::default() };
    let csv = CsvFile::league("csv", false, "UTC").unwrap();
    let mlb = TheOddsApi::league("mlb", "baseball_mlb", None, None).unwrap();
    let espn = Espn::league("nfl", "football/nfl", None, None).unwrap();
    let demo = DemoSource::new(DemoSource::league("demo").unwrap(), 2);
    let of_demo = demo.fetch(&Pull::new(at("2024-03-01T09:00:00Z"))).unwrap().remove(1);
    vec![
        (
            Box::new(FootballData::new(football, nowhere(), FootballData::LEADS).unwrap()),
            Payload::new("E0.csv", "csv", FOOTBALL),
        ),
        (
            Box::new(Nflverse::new(Nflverse::league("nfl").unwrap(), nowhere(), Nflverse::LEADS).unwrap()),
            Payload::new("games.csv", "csv", NFL),
        ),
        (
            Box::new(CsvFile::new(csv, nowhere(), settings, CsvFile::LEADS).unwrap()),
            Payload::new("games.csv", "csv", CSV),
        ),
        (Box::new(TheOddsApi::new(mlb, "baseball_mlb").unwrap()), Payload::new("odds.json", "json", ODDS)),
        (
            Box::new(Espn::new(espn, None, "football/nfl", Espn::LEADS).unwrap()),
            Payload::new("scoreboard.json", "json", BOARD),
        ),
        (Box::new(demo), of_demo),
    ]
}

#[test]
fn every_source_keeps_the_promises_of_the_trait() {
    for (source, payload) in all() {
        let id = source.id().to_owned();
        let hash = Name::from("c0ffee");
        let parsed = source.parse(&payload, &hash).unwrap();
        assert_eq!(parsed, source.parse(&payload, &hash).unwrap(), "{id}: the same bytes give the same rows");
        let Parsed { lines, results, context, events, refused } = &parsed;
        assert!(!lines.is_empty() || !results.is_empty(), "{id}");
        // The demo league has a few bad rows on purpose.
        assert!(refused.is_empty() || id == "demo", "{id}: {refused:?}");
        for row in lines {
            assert_eq!((row.source.as_str(), &row.raw_ref.payload), (id.as_str(), &hash));
            assert!(row.captured_at < row.game.start_time, "{id}: {row:?}");
            assert_eq!(row.points.is_none(), row.market == Market::Moneyline, "{id}: {row:?}");
        }
        for row in results {
            assert!(row.known_at > row.game.start_time && row.source.as_str() == id, "{id}: {row:?}");
        }
        assert!(context.iter().all(|row| row.source.as_str() == id));
        let league = source.league();
        let games = lines
            .iter()
            .map(|row| &row.game)
            .chain(results.iter().map(|row| &row.game))
            .chain(context.iter().map(|row| &row.game));
        for game in games {
            assert!(game.league == league.id && game.home != game.away, "{id}: {game:?}");
            assert!((1900..2100).contains(&game.season), "{id}: {game:?}");
        }
        assert!(events.keys().all(|game| game.as_str().starts_with(&format!("{id}:"))
            || game.as_str().starts_with(league.id.as_str())));
    }
}

#[test]
fn every_source_refuses_what_is_not_its_own() {
    for (source, payload) in all() {
        let id = source.id().to_owned();
        for bytes in [
            "",
            "  \n",
            "<html><body>maintenance</body></html>",
            "\0\u{1}\u{2}",
            "{\"message\": \"no\"}",
            "a,b,c\n1,2,3\n",
        ] {
            let foreign = Payload::new(payload.name.as_str(), payload.extension.as_str(), bytes);
            let error = source.parse(&foreign, &"hash".into()).unwrap_err();
            assert!(error.to_string().contains(&payload.name), "{id}: {error}");
            assert!(
                matches!(error, DataError::Payload { .. } | DataError::MissingColumns { .. }),
                "{id}: {error:?}"
            );
        }
    }
}

/// Payloads from a file, so that any source can be pulled into a lake.
struct FromFile {
    source: Box<dyn Source>,
    location: Location,
}

impl Source for FromFile {
    fn id(&self) -> &str {
        self.source.id()
    }

    fn league(&self) -> &League {
        self.source.league()
    }

    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        pull.location(&self.location)
    }

    fn parse(&self, payload: &Payload, hash: &Name) -> Result<Parsed, DataError> {
        self.source.parse(payload, hash)
    }
}

#[test]
fn every_source_goes_into_the_lake_once_and_can_be_rebuilt() {
    for (source, payload) in all() {
        let folder = folder();
        let path = write(&folder, &payload.name, &payload.bytes);
        let id = source.id().to_owned();
        let rows = source.parse(&payload, &"hash".into()).unwrap();
        let source = FromFile { source, location: Location::new([path]) };
        let lake = lake(&folder);
        let first = lake.ingest(&source, at("2026-09-01T09:00:00Z")).unwrap();
        let given = rows.lines.len() + rows.results.len() + rows.context.len();
        // What the parser refused is none of the rows that it gave.
        let refused = first.refused.values().sum::<usize>() - rows.refused.len();
        assert_eq!(
            first.rows_added.total() + first.already_known + refused,
            given,
            "{id}: {:?}",
            first.refused
        );
        let again = lake.ingest(&source, at("2026-09-02T09:00:00Z")).unwrap();
        assert_eq!((again.rows_added.total(), again.already_known), (0, given), "{id}");
        let leagues = [source.league().clone()];
        let before = lake.snapshot(&leagues, at("2030-01-01T00:00:00Z")).unwrap();
        lake.rebuild(&[(&source, &data::Aliases::default())]).unwrap();
        let after = lake.snapshot(&leagues, at("2030-01-01T00:00:00Z")).unwrap();
        assert_eq!(
            (before.lines, before.results, before.context),
            (after.lines, after.results, after.context),
            "{id}"
        );
    }
}

#[test]
fn every_source_says_its_assumptions_and_notices_other_settings() {
    let mut settings = std::collections::BTreeSet::new();
    for (source, _) in all() {
        assert!(
            source.assumptions().iter().all(|text| !text.ends_with('.') && text.len() > 20),
            "{}",
            source.id()
        );
        if source.id() != "demo" {
            assert!(!source.assumptions().is_empty(), "{}", source.id());
            assert!(settings.insert(source.settings()), "{}", source.id());
        }
    }
}
