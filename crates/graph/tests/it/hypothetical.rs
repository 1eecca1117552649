//! What if: games that nobody scheduled, other venues, key players who are out.

use data::Snapshot;
use graph::{
    Asked, Graph, GraphError, Meeting, NodeKind, Relation, SampleSettings, Sampler, Seed, Trace, features,
};
use jiff::{SignedDuration, Timestamp};
use market::Name;

use crate::worlds::{TEAMS, World, context, game, instant, league, leagues, result};

/// The last instant of a [`season`], before which all but its last game is finished.
const NOW: i64 = 690;

/// Alder at home to Birch every 100 hours, in Alder Park but for hour 400, which is neutral; Ann starts for Alder, but Abe
/// at hour 200; Bea starts for Birch, but Bob at hours 100 and 200. At hour 700 Zoe is due for Alder in New Park.
fn season() -> Graph {
    let (mut results, mut rows) = (Vec::new(), Vec::new());
    for hour in [100, 200, 300, 400, 700] {
        let fixture = game("duo", 2019, instant(hour), "Alder", "Birch");
        let mut row = context(&fixture, instant(hour - 50));
        let (venue, home, away) = match hour {
            100 => ("Alder Park", "Ann", "Bob"),
            200 => ("Alder Park", "Abe", "Bob"),
            400 => ("Far Field", "Ann", "Bea"),
            700 => ("New Park", "Zoe", "Bea"),
            _ => ("Alder Park", "Ann", "Bea"),
        };
        (row.venue, row.home_player, row.away_player) =
            (Some(venue.into()), Some(home.into()), Some(away.into()));
        row.neutral = Some(hour == 400);
        rows.push(row);
        if hour < 700 {
            results.push(result(&fixture, 1 + (hour / 100) as u16, 2, instant(hour + 3)));
        }
    }
    let elsewhere = game("duo", 2019, instant(150), "Cedar", "Dogwood");
    let mut row = context(&elsewhere, instant(90));
    row.venue = Some("Cedar Court".into());
    rows.push(row);
    results.push(result(&elsewhere, 0, 0, instant(153)));
    Graph::build(&Snapshot::new(instant(NOW), leagues(), vec![], results, rows))
}

fn ask(graph: &Graph, venue: Option<&str>, out: &[&str], as_of: Timestamp) -> Result<Asked, GraphError> {
    let (league, out) = (league("duo"), out.iter().map(|name| Name::from(*name)).collect::<Vec<_>>());
    let meeting = Meeting { venue, out: &out, ..Meeting::new(&league, "Alder", "Birch", as_of) };
    graph.hypothetical(&meeting, as_of)
}

fn sampler(graph: &Graph) -> Sampler<'_> {
    Sampler::new(graph, SampleSettings::default())
}

/// Venue, home's key player and away's, as an explanation names them.
fn named(graph: &Graph, asked: &Asked) -> [String; 3] {
    let trace = sampler(graph).trace_asked(asked);
    [Relation::PlayedAt, Relation::HomePlayer, Relation::AwayPlayer].map(|relation| {
        let of = |branches: &[(Relation, Vec<Trace>)]| {
            branches
                .iter()
                .find(|(of, _)| *of == relation)
                .and_then(|(_, found)| Some(found.first()?.name.clone()))
        };
        of(&trace.branches).unwrap_or_default()
    })
}

fn feature(graph: &Graph, asked: &Asked, name: &str) -> f32 {
    let place = features::columns(NodeKind::Game).iter().position(|column| *column == name).unwrap();
    sampler(graph).sample_asked(&[*asked]).seeds.features[place]
}

#[test]
fn without_a_word_it_is_played_at_home_by_those_who_played_last() {
    let graph = season();
    let now = ask(&graph, None, &[], instant(NOW)).unwrap();
    assert_eq!(
        named(&graph, &now),
        ["Alder Park", "Ann", "Bea"],
        "neither the neutral field nor who is only due"
    );
    assert!(feature(&graph, &now, "neutral") == 0.0);
    let early = ask(&graph, None, &[], instant(203)).unwrap();
    assert_eq!(named(&graph, &early), ["Alder Park", "Ann", "Bob"], "a result is hidden at its own moment");
    let later = ask(&graph, None, &[], instant(203) + SignedDuration::from_nanos(1)).unwrap();
    assert_eq!(named(&graph, &later), ["Alder Park", "Abe", "Bob"]);
}

#[test]
fn who_is_out_is_replaced_by_the_most_recent_other_one() {
    let graph = season();
    let asked = ask(&graph, None, &["Ann"], instant(NOW)).unwrap();
    assert_eq!(named(&graph, &asked), ["Alder Park", "Abe", "Bea"]);
    let asked = ask(&graph, None, &["Bea", "Zoe"], instant(NOW)).unwrap();
    assert_eq!(
        named(&graph, &asked),
        ["Alder Park", "Ann", "Bob"],
        "Zoe, who is only due, may be out as well"
    );
    let nobody = ask(&graph, None, &["Ann", "Abe"], instant(NOW)).unwrap();
    assert_eq!(named(&graph, &nobody), ["Alder Park", "", "Bea"], "a newcomer has no name");
    let all = ask(&graph, None, &[], instant(NOW)).unwrap();
    let expected = |asked| feature(&graph, asked, "strength_margin");
    assert!(expected(&nobody) < expected(&all), "a newcomer is worth less than who has won");
}

