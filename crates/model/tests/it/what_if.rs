//! What if: other venues, players who are out, and many such questions at once.

use std::sync::OnceLock;

use graph::{Meeting, Sampler};
use market::{GameId, GameQuery, LeagueId, Name, PredictError, Prediction, Predictor};
use model::{Ensemble, GraphPredictor, Variant};
use proptest::prelude::*;

use crate::{
    look_ahead::disturb,
    world::{World, at, hasty, train},
};

const NOW: &str = "2020-01-30T12:00:00Z";

/// A world, and the files of a model trained on it.
fn trained() -> &'static (World, Vec<u8>, String) {
    static TRAINED: OnceLock<(World, Vec<u8>, String)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let world = World::new(40);
        let (weights, json) = train(&world.graph(at(NOW)), hasty()).ensemble.to_bytes().unwrap();
        (world, weights, json)
    })
}

fn ensemble() -> Ensemble {
    let (_, weights, json) = trained();
    Ensemble::from_bytes(weights, json).unwrap()
}

/// A predictor that has answered nothing yet.
fn fresh(world: &World) -> GraphPredictor {
    GraphPredictor::new(ensemble(), world.graph(at(NOW))).unwrap()
}

fn meeting(home: usize, away: usize, venue: Option<usize>, out: &[usize]) -> GameQuery {
    GameQuery::Hypothetical {
        league: Some(LeagueId::new("kick").unwrap()),
        home: format!("team {home}").as_str().into(),
        away: format!("team {away}").as_str().into(),
        start_time: None,
        venue: venue.map(|park| format!("park {park}").as_str().into()),
        key_players_out: out.iter().map(|player| format!("player {player}").as_str().into()).collect(),
    }
}

/// Queries of every sort, some without an answer.
fn query() -> impl Strategy<Value = GameQuery> {
    let scheduled = fresh(&trained().0)
        .graph()
        .games()
        .iter()
        .rev()
        .take(40)
        .map(|g| g.game_id.clone())
        .collect::<Vec<_>>();
    let known = (prop::sample::select(scheduled), prop::option::weighted(0.3, 0..9usize)).prop_map(
        |(game_id, out)| {
            let key_players_out =
                out.map(|player| Name::from(format!("player {player}").as_str())).into_iter().collect();
            GameQuery::Known { game_id, key_players_out }
        },
    );
    let unknown = Just(GameQuery::known(GameId::from_text("kick_1999-01-01_a_b")));
    let venue = prop::option::of(0..9usize);
    let made_up = (0..9usize, 0..9usize, venue, prop::collection::vec(0..8usize, 0..2))
        .prop_map(|(home, away, venue, out)| meeting(home, away, venue, &out));
    prop_oneof![3 => known, 1 => unknown, 6 => made_up]
}

/// An answer, or why there is none.
fn told(answer: Result<Prediction, PredictError>) -> Result<Prediction, String> {
    answer.map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_among_many_has_the_bits_of_one_alone(queries in prop::collection::vec(query(), 1..24)) {
        let world = &trained().0;
        let many = fresh(world);
        let answers: Vec<_> = many.predict_each(&queries).into_iter().map(told).collect();
        let warm: Vec<_> = many.predict_each(&queries).into_iter().map(told).collect();
        prop_assert_eq!(&answers, &warm, "asked twice");
        for (query, answer) in queries.iter().zip(answers) {
            let alone = fresh(world).predict(std::slice::from_ref(query)).map(|mut one| one.remove(0));
            prop_assert_eq!(told(alone), answer);
        }
    }
}

#[test]
fn a_meeting_has_the_bits_of_its_batch() {
    let (predictor, ensemble) = (fresh(&trained().0), ensemble());
    let league = LeagueId::new("kick").unwrap();
    let out: [Name; 1] = ["player 3".into()];
    let (graph, now) = (predictor.graph(), at(NOW));
    let asked: Vec<_> = [("team 3", "team 4"), ("team 5", "team 3"), ("team 3", "team 0")]
        .map(|(home, away)| Meeting {
            out: &out,
            venue: Some("park 5"),
            ..Meeting::new(&league, home, away, now)
        })
        .iter()
        .map(|meeting| graph.hypothetical(meeting, now).unwrap())
        .collect();
    let sampler = Sampler::new(graph, ensemble.sample_settings(Variant::Hgt).unwrap());
    let batch = ensemble.forecast(Variant::Hgt, &sampler.sample_asked(&asked)).unwrap();
    for (place, [home, away]) in [[3, 4], [5, 3], [3, 0]].into_iter().enumerate() {
        let alone = predictor.predict(&[meeting(home, away, Some(5), &[3])]).unwrap().remove(0);
        let of_batch: Vec<_> = batch.iter().map(|member| member[place].clone()).collect();
        assert_eq!(alone.members, of_batch);
    }
}

#[test]
fn a_finished_game_is_not_told_by_what_came_after() {
    let predictor = fresh(&trained().0);
    let finished =
        predictor.graph().games().iter().find(|game| game.start_time < at("2020-01-15T00:00:00Z")).unwrap();
    let query = [GameQuery::known(finished.game_id.clone())];
    let first = predictor.predict(&query).unwrap();
    predictor.slate(at(NOW), at("2020-02-02T00:00:00Z")).unwrap();
    assert_eq!(predictor.predict(&query).unwrap(), first, "whatever was kept of its teams in between");
}

#[test]
fn venue_and_players_change_the_answer_and_stand_in_the_explanation() {
    let predictor = fresh(&trained().0);
    let home = |query: &GameQuery| {
        predictor.predict(std::slice::from_ref(query)).unwrap()[0].members[0].moneyline_three_way()[0]
    };
    let (own, foreign) = (home(&meeting(7, 0, None, &[])), home(&meeting(7, 0, Some(0), &[])));
    assert_eq!(own.to_bits(), home(&meeting(7, 0, Some(7), &[])).to_bits(), "at home as a matter of course");
    assert!(own > foreign, "{own} at home, {foreign} where the others are");
    assert_ne!(own.to_bits(), home(&meeting(7, 0, None, &[7])).to_bits());
    let explanation = predictor.explain(&meeting(7, 0, Some(2), &[])).unwrap().unwrap();
    let names: Vec<&str> = explanation.neighbours.iter().map(|n| n.effect.name.as_str()).collect();
    assert!(["park 2", "player 7"].iter().all(|name| names.contains(name)), "{names:?}");
}

#[test]
fn names_that_nobody_knows_are_refused_with_the_nearest() {
    let predictor = fresh(&trained().0);
    let refusal = |query: GameQuery| predictor.predict(&[query]).unwrap_err().to_string();
    let venue = refusal(meeting(7, 0, Some(77), &[]));
    assert!(venue.starts_with("no venue `park 77` is known in kick; did you mean park 7"), "{venue}");
    let player = refusal(meeting(7, 0, None, &[77]));
    assert!(
        player.starts_with("no key player `player 77` is known of team 7 or team 0; did you mean player 7"),
        "{player}"
    );
    let other = refusal(meeting(7, 0, None, &[3]));
    assert!(other.starts_with("no key player `player 3` is known of team 7 or team 0"), "{other}");
}

#[test]
fn what_becomes_known_later_changes_no_bit_of_what_if() {
    let world = &trained().0;
    let other = disturb(world, at(NOW), 7);
    let queries: Vec<GameQuery> = (0..7)
        .flat_map(|home| [meeting(home, home + 1, None, &[]), meeting(home, home + 1, Some(5), &[home])])
        .collect();
    assert_eq!(fresh(world).predict(&queries).unwrap(), fresh(&other).predict(&queries).unwrap());
}
