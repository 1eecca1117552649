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
    if data.picks.is_empty() {
        return format!("No edge tonight: {}", reason(data, way));
    }
    let edges = way.counted(data.picks.len(), "edge");
    match data.mode {
        Mode::Live => format!("{edges} tonight, {} of bankroll at risk", way.percent(data.at_risk(), 1)),
        Mode::Paper => format!("{edges} tonight, on paper only"),
    }
}

/// Says the same in the few words of a mail's subject: `3 edges`, `no edge`.
pub(crate) fn subject_words(data: &ReportData, way: &Locale) -> String {
    match data.picks.len() {
        0 => "no edge".to_owned(),
        picks => way.counted(picks, "edge").replace('\u{a0}', " "),
    }
}

fn reason(data: &ReportData, way: &Locale) -> String {
    let given = data.no_edge_reason.as_deref().map(|text| shorten(text, LONGEST_REASON));
    match given.filter(|text| !text.is_empty()) {
        Some(text) => text.trim_end_matches('.').to_owned(),
        None if data.games == 0 => "no game starts within the slate".to_owned(),
        None if data.prices_compared == 0 => {
            format!("{} but no price to compare", way.counted(data.games, "game"))
        }
        None => {
            format!("none of {}\u{a0}prices beats its fair price by enough", way.count(data.prices_compared))
        }
    }
}
