//! How long one game takes from the warm model, in the default sizes: hidden 32, heads 4, layers 2, fan-out 8, 3 members.
//!
//! Run with `cargo bench -p model`. The league is made up: 32 teams with their venues and key players, ten seasons. The
//! network has learnt for one epoch, and its messages are believed by half, whatever they have earned.

use std::{error::Error, io::Cursor, sync::OnceLock};

use data::{League, Snapshot};
use divan::{Bencher, black_box};
use graph::Graph;
use jiff::{SignedDuration, Timestamp};
use market::{ContextRow, Game, GameQuery, GameStatus, LeagueId, Name, Predictor, RawRef, ResultRow};
use model::{DeviceChoice, Ensemble, GraphPredictor, Provenance, TrainSettings, Trainer, sha256};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

const TEAMS: usize = 32;
const GAMES: usize = 2720;

fn main() {
    divan::main();
}

/// Any two teams, one after the other, from one predictor that has seen all of them before.
#[divan::bench]
fn hypothetical_game(bencher: Bencher<'_, '_>) {
    let queries = meetings();
    ask_in_turn(bencher, &queries);
}

/// The same with a venue and a key player who is out.
#[divan::bench]
fn hypothetical_game_elsewhere(bencher: Bencher<'_, '_>) {
    let queries: Vec<GameQuery> =
        meetings().into_iter().enumerate().map(|(i, query)| elsewhere(query, i)).collect();
    ask_in_turn(bencher, &queries);
}

/// Games that are scheduled, with a venue and key players stated days before.
#[divan::bench]
fn known_game(bencher: Bencher<'_, '_>) {
    let games = predictor().graph().games();
    let queries: Vec<GameQuery> =
        games.iter().rev().take(16).map(|game| GameQuery::known(game.game_id.clone())).collect();
    ask_in_turn(bencher, &queries);
}

/// A thousand at once; the time is that of all.
#[divan::bench]
fn thousand_hypothetical_games(bencher: Bencher<'_, '_>) {
    let queries: Vec<GameQuery> = meetings().into_iter().cycle().take(1000).collect();
    let predictor = predictor();
    bencher.bench(|| predictor.predict_each(black_box(&queries)));
}

fn ask_in_turn(bencher: Bencher<'_, '_>, queries: &[GameQuery]) {
    let predictor = predictor();
    let mut next = queries.iter().cycle();
    bencher.bench_local(|| {
        let query = next.by_ref().take(1).cloned().collect::<Vec<_>>();
        predictor.predict(black_box(&query))
    });
}

fn meetings() -> Vec<GameQuery> {
    let pairs = (0..TEAMS).flat_map(|home| (0..TEAMS).map(move |away| (home, away)));
    pairs
        .filter(|(home, away)| home != away)
        .map(|(home, away)| GameQuery::hypothetical(None, team(home), team(away)))
        .collect()
}

fn elsewhere(query: GameQuery, place: usize) -> GameQuery {
    let GameQuery::Hypothetical { league, home, away, start_time, .. } = query else { return query };
    let out = home.as_str().replace("team", "player");
    let venue = Some(name("park", place % TEAMS));
    GameQuery::Hypothetical {
        league,
        home,
        away,
        start_time,
        venue,
        key_players_out: vec![out.as_str().into()],
    }
}

fn name(what: &str, of: usize) -> Name {
    format!("{what} {of}").as_str().into()
}

fn team(of: usize) -> Name {
    name("team", of)
}

fn predictor() -> &'static GraphPredictor {
    static PREDICTOR: OnceLock<GraphPredictor> = OnceLock::new();
    PREDICTOR.get_or_init(|| match trained() {
        Ok(predictor) => predictor,
        Err(error) => unreachable!("the made-up league trains: {error}"),
    })
}

fn trained() -> Result<GraphPredictor, Box<dyn Error>> {
    let graph = Graph::build(&seasons()?);
    let settings = TrainSettings {
        ensemble: 3,
        epochs: 1,
        refit: false,
        device: DeviceChoice::Cpu,
        ..TrainSettings::default()
    };
    let trained = Trainer::new(&graph, settings, Provenance::default()).without_market().train(&mut ())?;
    let (weights, json) = trained.ensemble.to_bytes()?;
    let mut tensors = Tensor::load_multi_from_stream(Cursor::new(&weights))?;
    for (_, tensor) in tensors.iter_mut().filter(|(name, _)| name.ends_with("trust")) {
        let _filled = tensor.fill_(0.5);
    }
    let mut believed = Vec::new();
    Tensor::save_multi_to_stream(&tensors, &mut believed)?;
    let json = json.replace(&sha256(&weights), &sha256(&believed));
    Ok(GraphPredictor::new(Ensemble::from_bytes(&believed, &json)?, graph)?)
}

/// Ten seasons of seventeen rounds, each team once a round; the last round is still to be played.
fn seasons() -> Result<Snapshot, Box<dyn Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let (league, first): (_, Timestamp) = (LeagueId::new("bench")?, "2012-09-02T17:00:00Z".parse()?);
    let (mut results, mut context) = (Vec::new(), Vec::new());
    let mut now = first;
    for index in 0..GAMES {
        let (round, pair) = (index / (TEAMS / 2), index % (TEAMS / 2));
        let (season, week) = (round / 17, round % 17);
        let start =
            first.checked_add(SignedDuration::from_hours((season as i64 * 365 + week as i64 * 7) * 24))?;
        let turn = |place: usize| if place == 0 { 0 } else { 1 + (place - 1 + round) % (TEAMS - 1) };
        let both = [turn(pair), turn(TEAMS - 1 - pair)];
        let [home, away] = if round % 2 == 0 { both } else { [both[1], both[0]] };
        let date = start.to_zoned(jiff::tz::TimeZone::UTC).date();
        let game =
            Game::new(&league, 2012 + season as i32, start, date, team(home).as_str(), team(away).as_str());
        let raw_ref = RawRef { payload: "bench".into(), row: index as u32 };
        let before = start.checked_sub(SignedDuration::from_hours(50))?;
        let mut row = ContextRow::new(game.clone(), before, "bench".into(), raw_ref.clone());
        row.venue = Some(name("park", home));
        row.home_player =
            Some(if random.random_bool(0.9) { name("player", home) } else { name("substitute", home) });
        row.away_player = Some(name("player", away));
        context.push(row);
        if index >= GAMES - TEAMS / 2 {
            now = start.checked_sub(SignedDuration::from_hours(9))?;
            continue;
        }
        let lead = (home as f64 - away as f64) / 4.0;
        let mut score = |lead: f64| (22.0 + lead + 20.0 * (random.random::<f64>() - 0.5)).max(0.0) as u16;
        results.push(ResultRow {
            game,
            home_score: score(lead + 1.0),
            away_score: score(-lead - 1.0),
            status: GameStatus::Final,
            known_at: start.checked_add(SignedDuration::from_hours(3))?,
            source: "bench".into(),
            raw_ref,
        });
    }
    let league = League { id: league, three_way: false, time_zone: "UTC".to_owned() };
    Ok(Snapshot::new(now, vec![league], Vec::new(), results, context))
}
