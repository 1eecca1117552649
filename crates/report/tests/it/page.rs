//! The page, the mail's HTML and the text as people see them.

use std::collections::BTreeMap;

use report::{Rendered, ReportData, format::money, render};
use scraper::{Html, Selector};

use crate::fixture::{failed_training, first_night, many_picks, no_edge, normal_night};

/// Complaints of a browser's parser.
fn complaints(html: &str) -> Vec<String> {
    Html::parse_document(html).errors.iter().map(ToString::to_string).collect()
}

fn texts(html: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).map(|element| element.text().collect::<String>()).collect()
}

fn nights() -> [(&'static str, ReportData); 4] {
    [
        ("normal", normal_night()),
        ("no_edge", no_edge()),
        ("first", first_night()),
        ("failed_training", failed_training()),
    ]
}

#[test]
fn the_whole_page_reads_as_recorded() {
    for (night, data) in nights() {
        insta::assert_snapshot!(format!("page_{night}"), render(&data).unwrap().html);
    }
}

#[test]
fn the_whole_mail_reads_as_recorded() {
    for (night, data) in [("normal", normal_night()), ("first", first_night())] {
        // A line per row and paragraph, so that a difference can be read.
        let break_before = |html: String, tag: &&str| html.replace(tag, &format!("\n{tag}"));
        let tags = ["<tr", "<p", "<h1", "<h2", "<!--[if", "<img"];
        let lines = tags.iter().fold(render(&data).unwrap().mail_html, break_before);
        insta::assert_snapshot!(format!("mail_{night}"), lines);
    }
}

#[test]
fn the_stored_facts_read_as_recorded() {
    for (night, data) in nights() {
        insta::assert_json_snapshot!(format!("facts_{night}"), data);
    }
}

/// The text of a huge night; of the picks in the middle only how many lines they take.
#[test]
fn three_hundred_picks_read_as_recorded() {
    let text = render(&many_picks(300)).unwrap().text;
    let number = |line: &str| line.split_once(". ").and_then(|(number, _)| number.parse::<usize>().ok());
    let is_middle = |number: usize| (3..=18).contains(&number) || (23..=298).contains(&number);
    let mut kept: Vec<String> = Vec::new();
    let mut left_out = 0;
    for line in text.lines() {
        let goes_on = left_out > 0 && (line.is_empty() || line.starts_with("   "));
        if goes_on || number(line).is_some_and(is_middle) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            kept.push(format!("[{left_out} lines]"));
        }
        left_out = 0;
        kept.push(line.to_owned());
    }
    insta::assert_snapshot!("text_300_picks", kept.join("\n"));
}

/// Page and facts of a huge night, of lines that differ in nothing but numbers the first three.
#[test]
fn page_and_facts_of_three_hundred_picks_are_as_recorded() {
    let data = many_picks(300);
    insta::assert_snapshot!("page_300_picks", abridged(&render(&data).unwrap().html));
    insta::assert_snapshot!("facts_300_picks", abridged(&serde_json::to_string_pretty(&data).unwrap()));
}

fn abridged(text: &str) -> String {
    let (mut seen, mut kept, mut left_out) = (BTreeMap::<String, usize>::new(), Vec::new(), 0);
    for line in text.lines() {
        let shape: String = line.chars().filter(|character| !character.is_ascii_digit()).collect();
        let count = seen.entry(shape).or_default();
        *count += 1;
        if *count > 3 {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            kept.push(format!("[{left_out} lines]"));
        }
        left_out = 0;
        kept.push(line.to_owned());
    }
    kept.join("\n")
}

#[test]
fn the_plain_text_reads_as_recorded() {
    for (night, data) in nights() {
        insta::assert_snapshot!(format!("text_{night}"), render(&data).unwrap().text);
    }
}

#[test]
fn the_facts_survive_being_written_as_json() {
    for (_, data) in nights() {
        let json = serde_json::to_string(&data).unwrap();
        assert_eq!(serde_json::from_str::<ReportData>(&json).unwrap(), data);
    }
}

#[test]
fn same_facts_give_the_same_bytes() {
    assert_eq!(render(&normal_night()).unwrap(), render(&normal_night()).unwrap());
}

