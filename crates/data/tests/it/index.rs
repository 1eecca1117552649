//! The known numbers of the real data, found again in the lake: games, priced games, and how good the closing prices are.

use std::{collections::BTreeMap, path::Path};

use data::{Columns, CsvFile, CsvSettings, FootballData, Lake, Location, Nflverse, Snapshot, Source};
use market::{GameId, LineRow, Market, ResultRow, Selection};

use crate::support::{at, folder, lake, real_data};

const LEAGUES: [&str; 8] = ["E0", "E1", "D1", "SP1", "I1", "F1", "N1", "P1"];

/// Scores of a set of forecasts: natural log-loss and Brier, summed over outcomes.
#[derive(Default)]
struct Scores {
    games: usize,
    log_loss: f64,
    brier: f64,
}

impl Scores {
    fn add(&mut self, chances: &[f64], outcome: usize) {
        self.games += 1;
        self.log_loss -= chances[outcome].ln();
        let miss = |(index, chance): (usize, &f64)| (chance - f64::from(u8::from(index == outcome))).powi(2);
        self.brier += chances.iter().enumerate().map(miss).sum::<f64>();
    }

    fn told(&self, per_outcome: bool) -> String {
        let n = self.games as f64;
        let brier = if per_outcome { self.brier / 2.0 } else { self.brier } / n;
        format!("log-loss {:.4}, Brier {brier:.4} (n {})", self.log_loss / n, self.games)
    }
}

/// Moneylines by game, complete ones only, with the margin taken out in proportion.
fn no_vig<'a>(lines: impl Iterator<Item = &'a LineRow>, sides: &[Selection]) -> BTreeMap<GameId, Vec<f64>> {
    let mut prices: BTreeMap<GameId, BTreeMap<Selection, f64>> = BTreeMap::new();
    for row in lines.filter(|row| row.market == Market::Moneyline) {
        prices.entry(row.game.game_id.clone()).or_default().insert(row.selection, row.price.implied());
    }
    let whole = |(game, of_side): (GameId, BTreeMap<Selection, f64>)| {
        let implied = sides.iter().map(|side| of_side.get(side).copied()).collect::<Option<Vec<f64>>>()?;
        let sum: f64 = implied.iter().sum();
        Some((game, implied.iter().map(|chance| chance / sum).collect()))
    };
    prices.into_iter().filter_map(whole).collect()
}

fn outcome(result: &ResultRow, sides: usize) -> Option<usize> {
    match (result.margin().signum(), sides) {
        (1, _) => Some(0),
        (0, 3) => Some(1),
        (-1, sides) => Some(sides - 1),
        _ => None,
    }
}

