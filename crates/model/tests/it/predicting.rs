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
    GameQuery::hypothetical(league, home.into(), away.into())
}

#[test]
fn a_slate_is_what_starts_within_it_by_start() {
    let predictor = predictor();
    let slate = predictor.slate(at("2020-01-30T18:00:00Z"), at("2020-01-31T19:00:00Z")).unwrap();
    assert_eq!(slate.len(), 2 * 4 + 2, "one day of two leagues, and the first start of the next");
    assert!(slate.windows(2).all(|pair| pair[0].game.start_time <= pair[1].game.start_time));
    assert!(slate.iter().all(|prediction| prediction.as_of == at("2020-01-30T12:00:00Z")));
    let query = GameQuery::known(slate[3].game.game_id.clone());
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

fn home_of(members: &[market::ScoreForecast], three_way: bool) -> f64 {
    let home = |member: &market::ScoreForecast| {
        if three_way { member.moneyline_three_way()[0] } else { member.moneyline_two_way() }
    };
    members.iter().map(home).sum::<f64>() / members.len() as f64
}

#[test]
fn an_explanation_ends_in_the_forecast_and_names_who_was_seen() {
    let predictor = predictor();
    let slate = predictor.slate(at("2020-01-30T18:00:00Z"), at("2020-01-31T00:00:00Z")).unwrap();
    for prediction in &slate {
        let query = GameQuery::known(prediction.game.game_id.clone());
        let explanation = predictor.explain(&query).unwrap().unwrap();
        let three_way = prediction.game.league.as_str() == "kick";
        let said = home_of(&prediction.members, three_way);
        assert!((explanation.home() - said).abs() < 1e-5, "{} {said}", explanation.home());
        assert!(explanation.uses_prices);
        // A forecast starts from its price.
        let graph = predictor.graph();
        let [home, _, away] =
            graph.consensus(graph.find(&prediction.game.game_id).unwrap(), graph.as_of()).unwrap();
        let price = if three_way { home } else { home / (home + away) };
        assert!((explanation.steps[1].home - price).abs() < 1e-4, "{:?} {price}", explanation.steps);
        let names: Vec<&str> = explanation.neighbours.iter().map(|n| n.effect.name.as_str()).collect();
        assert_eq!(names.len(), 12);
        assert!(explanation.neighbours.iter().all(|n| (0.0..=1.0).contains(&n.attention)), "{names:?}");
        assert!(explanation.neighbours.is_sorted_by(|a, b| a.effect.home.abs() >= b.effect.home.abs()));
        assert!(
            explanation.kinds.iter().any(|kind| kind.home != 0.0),
            "the messages of an untaught member weigh too"
        );
        assert!(explanation.words().len() >= 5, "{:?}", explanation.words());
    }
    let made_up = predictor.explain(&hypothetical(Some("kick"), "team 7", "team 0")).unwrap().unwrap();
    assert!(!made_up.uses_prices);
    assert_eq!(made_up.steps[1].name, "the ratings");
    let unknown = GameQuery::known(market::GameId::from_text("kick_1999-01-01_a_b"));
    assert!(matches!(predictor.explain(&unknown), Err(PredictError::UnknownGame(_))));
}

#[test]
fn questions_without_an_answer_say_why() {
    let predictor = predictor();
    let refusal = |query: GameQuery| predictor.predict(&[query]).unwrap_err();
    let unknown = GameQuery::known(market::GameId::from_text("kick_1999-01-01_a_b"));
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