#[test]
fn a_browser_has_nothing_to_complain_about() {
    for (night, data) in nights() {
        let Rendered { html, mail_html, .. } = render(&data).unwrap();
        assert_eq!(complaints(&html), Vec::<String>::new(), "{night}");
        assert_eq!(complaints(&mail_html), Vec::<String>::new(), "{night} as mail");
    }
    assert!(!complaints("<!DOCTYPE html><table><tr><td></p></table>").is_empty(), "the check itself works");
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let Rendered { html, mail_html, attachments, .. } = render(&normal_night()).unwrap();
    for page in [&html, &mail_html] {
        let parsed = Html::parse_document(page);
        let active =
            Selector::parse("script, link, iframe, object, embed, form, [onclick], [onload]").unwrap();
        assert_eq!(parsed.select(&active).count(), 0);
        assert!(!page.contains("@import") && !page.contains("url("));
        let with_source = Selector::parse("[src]").unwrap();
        let sources: Vec<_> = parsed.select(&with_source).filter_map(|e| e.value().attr("src")).collect();
        let known: Vec<_> = attachments.iter().map(|picture| format!("cid:{}", picture.content_id)).collect();
        assert!(sources.is_empty() || sources == known, "{sources:?}");
    }
}

#[test]
fn every_picture_has_words_for_those_who_cannot_see_it() {
    let Rendered { html, mail_html, .. } = render(&normal_night()).unwrap();
    let page = Html::parse_document(&html);
    let charts: Vec<_> = page.select(&Selector::parse("svg.chart").unwrap()).collect();
    assert_eq!(charts.len(), 2);
    assert!(charts.iter().all(|svg| svg.value().attr("aria-label").is_some_and(|alt| alt.len() > 30)));
    let mail = Html::parse_document(&mail_html);
    let images: Vec<_> = mail.select(&Selector::parse("img").unwrap()).collect();
    assert_eq!(images.len(), 2);
    assert!(images.iter().all(|image| image.value().attr("alt").is_some_and(|alt| alt.len() > 30)));
}

#[test]
fn the_text_says_every_number_that_the_page_says_of_a_pick() {
    let data = normal_night();
    let Rendered { html, text, .. } = render(&data).unwrap();
    for pick in &data.picks {
        let stake = money(pick.stake, "EUR");
        let price = pick.price.to_string();
        let fair = pick.fair_price.to_string();
        for fact in [stake.as_str(), &price, &fair, pick.why.split('\'').next().unwrap(), pick.book.as_str()]
        {
            assert!(html.contains(fact) && text.contains(fact), "{fact}");
        }
    }
}

#[test]
fn the_first_lines_say_what_a_reader_must_know() {
    let html = render(&normal_night()).unwrap().html;
    assert_eq!(texts(&html, "h1"), ["3\u{a0}edges tonight, 4.1\u{a0}% of bankroll at risk"]);
    let notices = texts(&html, ".note");
    assert_eq!(
        notices,
        [
            "Step train failed; used instead: the champion of 17 November.",
            "Feed GRIDIRON is late: its newest price is 13\u{a0}h old.",
        ]
    );
}

#[test]
fn a_night_without_trouble_says_so_and_only_that_one() {
    let says = |data: &ReportData| {
        let Rendered { html, mail_html, text, .. } = render(data).unwrap();
        [html, mail_html, text]
            .map(|page| page.contains("Every feed is fresh and every step of the night was done."))
    };
    let troubled = failed_training();
    let mut quiet = failed_training();
    quiet.failed_tasks.clear();
    assert_eq!((says(&quiet), says(&troubled)), ([true; 3], [false; 3]));
    assert_eq!((says(&normal_night()), says(&first_night())), ([false; 3], [false; 3]));
}

#[test]
fn each_bet_stands_before_the_reasons_with_book_price_and_stake() {
    let data = normal_night();
    let Rendered { html, mail_html, .. } = render(&data).unwrap();
    assert_eq!(texts(&html, "h2")[..2], ["What to bet", "Why these bets"]);
    let rows = texts(&html, ".slip tbody tr");
    assert_eq!(rows.len(), data.picks.len());
    assert_eq!(
        rows[0],
        "Under 2.5Millbrook Athletic v Westmoor, Fri\u{a0}20\u{a0}Nov\u{a0}19:00Corner House1.981.90€14.00"
    );
    let first_row = "<b><bdi>Under 2.5</bdi></b>";
    assert!(mail_html.find(first_row) < mail_html.find("Why these bets") && mail_html.contains(first_row));
}

