//! The pages of `edge serve` as people and browsers see them.

use std::fs;

use report::{
    ReportError,
    pages::{
        CONTENT_SECURITY_POLICY, Pages, Route,
        input::{GamePage, LedgerPage, ModelPage, ProblemPage, RunPage, RunsPage, SlatePage},
    },
};
use scraper::{Html, Selector};

use crate::facts;

/// Longest page in bytes.
const LONGEST_PAGE: usize = 300_000;

/// One of each page.
pub(crate) struct Night {
    pub(crate) slate: SlatePage,
    pub(crate) game: GamePage,
    pub(crate) ledger: LedgerPage,
    pub(crate) model: ModelPage,
    pub(crate) runs: RunsPage,
    pub(crate) run: RunPage,
    pub(crate) problem: ProblemPage,
}

impl Night {
    pub(crate) fn full() -> Self {
        Self {
            slate: facts::slate().unwrap(),
            game: facts::game().unwrap(),
            ledger: facts::ledger().unwrap(),
            model: facts::model().unwrap(),
            runs: facts::runs().unwrap(),
            run: facts::run().unwrap(),
            problem: facts::problem().unwrap(),
        }
    }

    pub(crate) fn nothing_yet() -> Self {
        let (slate, game, ledger, model, runs, run) = facts::nothing_yet().unwrap();
        Self { slate, game, ledger, model, runs, run, problem: facts::problem().unwrap() }
    }

    fn crowd() -> Self {
        let (slate, game, ledger) = facts::crowd().unwrap();
        let mut night = Self { slate, game, ledger, ..Self::full() };
        night.runs.runs = night.runs.runs.iter().cycle().take(1000).cloned().collect();
        night.run.tasks = night.run.tasks.iter().cycle().take(1000).cloned().collect();
        night.model.history = night.model.history.iter().cycle().take(1000).cloned().collect();
        night
    }

