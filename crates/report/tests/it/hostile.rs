//! Names and reasons from outside that try to break the page.

use std::sync::Arc;

use market::Game;
use proptest::prelude::*;
use report::{Rendered, ReportData, input::LensScore, render};
use scraper::{Html, Selector};

use crate::fixture::normal_night;

pub(crate) const NAMES: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "O'Brien & \"Sons\" {{ picks }} {% raw %}",
    "Köln 🐐⚽",
    "הפועל תל אביב",
    "A\u{202e}gnidaer\nline two\u{0}",
    "</mj-text><mj-raw> \\ </mj-style> <!--[if mso]>",
    "An Association Football Club Whose Full Name Is Far Longer Than Eighty Characters, Really",
];

/// Puts `name` wherever a text from outside can stand.
pub(crate) fn everywhere(name: &str) -> ReportData {
    let mut data = normal_night();
    data.title = format!("Daily {name}");
    for pick in &mut data.picks {
        let game: &Game = &pick.game;
        pick.game = Arc::new(Game { home: name.into(), away: name.into(), ..game.clone() });
        pick.book = name.into();
        name.clone_into(&mut pick.why);
        pick.cancel_when = Some(name.to_owned());
        pick.lenses[0].score = LensScore::Missing(name.to_owned());
        pick.lenses[1].score = LensScore::Veto(name.to_owned());
    }
    name.clone_into(&mut data.near_misses[0].reason);
    data.no_edge_reason = Some(name.to_owned());
    name.clone_into(&mut data.quarantined[0].reason);
    data.quarantined[0].examples = vec![name.to_owned()];
    name.clone_into(&mut data.failed_tasks[0].error);
    data.feeds[0].note = Some(name.to_owned());
    data.assumptions = vec![name.to_owned()];
    name.clone_into(&mut data.luck.as_mut().unwrap().verdict);
    data
}

fn is_harmless(rendered: &Rendered) -> Result<(), String> {
    for html in [&rendered.html, &rendered.mail_html] {
        let page = Html::parse_document(html);
        if !page.errors.is_empty() {
            return Err(format!("{:?}", page.errors));
        }
        let active = Selector::parse("script, img[onerror], [onload], iframe").unwrap();
        if page.select(&active).next().is_some() {
            return Err("a name became an element".to_owned());
        }
    }
    let is_odd = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    if rendered.text.chars().any(is_odd) || rendered.subject.chars().any(char::is_control) {
        return Err("a control character got through".to_owned());
    }
    Ok(())
}

#[test]
fn hostile_names_stay_text() {
    for name in NAMES {
        let rendered = render(&everywhere(name)).unwrap();
        assert_eq!(is_harmless(&rendered), Ok(()), "{name}");
    }
}

#[test]
fn a_long_name_is_shortened_and_a_right_to_left_name_is_isolated() {
    let rendered = render(&everywhere(NAMES[7])).unwrap();
    assert!(rendered.html.contains("<bdi>An Association Football Club Whose Full Name Is…</bdi>"));
    let rendered = render(&everywhere(NAMES[4])).unwrap();
    assert!(rendered.html.contains("<bdi>הפועל תל אביב</bdi> v <bdi>הפועל תל אביב</bdi>"));
}

#[test]
fn three_hundred_hostile_picks_still_fit_a_mail() {
    let mut data = everywhere(&"\"'<>&".repeat(20));
    let pick = data.picks.remove(0);
    data.picks = vec![pick; 300];
    let miss = data.near_misses.remove(0);
    data.near_misses = vec![miss; 300];
    let rendered = render(&data).unwrap();
    assert!(rendered.mail_html.len() <= report::templates::LONGEST_MAIL, "{}", rendered.mail_html.len());
    assert_eq!(is_harmless(&rendered), Ok(()));
}

#[test]
fn a_veto_is_shown_as_a_veto_with_its_reason() {
    let html = render(&everywhere("Nobody")).unwrap().html;
    assert!(html.contains("Margin says no: Nobody."));
    assert!(html.contains(">veto<"));
}

#[test]
fn numbers_that_are_none_do_not_break_the_report() {
    let mut data = normal_night();
    for pick in &mut data.picks {
        pick.edge = f64::NAN;
        pick.score = f64::INFINITY;
        pick.probability_interval_90 = (f64::NAN, f64::NEG_INFINITY);
        pick.lenses[2].score = LensScore::Score(f64::NAN);
    }
    data.models[0].forecasts[0].log_loss = f64::NAN;
    data.reliability[0].observed = f64::NAN;
    data.bankroll = market::Money::ZERO;
    let rendered = render(&data).unwrap();
    assert_eq!(is_harmless(&rendered), Ok(()));
    assert!(
        rendered.html.contains("n/a") && !rendered.html.contains("NaN") && !rendered.html.contains(">inf")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn no_name_at_all_breaks_the_page(name in "\\PC{0,90}|[<>&\"'{%#} a-z]{0,60}") {
        let rendered = render(&everywhere(&name)).unwrap();
        prop_assert_eq!(is_harmless(&rendered), Ok(()));
    }
}
