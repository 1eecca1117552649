//! The night in one sentence.
//!
//! # Example
//! ```
//! let mut data: report::ReportData = serde_json::from_str(include_str!("../examples/sample.json")).unwrap();
//! assert_eq!(report::headline(&data), "3\u{a0}edges tonight, 4.1\u{a0}% of bankroll at risk");
//! data.picks.clear();
//! data.no_edge_reason = None;
//! assert_eq!(report::headline(&data), "No edge tonight: none of 214\u{a0}prices beats its fair price by enough");
//! ```

use crate::{
    format::shorten,
    input::{Mode, ReportData},
    locale::Locale,
    words::Said,
};

/// Longest reason that fits the headline, in characters.
const LONGEST_REASON: usize = 140;

/// Says how many edges there are and what is at risk, or why there is none; a locale that is none counts
/// as the house's own.
pub fn headline(data: &ReportData) -> String {
    written(data, &Locale::new(&data.locale).unwrap_or_default())
}

/// Says the same in the way of a locale that is known already.
pub(crate) fn written(data: &ReportData, way: &Locale) -> String {
    said(data, way).whole()
}

/// Says the same, with a reason from outside kept apart.
pub(crate) fn said(data: &ReportData, way: &Locale) -> Said {
    if data.picks.is_empty() {
        return no_edge(data, way);
    }
    let edges = way.counted(data.picks.len(), "edge");
    let share = way.percent(data.at_risk(), 1);
    Said::ours(match data.mode {
        Mode::Live => way.say_with("headline-live", &[("edges", &edges), ("share", &share)]),
        Mode::Paper => way.say_with("headline-paper", &[("edges", &edges)]),
    })
}

/// Says the same in the few words of a mail's subject: `3 edges`, `no edge`.
pub(crate) fn subject_words(data: &ReportData, way: &Locale) -> String {
    match data.picks.len() {
        0 => way.say("subject-none"),
        picks => way.counted(picks, "edge").replace('\u{a0}', " "),
    }
}

fn no_edge(data: &ReportData, way: &Locale) -> Said {
    let says = way.say("headline-none");
    let given = data.no_edge_reason.as_deref().map(|text| shorten(text, LONGEST_REASON));
    if let Some(text) = given.filter(|text| !text.is_empty()) {
        return Said { says, foreign: text.trim_end_matches('.').to_owned() };
    }
    let reason = if data.games == 0 {
        way.say("reason-no-game")
    } else if data.prices_compared == 0 {
        way.say_with("reason-no-price", &[("games", &way.counted(data.games, "game"))])
    } else {
        way.say_with("reason-no-price-beats", &[("prices", &way.counted(data.prices_compared, "price"))])
    };
    Said::ours(format!("{says} {reason}"))
}
