//! Invented names: teams with their homes, people, books.

/// A team's home.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    pub(super) team: &'static str,
    pub(super) venue: &'static str,
    pub(super) roof: &'static str,
    pub(super) surface: &'static str,
}

const fn home(team: &'static str, venue: &'static str, roof: &'static str, surface: &'static str) -> Home {
    Home { team, venue, roof, surface }
}

/// Number of teams.
pub(super) const TEAMS: usize = 24;

/// The teams; the order never changes, because it numbers them.
pub(super) const HOMES: [Home; TEAMS] = [
    home("Alderport Herons", "Saltmarsh Field", "open", "grass"),
    home("Amberley Foxes", "Amberley Park", "open", "grass"),
    home("Blackmoor Ravens", "The Cauldron", "open", "turf"),
    home("Brightwater Otters", "Brightwater Dome", "dome", "turf"),
    home("Carrow Kestrels", "Kestrel Heights", "open", "grass"),
    home("Cinder Bay Comets", "Cinder Bay Arena", "closed", "turf"),
    home("Dunmere Stags", "Dunmere Green", "open", "grass"),
    home("Eastvale Lanterns", "Lantern House", "dome", "turf"),
    home("Elmstead Badgers", "Elmstead Oval", "open", "grass"),
    home("Fairhollow Bells", "Bell Common", "open", "grass"),
    home("Glenharrow Wolves", "Wolfpit Road", "open", "turf"),
    home("Goldcrest Pilots", "Pilot Hangar", "closed", "turf"),
    home("Highmere Condors", "Summit Bowl", "open", "grass"),
    home("Ironbridge Smiths", "Anvil Yard", "open", "turf"),
    home("Kingsmouth Tritons", "Tidewall Stadium", "open", "grass"),
    home("Larkhaven Skylarks", "Larkhaven Meadow", "open", "grass"),
    home("Marrowdale Bulls", "Marrowdale Ring", "closed", "turf"),
    home("Northgate Sentinels", "Northgate Dome", "dome", "turf"),
    home("Oakhurst Rangers", "Oakhurst Glade", "open", "grass"),
    home("Port Callow Mariners", "Harbour Ground", "open", "grass"),
    home("Quarry Hill Miners", "The Deep Pit", "open", "turf"),
    home("Redfern Cardinals", "Redfern Gardens", "open", "grass"),
    home("Silverlode Lynx", "Lode Arena", "closed", "turf"),
    home("Westering Gales", "Windmill Point", "open", "grass"),
];

/// Where the few games without a home side are played.
pub(super) const NEUTRAL_VENUE: &str = "Grand Meridian Stadium";

/// Referees.
pub(super) const REFEREES: [&str; 14] = [
    "A. Thornbury",
    "B. Quist",
    "C. Adeyle",
    "D. Marchetti",
    "E. Sandoval",
    "F. Okumura",
    "G. Lindqvist",
    "H. Farrow",
    "I. Petrakis",
    "J. Nkemdi",
    "K. Valcourt",
    "L. Brandt",
    "M. Osei",
    "N. Holloway",
];

const FIRST: [&str; 36] = [
    "Aldo", "Amos", "Andre", "Basil", "Bram", "Caleb", "Cato", "Dario", "Dov", "Eamon", "Elio", "Emil",
    "Ezra", "Felix", "Gideon", "Hugo", "Idris", "Ivo", "Jonas", "Kofi", "Lars", "Leander", "Marek", "Milo",
    "Nico", "Orson", "Pavel", "Quentin", "Rafe", "Rufus", "Soren", "Tadeo", "Umar", "Viktor", "Wendell",
    "Yannick",
];

const LAST: [&str; 64] = [
    "Abernethy",
    "Ashdown",
    "Barrow",
    "Bellamy",
    "Birch",
    "Blackwood",
    "Calloway",
    "Castellan",
    "Corrigan",
    "Cray",
    "Dalgaard",
    "Danvers",
    "Delacroix",
    "Drummond",
    "Eastman",
    "Ekwueme",
    "Fairbairn",
    "Fenwick",
    "Galloway",
    "Garrick",
    "Greaves",
    "Halloran",
    "Hartnell",
    "Hawke",
    "Ingram",
    "Ivanek",
    "Jessop",
    "Kaplan",
    "Keating",
    "Kowal",
    "Lachlan",
    "Larkin",
    "Lockhart",
    "Mbeki",
    "Mercer",
    "Montrose",
    "Moreau",
    "Nakata",
    "Nightingale",
    "Novak",
    "Oakes",
    "Okafor",
    "Pemberton",
    "Pike",
    "Quill",
    "Radcliffe",
    "Ramires",
    "Redgrave",
    "Rourke",
    "Salter",
    "Santoro",
    "Sinclair",
    "Stroud",
    "Tanaka",
    "Thackeray",
    "Tolliver",
    "Ueda",
    "Vance",
    "Varga",
    "Wainwright",
    "Westcott",
    "Whitlock",
    "Yarrow",
    "Zeller",
];

/// Returns the name of the `number`-th person of the world with this `seed`; no two are alike.
pub(super) fn person(seed: u64, number: u32) -> String {
    let count = (FIRST.len() * LAST.len()) as u64;
    // 1009 shares no divisor with 36 * 64, so the walk visits every pair once before it starts again.
    let pair = ((u64::from(number) * 1009 + seed % count) % count) as usize;
    let plain = format!("{} {}", FIRST[pair % FIRST.len()], LAST[pair / FIRST.len()]);
    match u64::from(number) / count {
        0 => plain,
        generation => format!("{plain} {}", generation + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_people_share_a_name() {
        let names: BTreeSet<String> = (0..5_000).map(|number| person(7, number)).collect();
        assert_eq!(names.len(), 5_000);
    }

    #[test]
    fn no_two_teams_or_venues_share_a_name() {
        let names: BTreeSet<&str> = HOMES.iter().flat_map(|home| [home.team, home.venue]).collect();
        assert_eq!(names.len(), 2 * TEAMS);
    }
}