    pub(crate) fn write(&self, pages: &Pages) -> [(&'static str, String); 7] {
        [
            ("slate", pages.slate(&self.slate).unwrap()),
            ("game", pages.game(&self.game).unwrap()),
            ("ledger", pages.ledger(&self.ledger).unwrap()),
            ("model", pages.model(&self.model).unwrap()),
            ("runs", pages.runs(&self.runs).unwrap()),
            ("run", pages.run(&self.run).unwrap()),
            ("problem", pages.problem(&self.problem).unwrap()),
        ]
    }
}

pub(crate) fn all(night: &Night) -> [(&'static str, String); 7] {
    night.write(&Pages::built_in().unwrap())
}

pub(crate) fn complaints(html: &str) -> Vec<String> {
    Html::parse_document(html).errors.iter().map(ToString::to_string).collect()
}

pub(crate) fn found(html: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    Html::parse_document(html).select(&selector).map(|element| element.text().collect()).collect()
}

pub(crate) fn attributes(html: &str, selector: &str, name: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
}

#[test]
fn every_page_reads_as_recorded() {
    // The stylesheet's name changes with every touch of it and says nothing about the pages.
    insta::with_settings!({filters => vec![("edge-[0-9a-f]{12}", "edge-[hash]")]}, {
        for (name, html) in all(&Night::full()) {
            insta::assert_snapshot!(format!("serve_{name}"), html);
        }
        for (name, html) in all(&Night::nothing_yet()).into_iter().take(6) {
            insta::assert_snapshot!(format!("serve_first_{name}"), html);
        }
    });
}

#[test]
fn a_browser_has_nothing_to_complain_about_and_same_facts_give_the_same_bytes() {
    for night in [Night::full, Night::nothing_yet, Night::crowd] {
        for ((name, html), (_, again)) in all(&night()).into_iter().zip(all(&night())) {
            assert_eq!(complaints(&html), Vec::<String>::new(), "{name}");
            assert_eq!(html, again, "{name}");
        }
    }
}

#[test]
fn no_page_grows_beyond_what_loads_at_once() {
    for (name, html) in all(&Night::crowd()) {
        assert!(html.len() <= LONGEST_PAGE, "{name}: {} bytes", html.len());
        assert!(name == "problem" || html.contains(" more "), "{name} says what it leaves out");
    }
    assert_eq!(found(&all(&Night::crowd())[0].1, "#games-table ~ tbody tr").len(), 300);
}

#[test]
fn every_link_is_a_known_route_or_leads_within_the_page() {
    for night in [Night::full, Night::nothing_yet] {
        for (name, html) in all(&night()) {
            let ids = attributes(&html, "[id]", "id");
            for href in attributes(&html, "a[href], link[href]", "href") {
                let is_known = match href.strip_prefix('#') {
                    Some(id) => ids.iter().any(|known| known == id),
                    None => Route::parse(&href).is_some(),
                };
                assert!(is_known, "{name}: {href}");
            }
        }
    }
}

#[test]
fn a_page_is_put_together_as_it_should_be() {
    for night in [Night::full, Night::nothing_yet] {
        for (name, html) in all(&night()) {
            assert_eq!(found(&html, "h1").len(), 1, "{name}");
            assert_eq!(found(&html, "main").len(), 1, "{name}");
            let tables = found(&html, "table").len();
            assert_eq!(found(&html, "table > caption").len(), tables, "{name}");
            assert_eq!(found(&html, "[tabindex='0'][aria-labelledby] > table").len(), tables, "{name}");
            assert!(found(&html, "th:not([scope])").is_empty(), "{name}");
            assert!(attributes(&html, "svg[role=img]", "aria-label").iter().all(|alt| alt.len() > 30));
            let mut ids = attributes(&html, "[id]", "id");
            let count = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count, "{name} says an id twice");
            let mut level = 1;
            for heading in attributes_of_headings(&html) {
                assert!(heading <= level + 1, "{name}: h{heading} after h{level}");
                level = heading;
            }
        }
    }
}

fn attributes_of_headings(html: &str) -> Vec<u8> {
    let page = Html::parse_document(html);
    let selector = Selector::parse("h1, h2, h3, h4").unwrap();
    page.select(&selector).map(|heading| heading.value().name().as_bytes()[1] - b'0').collect()
}

#[test]
fn the_policy_holds_nothing_runs_or_is_styled_within_the_page() {
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
    for (name, html) in all(&Night::full()) {
        let active =
            "style, iframe, object, embed, form, script:not([src]), img, [style], [onclick], [onload]";
        assert_eq!(found(&html, active), Vec::<String>::new(), "{name}");
        assert!(
            !html.contains("http") || html.matches("http").count() == html.matches("www.w3.org").count(),
            "{name}"
        );
    }
}

#[test]
fn where_nothing_is_yet_the_page_says_what_to_run() {
    let expected = [
        ("slate", "edge nightly"),
        ("game", "edge graph build"),
        ("ledger", "edge ledger settle"),
        ("model", "edge train"),
        ("runs", "edge nightly"),
    ];
    let pages = all(&Night::nothing_yet());
    for (name, command) in expected {
        let html = &pages.iter().find(|(page, _)| *page == name).unwrap().1;
        assert!(found(html, ".nothing code").contains(&command.to_owned()), "{name}");
        assert!(found(html, "table").is_empty() && found(html, "svg").is_empty(), "{name}");
    }
}

#[test]
fn the_place_in_the_navigation_is_told() {
    for (name, html) in all(&Night::full()) {
        let current = found(&html, "header [aria-current=page]");
        let expected: &[&str] = match name {
            "slate" | "game" => &["Slate"],
            "ledger" => &["Ledger"],
            "model" => &["Model"],
            "runs" | "run" => &["Runs"],
            _ => &[],
        };
        assert_eq!(current, expected, "{name}");
    }
}

#[test]
fn the_facts_survive_being_written_as_json() {
    let night = Night::full();
    let json = serde_json::to_string(&night.game).unwrap();
    assert_eq!(serde_json::from_str::<GamePage>(&json).unwrap(), night.game);
    let json = serde_json::to_string(&night.run).unwrap();
    assert_eq!(serde_json::from_str::<RunPage>(&json).unwrap(), night.run);
    let json = serde_json::to_string(&night.ledger).unwrap();
    assert_eq!(serde_json::from_str::<LedgerPage>(&json).unwrap(), night.ledger);
    let json = serde_json::to_string(&night.model).unwrap();
    assert_eq!(serde_json::from_str::<ModelPage>(&json).unwrap(), night.model);
}

#[test]
fn a_template_can_be_replaced_and_a_mistake_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("pages");
    fs::write(folder.path().join("report.txt"), "{{ headline }}\n").unwrap();
    let problem = facts::problem().unwrap();
    let built_in = Pages::built_in().unwrap();
    let pages = Pages::with_overrides(folder.path()).unwrap();
    assert_eq!(
        pages.problem(&problem).unwrap(),
        built_in.problem(&problem).unwrap(),
        "there is no folder yet"
    );
    fs::create_dir(&own).unwrap();
    let path = own.join("problem.html");
    fs::write(&path, "<p>{{ page.detail }}</p>\n").unwrap();
    fs::write(own.join("edge.css"), "p { color: red }").unwrap();
    let pages = Pages::with_overrides(folder.path()).unwrap();
    assert!(pages.problem(&problem).unwrap().starts_with("<p>The store knows no game"));
    assert_ne!(pages.assets()[0].path, built_in.assets()[0].path);
    assert!(report::Templates::with_overrides(folder.path()).is_ok(), "one folder serves both");
    fs::write(&path, "a\nb\n{{ page.no_such_thing }}\n").unwrap();
    let error = Pages::with_overrides(folder.path()).unwrap().problem(&problem).unwrap_err();
    assert!(
        matches!(&error, ReportError::Template { file, line: 3, .. } if *file == path.display().to_string()),
        "{error:?}"
    );
    fs::write(own.join("slates.html"), "").unwrap();
    let error = Pages::with_overrides(folder.path()).unwrap_err().to_string();
    assert!(error.contains("slates.html") && error.contains("slate.html"), "{error}");
    let error = Pages::with_overrides("no/such/folder".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the templates in no/such/folder");
}
