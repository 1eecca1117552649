//! What the predictor answers.

use market::{GameQuery, LeagueId, PredictError, Predictor};
use model::{Ensemble, GraphPredictor, graph_from_bytes, graph_to_bytes};

use crate::world::{World, at, hasty, train};

fn predictor() -> GraphPredictor {
    let graph = World::new(40).graph(at("2020-01-30T12:00:00Z"));
    GraphPredictor::new(train(&graph, hasty()).ensemble, graph).unwrap()
}

fn hypothetical(league: Option<&str>, home: &str, away: &str) -> GameQuery {
    let league = league.map(|league| LeagueId::new(league).unwrap());
    GameQuery::Hypothetical { league, home: home.into(), away: away.into(), start_time: None }
}

#[test]
fn a_slate_is_what_starts_within_it_by_start() {
    let predictor = predictor();
    let slate = predictor.slate(at("2020-01-30T18:00:00Z"), at("2020-01-31T19:00:00Z")).unwrap();
    assert_eq!(slate.len(), 2 * 4 + 2, "one day of two leagues, and the first start of the next");
    assert!(slate.windows(2).all(|pair| pair[0].game.start_time <= pair[1].game.start_time));
    assert!(slate.iter().all(|prediction| prediction.as_of == at("2020-01-30T12:00:00Z")));
    let query = GameQuery::Known { game_id: slate[3].game.game_id.clone() };
    assert_eq!(predictor.predict(&[query]).unwrap(), slate[3..4], "alone or on a slate, to the bit");
}

#[test]
fn prices_reach_only_the_variant_that_may_see_them() {
    let world = World::new(40);
    let graph = world.graph(at("2020-01-30T12:00:00Z"));
    let ensemble = train(&graph, hasty()).ensemble;
    let (weights, json) = ensemble.to_bytes().unwrap();
    let mut unpriced = world.clone();
    unpriced.lines.retain(|line| line.game.start_time < at("2020-01-30T00:00:00Z"));
    let slate = |world: &World| {
        let ensemble = Ensemble::from_bytes(&weights, &json).unwrap();
        let predictor = GraphPredictor::new(ensemble, world.graph(at("2020-01-30T12:00:00Z"))).unwrap();
        predictor.slate(at("2020-01-30T12:00:00Z"), at("2020-01-31T00:00:00Z")).unwrap()
    };
    for (priced, unpriced) in slate(&world).iter().zip(slate(&unpriced)) {
        assert_eq!(priced.members_without_market, unpriced.members_without_market);
        assert_ne!(priced.members, priced.members_without_market);
        assert_eq!(unpriced.members, unpriced.members_without_market, "without prices there is one opinion");
    }
}

#[test]
fn a_graph_and_a_model_read_back_answer_to_the_bit() {
    let predictor = predictor();
    let slate = predictor.slate(at("2020-01-30T18:00:00Z"), at("2020-01-31T00:00:00Z")).unwrap();
    let graph_bytes = graph_to_bytes(predictor.graph()).unwrap();
    let graph = graph_from_bytes(&graph_bytes).unwrap();
    assert_eq!(&graph, predictor.graph());
    let (weights, json) = train(&graph, hasty()).ensemble.to_bytes().unwrap();
    let again = GraphPredictor::new(Ensemble::from_bytes(&weights, &json).unwrap(), graph).unwrap();
    assert_eq!(again.slate(at("2020-01-30T18:00:00Z"), at("2020-01-31T00:00:00Z")).unwrap(), slate);
    assert!(graph_from_bytes(&graph_bytes[..graph_bytes.len() / 2]).is_err(), "half a file");
}

#[test]
fn a_game_that_nobody_scheduled_can_be_asked_for() {
    let predictor = predictor();
    let query = hypothetical(Some("kick"), "team 7", "team 0");
    let prediction = predictor.predict(&[query]).unwrap().remove(0);
    assert_eq!(prediction.game.game_id.as_str(), "kick_2020-01-30_team-7_team-0");
    assert_eq!(prediction.game.season, 2020);
    assert_eq!(prediction.members, prediction.members_without_market, "it has no price");
}

#[test]
fn questions_without_an_answer_say_why() {
    let predictor = predictor();
    let refusal = |query: GameQuery| predictor.predict(&[query]).unwrap_err();
    let unknown = GameQuery::Known { game_id: market::GameId::from_text("kick_1999-01-01_a_b") };
    assert!(matches!(refusal(unknown), PredictError::UnknownGame(_)));
    let typo = refusal(hypothetical(Some("kick"), "team 77", "team 0"));
    assert!(
        matches!(&typo, PredictError::UnknownTeam { suggestion, .. } if suggestion.contains("team 7")),
        "{typo}"
    );
    let vague = refusal(hypothetical(None, "team 1", "team 0"));
    assert_eq!(vague.to_string(), "which league? known are: ball, kick");
    assert!(matches!(refusal(hypothetical(Some("nba"), "a", "b")), PredictError::Ambiguous(_)));
    assert!(matches!(refusal(hypothetical(Some("kick"), "team 1", "team 1")), PredictError::Ambiguous(_)));
}