fn pulled(lake: &Lake, source: &dyn Source) -> Snapshot {
    let report = lake.ingest(source, at("2026-09-01T00:00:00Z")).unwrap();
    let refused: usize = report.refused.values().sum();
    eprintln!(
        "{} from {}: {} files, {:?} stored, {} known before, {} corrected, {refused} refused {:#?}, {:#?}",
        report.league,
        report.source,
        report.payloads,
        report.rows_added,
        report.already_known,
        report.corrected,
        report.refused,
        report.findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    lake.snapshot(std::slice::from_ref(source.league()), at("2026-09-01T00:00:00Z")).unwrap()
}

#[test]
fn the_nfl_has_its_known_games_and_closing_scores() {
    let Some(data) = real_data("the_nfl_has_its_known_games_and_closing_scores") else { return };
    let path = data.join("nfl/games_1999-2021.csv");
    let league = Nflverse::league("nfl").unwrap();
    let source = Nflverse::new(league, Location::new([path.to_str().unwrap()]), Nflverse::LEADS).unwrap();
    let folder = folder();
    let snapshot = pulled(&lake(&folder), &source);
    let chances = no_vig(snapshot.lines.iter(), &[Selection::Home, Selection::Away]);
    let mut closing = Scores::default();
    for result in &snapshot.results {
        if let (Some(chances), Some(outcome)) = (chances.get(&result.game.game_id), outcome(result, 2)) {
            closing.add(chances, outcome);
        }
    }
    insta::assert_snapshot!(format!("{} games, {} priced, closing {}", snapshot.results.len(), chances.len(), closing.told(true)), @"6137 games, 4155 priced, closing log-loss 0.6101, Brier 0.2114 (n 4144)");
}

/// One league's closing and opening scores, added to those of the others.
fn soccer(data: &Path, league: &str, scores: &mut BTreeMap<&'static str, Scores>) -> usize {
    let path = data.join(format!("soccer/{league}/{league}_*.csv.gz"));
    let described = FootballData::league(&league.to_lowercase(), "Europe/London").unwrap();
    let source =
        FootballData::new(described, Location::new([path.to_str().unwrap()]), FootballData::LEADS).unwrap();
    let folder = folder();
    let lake = lake(&folder);
    let snapshot = pulled(&lake, &source);
    let averages = lake.averages(source.league(), snapshot.as_of).unwrap();
    let sides = [Selection::Home, Selection::Draw, Selection::Away];
    let pinnacle = |is_closing: bool| {
        let of_book = snapshot
            .lines
            .iter()
            .filter(move |row| row.book.as_str() == "pinnacle" && row.is_closing == is_closing);
        no_vig(of_book, &sides)
    };
    let (closing, opening) = (pinnacle(true), pinnacle(false));
    let average = no_vig(averages.iter().filter(|row| row.is_closing), &sides);
    for result in &snapshot.results {
        let (game, Some(outcome)) = (&result.game.game_id, outcome(result, 3)) else { continue };
        let mut add = |name, chances: Option<&Vec<f64>>| {
            if let Some(chances) = chances {
                scores.entry(name).or_default().add(chances, outcome);
            }
        };
        add("Pinnacle closing", closing.get(game));
        add("average closing", average.get(game));
        if let (Some(first), Some(last)) = (opening.get(game), closing.get(game)) {
            add("Pinnacle opening, same games", Some(first));
            add("Pinnacle closing, same games", Some(last));
        }
    }
    snapshot.results.len()
}

#[test]
fn soccer_has_its_known_games_and_closing_beats_opening() {
    let Some(data) = real_data("soccer_has_its_known_games_and_closing_beats_opening") else { return };
    let mut scores = BTreeMap::new();
    let games: usize = LEAGUES.iter().map(|league| soccer(&data, league, &mut scores)).sum();
    let told: Vec<String> =
        scores.iter().map(|(name, scores)| format!("{name}: {}", scores.told(false))).collect();
    insta::assert_snapshot!(format!("{games} games\n{}", told.join("\n")), @r"
    49855 games
    Pinnacle closing: log-loss 0.9649, Brier 0.5731 (n 22309)
    Pinnacle closing, same games: log-loss 0.9650, Brier 0.5732 (n 22285)
    Pinnacle opening, same games: log-loss 0.9677, Brier 0.5749 (n 22285)
    average closing: log-loss 0.9751, Brier 0.5798 (n 9531)
    ");
}

#[test]
fn a_century_of_elo_has_its_known_games() {
    let Some(data) = real_data("a_century_of_elo_has_its_known_games") else { return };
    let column = |name: &str| Some(name.to_owned());
    let columns = Columns {
        date: column("date"),
        season: column("season"),
        neutral: column("neutral"),
        home: column("team1"),
        away: column("team2"),
        home_score: column("score1"),
        away_score: column("score2"),
        stage: column("playoff"),
        ..Columns::default()
    };
    let path = data.join("nfl/fivethirtyeight_nfl_elo_1920-2020.csv.gz");
    let league = CsvFile::league("nfl-elo", false, "America/New_York").unwrap();
    let settings = CsvSettings { columns, ..CsvSettings::default() };
    let source =
        CsvFile::new(league, Location::new([path.to_str().unwrap()]), settings, CsvFile::LEADS).unwrap();
    let folder = folder();
    let snapshot = pulled(&lake(&folder), &source);
    assert_eq!(snapshot.results.len(), 16_810);
}