#[test]
fn the_venue_decides_who_is_at_home() {
    let graph = season();
    let neutral = |venue| {
        let asked = ask(&graph, Some(venue), &[], instant(NOW)).unwrap();
        assert_eq!(named(&graph, &asked)[0], venue);
        feature(&graph, &asked, "neutral") == 1.0
    };
    assert!(!neutral("Alder Park"));
    assert!(neutral("Far Field"), "it was there once, but not at home");
    assert!(neutral("Cedar Court"), "others are at home there");
    assert!(!neutral("New Park"), "it is due to be at home there");
    let [own, foreign] = ["Alder Park", "Cedar Court"].map(|venue| {
        let asked = ask(&graph, Some(venue), &[], instant(NOW)).unwrap();
        (feature(&graph, &asked, "elo_difference"), feature(&graph, &asked, "home_form"))
    });
    assert!(own.0 > foreign.0, "nobody has the advantage of the home there");
    assert!(own.1 == foreign.1, "the form is the team's, wherever it plays");
}

#[test]
fn a_known_game_goes_on_without_who_is_out() {
    let graph = season();
    let last = game("duo", 2019, instant(700), "Alder", "Birch");
    let seed = Seed { game: graph.find(&last.game_id).unwrap(), as_of: instant(NOW) };
    let ask = |out: &str| graph.ask(seed, &[out.into()]);
    assert_eq!(named(&graph, &graph.ask(seed, &[]).unwrap()), ["New Park", "Zoe", "Bea"]);
    assert_eq!(named(&graph, &ask("Zoe").unwrap()), ["New Park", "Ann", "Bea"]);
    let unmoved = sampler(&graph).sample_asked(&[ask("Abe").unwrap()]);
    assert_eq!(unmoved, sampler(&graph).sample(&[seed]), "who would not have started changes nothing");
}

#[test]
fn nobody_knows_the_name() {
    let graph = season();
    let text = |venue, out: &[&str], as_of| ask(&graph, venue, out, instant(as_of)).unwrap_err().to_string();
    assert_eq!(
        text(Some("Alder Prk"), &[], NOW),
        "no venue `Alder Prk` is known in duo; nearest: Alder Park, New Park, Cedar Court"
    );
    assert_eq!(
        text(None, &["Ann", "Bo"], NOW),
        "no key player `Bo` is known of Alder or Birch; nearest: Bob, Abe, Bea"
    );
    assert!(text(None, &["Zoe"], 650).starts_with("no key player `Zoe` is known of Alder or Birch"));
    assert!(ask(&graph, None, &["Zoe"], instant(651)).is_ok(), "she was named at hour 650");
    assert!(text(Some("New Park"), &[], 650).starts_with("no venue `New Park` is known in duo"));
    assert!(ask(&graph, Some("New Park"), &[], instant(651)).is_ok());
}

#[test]
fn a_hypothetical_game_is_like_a_scheduled_one_without_context() {
    let first = game("duo", 2019, instant(290), "Alder", "Birch");
    let second = game("duo", 2019, instant(460), "Birch", "Alder");
    let rows = vec![context(&first, instant(100)), context(&second, instant(100))];
    let results = vec![result(&first, 3, 0, instant(300))];
    let graph = Graph::build(&Snapshot::new(instant(450), leagues(), vec![], results, rows));
    let sampler = Sampler::new(&graph, SampleSettings { hops: 3, ..SampleSettings::default() });
    let known = sampler.sample(&[Seed { game: graph.find(&second.game_id).unwrap(), as_of: instant(450) }]);
    let (league, as_of) = (league("duo"), instant(450));
    let asked = graph.hypothetical(&Meeting::new(&league, "Birch", "Alder", instant(460)), as_of).unwrap();
    assert_eq!(known, sampler.sample_asked(&[asked]));
}

#[test]
fn what_is_next_to_a_game_is_what_its_batch_holds() {
    for with_market in [false, true] {
        let graph = Graph::build(&World::random(3, 40).snapshot(instant(1000)));
        let sampler = Sampler::new(&graph, SampleSettings { with_market, ..SampleSettings::default() });
        for game in 0..graph.games().len() {
            let asked = graph.ask(Seed { game, as_of: graph.decision_time(game) }, &[]).unwrap();
            let (batch, around) = (sampler.sample_asked(&[asked]), sampler.around(&asked));
            assert_eq!((&around.features, around.consensus), (&batch.seeds.features, batch.consensus[0]));
            assert_eq!((around.league as i64, around.expected), (batch.league[0], batch.expected[0]));
            let mut sources = around.sources.iter();
            for children in &batch.seeds.children {
                let present = children.present.iter().take_while(|present| **present > 0.0).count();
                for (place, source) in sources.by_ref().take(present).enumerate() {
                    assert_eq!(
                        (source.relation, source.age_days),
                        (children.relation, children.age_days[place])
                    );
                    let width = children.block.width;
                    let alone = sampler.below(&asked, source);
                    assert_eq!(alone.features, children.block.features[place * width..(place + 1) * width]);
                }
            }
            assert_eq!(sources.next(), None);
        }
    }
}

#[test]
fn an_unknown_team_is_refused_with_the_nearest_names() {
    let graph = season();
    let ask = |id: &str, home: &str, as_of: i64| {
        let league = league(id);
        graph.hypothetical(&Meeting::new(&league, home, "Birch", instant(600)), instant(as_of)).unwrap_err()
    };
    let error = ask("duo", "Aldr", 590);
    assert_eq!(error.to_string(), "no team `Aldr` is known in duo; nearest: Alder, Cedar, Birch");
    let error = ask("nba", TEAMS[0], 590);
    assert_eq!(error.to_string(), "no league `nba` is known; known are: cup, duo");
    let too_early = ask("duo", "Alder", 0);
    assert!(matches!(too_early, GraphError::UnknownTeam { nearest, .. } if nearest.is_empty()));
}
