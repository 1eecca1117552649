//! What every page has around its content: title, navigation, files, footer.

use serde::Serialize;

use super::{
    Route,
    assets::Assets,
    pen::{Link, Moment, Pen},
};
use crate::{format, input::Mode};

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Slate,
    Ledger,
    Model,
    Runs,
    Nowhere,
}

#[derive(Debug, Serialize)]
pub(super) struct Frame {
    title: String,
    site: String,
    home: String,
    navigation: Vec<Link>,
    stylesheet: String,
    script: String,
    icon: String,
    zone: String,
    now: Moment,
    /// Whether the script asks for the page again from time to time.
    is_live: bool,
}

/// A page's content within its frame: what the templates see.
#[derive(Debug, Serialize)]
pub(super) struct Framed<P> {
    pub(super) frame: Frame,
    pub(super) page: P,
}

impl Frame {
    pub(super) fn new(title: &str, place: Place, pen: &Pen<'_>, assets: &Assets) -> Self {
        let site = format::name(&pen.site.title);
        let title = format::name(title);
        let [stylesheet, script, icon] = assets.paths();
        Self {
            title: if title.is_empty() { site.clone() } else { format!("{title} · {site}") },
            site,
            home: Route::Today.to_string(),
            navigation: navigation(place),
            stylesheet,
            script,
            icon,
            zone: format::name(&pen.site.time_zone),
            now: pen.dated(pen.site.now),
            is_live: false,
        }
    }

    pub(super) fn live(mut self, is_live: bool) -> Self {
        self.is_live = is_live;
        self
    }
}

fn navigation(place: Place) -> Vec<Link> {
    let ledger = Route::Ledger { mode: Mode::Live, page: 1 };
    let entries = [
        (Place::Slate, Route::Today, "Slate"),
        (Place::Ledger, ledger, "Ledger"),
        (Place::Model, Route::Model, "Model"),
        (Place::Runs, Route::Runs, "Runs"),
    ];
    entries
        .map(|(entry, route, text)| Link {
            href: route.to_string(),
            text: text.to_owned(),
            is_current: entry == place,
        })
        .to_vec()
}