#[test]
fn page_mail_and_text_say_the_same_sentences() {
    let Rendered { html, mail_html, text, .. } = render(&normal_night()).unwrap();
    let plain = |html: &str| texts(html, "body").concat().replace('\u{a0}', " ").replace('−', "-");
    for sentence in [
        "Luck or skill? On 117 games the bets claimed +€38.40 ± €139.20 (+€11.60 at the closing prices)",
        "nothing speaks against them.",
        "only what was known before 20 Nov 2026 09:00 was used.",
        "Champion 2026-11-17-9be1d07c since 17 Nov 2026 04:12, chosen from 24 configurations",
        "Cancel if the price is below 1.90.",
        "Linear with prices",
        "no price from Northbet since Wednesday",
    ] {
        for (place, words) in [("page", plain(&html)), ("mail", plain(&mail_html)), ("text", text.clone())] {
            assert!(words.contains(sentence), "{place}: {sentence}");
        }
    }
}

#[test]
fn the_page_is_made_of_what_it_means() {
    for (night, data) in nights() {
        let page = Html::parse_document(&render(&data).unwrap().html);
        let count = |selector: &str| page.select(&Selector::parse(selector).unwrap()).count();
        assert_eq!((count("header"), count("main"), count("h1")), (1, 1, 1), "{night}");
        assert_eq!(count("article"), data.picks.len(), "{night}");
        assert_eq!(count("table"), count("table.data > caption"), "{night}: a table without a caption");
        assert_eq!(count("table table") + count("[role=presentation]"), 0, "{night}: a table for layout");
        assert_eq!(count("th:not([scope])"), 0, "{night}: a head of nothing");
        assert_eq!(count("section"), count("section > h2:first-child"), "{night}");
    }
}

#[test]
fn the_mail_is_made_of_tables_600_pixels_wide() {
    let mail_html = render(&normal_night()).unwrap().mail_html;
    assert!(mail_html.contains("<!--[if mso | IE]><table") && mail_html.contains("max-width:600px"));
    assert!(
        mail_html.contains("@media (prefers-color-scheme:dark)") && mail_html.contains("max-width:520px")
    );
    let page = Html::parse_document(&mail_html);
    let layout = Selector::parse("body table:not([role=presentation]) table").unwrap();
    assert_eq!(page.select(&layout).count(), 0, "a table of data holds no other");
    let cells = Selector::parse("td.data td, td.data th").unwrap();
    assert!(page.select(&cells).count() > 100);
    assert!(
        page.select(&cells)
            .all(|cell| cell.value().attr("style").is_some_and(|style| style.contains("padding")))
    );
}

#[test]
fn a_missing_lens_is_no_zero() {
    let html = render(&normal_night()).unwrap().html;
    let lenses: Vec<String> = texts(&html, ".lens");
    assert!(lenses.iter().any(|lens| lens.contains("Mr. Market") && lens.contains("no data")), "{lenses:?}");
    assert!(!lenses.iter().any(|lens| lens.contains("0.00")));
    assert!(html.contains("Mr. Market has no data: only one book has a fresh price."));
}

#[test]
fn a_mail_is_never_clipped_however_many_picks_there_are() {
    for count in [0, 1, 20, 300] {
        let Rendered { html, mail_html, text, .. } = render(&many_picks(count)).unwrap();
        assert!(
            mail_html.len() <= report::templates::LONGEST_MAIL,
            "{count} picks: {} bytes",
            mail_html.len()
        );
        assert_eq!(complaints(&mail_html), Vec::<String>::new());
        // Every pick is traced once on the page and in the text, shown in full or not.
        assert_eq!(text.matches(". price from ").count() + text.matches(" row 1184, 20 Nov").count(), count);
        assert_eq!(html.matches(" row 1184").count(), count);
        if count == 300 {
            assert!(mail_html.contains("more picks of 300 in the full report"));
        }
    }
}

#[test]
fn the_page_of_a_normal_night_is_short_enough_for_a_mail_too() {
    assert!(render(&normal_night()).unwrap().html.len() < 102_000);
}

#[test]
fn an_unknown_time_zone_is_named() {
    let mut data = normal_night();
    data.time_zone = "Europe/Atlantis".to_owned();
    let error = render(&data).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Europe/Atlantis` is no time zone: write an IANA name such as Europe/Berlin"
    );
}
