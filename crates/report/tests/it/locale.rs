//! The report in the way of the reader's country.

use report::{Rendered, ReportData, ReportError, render};
use unicode_width::UnicodeWidthStr;

use crate::fixture::normal_night;

fn night_in(locale: &str, currency: &str) -> ReportData {
    ReportData { locale: locale.to_owned(), currency: currency.to_owned(), ..normal_night() }
}

#[test]
fn a_german_night_reads_as_recorded() {
    let Rendered { html, text, .. } = render(&night_in("de-DE", "EUR")).unwrap();
    insta::assert_snapshot!("text_german", text);
    insta::assert_snapshot!("page_german", html);
}

#[test]
fn a_german_page_says_which_words_are_english() {
    let Rendered { html, mail_html, subject, .. } = render(&night_in("de-DE", "EUR")).unwrap();
    assert!(subject.ends_with("3 Vorteile"), "{subject}");
    for page in [&html, &mail_html] {
        assert!(page.contains("<html lang=\"de\"") && page.contains("Vorteile heute Nacht"), "{page}");
        assert!(page.contains("<span lang=\"en\">Both sides score less"), "a reason keeps its language");
        for word in ["Stake", "Probability", "Near misses", " v ", "edges tonight"] {
            assert!(!page.contains(word), "{word} is left in {page}");
        }
    }
    for tag in ["en", "fr-FR"] {
        let html = render(&night_in(tag, "EUR")).unwrap().html;
        assert!(html.contains("<html lang=\"en\">") && !html.contains("<span lang="), "{tag}");
    }
}

#[test]
fn a_name_cannot_break_out_of_a_translated_sentence() {
    let mut data = night_in("de-DE", "EUR");
    data.picks[0].cancel_when = Some("<script>alert(1)</script>".to_owned());
    data.weights_version = "<b>{ $zone }</b>".to_owned();
    let Rendered { html, mail_html, .. } = render(&data).unwrap();
    for page in [html, mail_html] {
        assert!(!page.contains("<script") && !page.contains("<b>{"), "{page}");
        assert!(page.contains("&lt;script&gt;"));
    }
}

#[test]
fn the_page_the_mail_and_the_charts_follow_the_country() {
    let Rendered { html, mail_html, text, .. } = render(&night_in("de-DE", "EUR")).unwrap();
    for part in [&html, &mail_html, &text] {
        assert!(part.contains("1,95") && part.contains("Freitag, 20. November 2026"), "{part}");
        assert!(!part.contains("€1"), "no amount in the house's own way");
    }
    assert!(html.contains("20.11."), "the days of the chart");
}

#[test]
fn a_currency_without_cents_has_none_anywhere() {
    let text = render(&night_in("ja-JP", "JPY")).unwrap().text;
    let amounts: Vec<&str> = text.split('￥').skip(1).collect();
    assert!(amounts.len() > 10, "{text}");
    for after in amounts {
        let digits: String =
            after.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '.')).collect();
        assert!(!digits.trim_end_matches(['.', ',']).contains('.'), "￥{digits}");
    }
}

#[test]
fn the_columns_of_the_text_stand_under_each_other() {
    let nights = [("en", "EUR"), ("de-DE", "EUR"), ("ja-JP", "JPY"), ("de-CH", "RSD"), ("fr-FR", "KWD")];
    for (locale, currency) in nights {
        let mut data = night_in(locale, currency);
        data.record[0].profit = "-123456789.12".parse().unwrap();
        data.record[0].staked = "987654321000.00".parse().unwrap();
        let text = render(&data).unwrap().text;
        let word = if locale.starts_with("de") { "Rendite" } else { "Return" };
        let mut lines =
            text.lines().skip_while(|line| !line.starts_with("Slice") && !line.starts_with("Teil "));
        let end_of = |line: &str, word: &str| line.find(word).map(|at| line[..at].width() + word.width());
        let header = end_of(lines.next().unwrap(), word);
        for line in lines.take(data.record.len()) {
            assert_eq!(end_of(line, "%"), header, "{locale}: {line}");
            assert!(line.contains(" -") || line.contains(" +"), "{locale}: {line}");
        }
    }
}

#[test]
fn a_locale_that_is_none_is_refused_with_what_to_write() {
    let error = render(&night_in("Deutsch, bitte", "EUR")).unwrap_err();
    assert!(matches!(error, ReportError::Locale(_)));
    assert!(error.to_string().contains("write a language tag"), "{error}");
}

#[test]
fn a_report_stored_before_there_were_locales_reads_and_keeps_its_bytes() {
    let stored = serde_json::to_value(normal_night()).unwrap();
    assert!(stored.get("locale").is_none(), "facts without a locale are written as before");
    let german = serde_json::to_value(night_in("de-DE", "EUR")).unwrap();
    assert_eq!(german["locale"], "de-DE");
    assert_eq!(german["picks"], stored["picks"], "what machines read does not change");
}
