//! Names, reasons and numbers from outside that try to break a page.

use std::sync::Arc;

use market::{Game, GameId};
use report::{input::LensScore, pages::Route};

use crate::{
    hostile::NAMES,
    pages::{Night, all, attributes, complaints, found},
};

/// Puts `name` wherever a text from outside can stand.
fn everywhere(name: &str) -> Night {
    let mut night = Night::full();
    let text = || name.to_owned();
    let renamed = |game: &Game| {
        Arc::new(Game {
            game_id: GameId::from_text(name),
            home: name.into(),
            away: name.into(),
            ..game.clone()
        })
    };
    night.slate.report.as_mut().unwrap().picks.iter_mut().for_each(|pick| {
        pick.game = renamed(&pick.game);
        pick.why = text();
    });
    let game = &mut night.game;
    game.game = renamed(&game.game);
    game.model_version = Some(text());
    game.quotes.iter_mut().take(3).for_each(|quote| quote.book = name.into());
    game.history.iter_mut().take(3).for_each(|history| history.book = name.into());
    game.judged[0].verdict = text();
    game.judged[0].lenses[0].score = LensScore::Veto(text());
    let shown = game.neighbourhood.as_mut().unwrap();
    shown.nodes.iter_mut().for_each(|node| (node.kind, node.label) = (text(), text()));
    shown.edges.iter_mut().for_each(|edge| (edge.relation, edge.says) = (text(), text()));
    for explanation in &mut game.explanations {
        explanation.game = renamed(&explanation.game);
        explanation.steps[0].name = text();
        explanation.features[0].name = text();
        explanation.features[0].says = text();
    }
    night.ledger.open[0].game = renamed(&night.ledger.open[0].game);
    night.ledger.settled[0].book = name.into();
    night.model.champion.as_mut().unwrap().version = text();
    night.model.history[0].reason = text();
    night.model.history[0].run_id = Some(text());
    night.runs.runs[0].run_id = text();
    let task = &mut night.run.tasks[3];
    (task.id, task.kind, task.summary) = (text(), text(), text());
    let evidence = task.evidence.as_mut().unwrap();
    (evidence.error, evidence.log_tail, evidence.blocked_by) = (vec![text()], vec![text()], vec![text()]);
    evidence.asks = Some(text());
    (night.problem.title, night.problem.detail, night.problem.command) = (text(), text(), Some(text()));
    night.slate.site.title = text();
    night
}

fn is_harmless(night: &Night) -> Result<(), String> {
    for (name, html) in all(night) {
        if let Some(complaint) = complaints(&html).first() {
            return Err(format!("{name}: {complaint}"));
        }
        if !found(&html, "script:not([src]), img, iframe, [onerror], [onload], [onclick]").is_empty() {
            return Err(format!("{name}: a text became an element"));
        }
        for href in attributes(&html, "a[href]", "href") {
            if !(href.starts_with('#') || Route::parse(&href).is_some()) {
                return Err(format!("{name}: {href}"));
            }
        }
    }
    Ok(())
}

#[test]
fn hostile_names_stay_text() {
    for name in NAMES {
        assert_eq!(is_harmless(&everywhere(name)), Ok(()), "{name}");
    }
}

#[test]
fn numbers_that_are_none_do_not_break_a_page() {
    let mut night = Night::full();
    let game = &mut night.game;
    game.margin[0].1 = f64::NAN;
    game.variants[0].outcomes[0].probability = f64::NAN;
    game.variants[0].outcomes[1].interval_90 = Some((f64::NAN, f64::INFINITY));
    game.quotes[0].edge = Some(f64::NAN);
    game.neighbourhood.as_mut().unwrap().edges[0].attention = Some(f64::NAN);
    game.neighbourhood.as_mut().unwrap().edges[1].target = 999;
    night.run.tasks[0].seconds = f64::NAN;
    night.model.history[0].gain = Some(f64::NEG_INFINITY);
    night.ledger.drawdown = f64::NAN;
    assert_eq!(is_harmless(&night), Ok(()));
    for (name, html) in all(&night) {
        // The log of the sample run speaks of a NaN itself.
        assert!(!html.replace("loss NaN", "").contains("NaN") && !html.contains(">inf"), "{name}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(8))]
    #[test]
    fn no_name_at_all_breaks_a_page(name in "\\PC{1,90}|[<>&\"'{%#} a-z]{1,60}") {
        proptest::prop_assert_eq!(is_harmless(&everywhere(&name)), Ok(()));
    }
}
