use proptest::prelude::*;

use super::*;

fn locale(tag: &str) -> Locale {
    Locale::new(tag).unwrap()
}

fn amount(text: &str) -> Money {
    text.parse().unwrap()
}

#[test]
fn numbers_have_the_signs_and_groups_of_the_country() {
    let seen: Vec<String> =
        ["en", "en-GB", "de-DE", "de-CH", "fr-FR", "hi-IN", "tr-TR", "sv-SE", "ja-JP", "ar-EG"]
            .map(|tag| {
                let way = locale(tag);
                let shares = (way.signed_percent(-0.0412, 1), way.signed_percent(0.5, 0));
                format!("{tag}: {} {} {} {}", way.number(-1.5, 2), way.count(12_345_678), shares.0, shares.1)
            })
            .to_vec();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn amounts_have_the_sign_and_the_place_of_the_country() {
    let tags = ["en", "en-US", "en-GB", "de-DE", "de-CH", "fr-FR", "nl-NL", "hi-IN", "ja-JP", "ar-EG"];
    let currencies = ["EUR", "USD", "JPY", "KWD", "CHF", "RSD", "ZZZ"];
    let row = |tag: &str| {
        let way = locale(tag);
        let cells = currencies.map(|code| way.profit(amount("1234567.89"), code));
        format!("{tag}: {} {}", cells.join(" | "), way.money(amount("-0.50"), "EUR"))
    };
    insta::assert_snapshot!(tags.map(row).join("\n"));
}

#[test]
fn days_and_clocks_are_those_of_the_country() {
    let at: Timestamp = "2026-11-20T19:45:00Z".parse().unwrap();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let date = jiff::civil::date(2026, 11, 20);
    let row = |tag: &str| {
        let way = locale(tag);
        let days =
            [way.day(date), way.full_day(date), way.week_day(date), way.long_day(date), way.drawn_day(date)];
        format!("{tag}: {} | {} | {}", way.near(at, &zone), way.dated(at, &zone), days.join(" | "))
    };
    let tags =
        ["en", "en-US", "en-GB", "de-DE", "fr-FR", "ja-JP", "th-TH", "ar-EG", "en-US-u-hc-h23"].map(row);
    insta::assert_snapshot!(tags.join("\n"));
}

#[test]
fn a_tag_that_is_none_is_told_what_to_write() {
    for (tag, problem) in
        [("de_DE!", "is no locale"), ("xx-YY", "nothing is known"), ("und", "nothing is known")]
    {
        let message = Locale::new(tag).unwrap_err().to_string();
        assert!(message.contains(problem) && message.contains("write a"), "{message}");
    }
}

#[test]
fn the_house_way_is_taken_without_a_tag() {
    for tag in ["", " ", "en", "EN"] {
        let way = locale(tag);
        assert_eq!((way.tag(), way.money(amount("1.50"), "EUR")), ("en", "€1.50".to_owned()));
    }
    assert_eq!(locale("DE-de").tag(), "de-DE");
}

#[test]
fn an_interval_has_its_sign_once_and_on_its_side() {
    assert_eq!(locale("de-DE").percent_interval((0.472, 0.559), 1), "47,2–55,9\u{a0}%");
    assert_eq!(locale("tr-TR").percent_interval((0.472, 0.559), 1), "%47,2–55,9");
    assert_eq!(locale("en").percent_interval((0.472, 0.559), 1), "47.2–55.9\u{a0}%");
}

#[test]
fn prices_and_points_have_the_sign_of_the_country() {
    let german = locale("de-DE");
    assert_eq!(german.price(Price::new(1.95).unwrap()), "1,95");
    let words =
        |side, points| german.selection("Leeds", "Hull", Market::Spread, side, Points::from_f64(points));
    assert_eq!(words(Selection::Away, -0.75), "Hull −0,75");
    assert_eq!(words(Selection::Home, 3.0), "Leeds +3");
}

#[test]
fn a_selection_reads_like_a_slip() {
    let house = Locale::default();
    let words = |market, side, points| house.selection("Leeds", "Hull", market, side, points);
    assert_eq!(words(Market::Spread, Selection::Away, Points::from_f64(-0.75)), "Hull −0.75");
    assert_eq!(words(Market::Spread, Selection::Home, Points::from_f64(3.0)), "Leeds +3");
    assert_eq!(words(Market::Total, Selection::Under, Points::from_f64(47.5)), "Under 47.5");
    assert_eq!(words(Market::Moneyline, Selection::Draw, None), "Draw");
    assert_eq!(words(Market::Moneyline, Selection::Home, None), "Leeds to win");
}

#[test]
fn an_age_is_read_at_a_glance() {
    let now: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
    for (instant, english, german) in [
        ("2026-11-20T07:48:00Z", "12\u{a0}min", "12\u{a0}Min."),
        ("2026-11-20T03:00:00Z", "5\u{a0}h", "5\u{a0}Std."),
        ("2026-11-10T08:00:00Z", "10\u{a0}d", "10\u{a0}Tage"),
        ("2026-11-21T08:00:00Z", "0\u{a0}min", "0\u{a0}Min."),
    ] {
        let instant = instant.parse().unwrap();
        assert_eq!(Locale::default().age(instant, now), english);
        assert_eq!(locale("de-DE").age(instant, now), german);
    }
}

#[test]
fn what_is_drawn_has_digits_that_the_font_has() {
    assert_eq!(locale("ar-EG").drawn(1234.0, 0), "1,234");
    assert_eq!(locale("de-DE").drawn(1234.0, 0), "1.234");
    assert_eq!(locale("en").drawn(1234.0, 0), "1234");
}

const TAGS: [&str; 12] =
    ["en", "en-GB", "en-IN", "de-DE", "de-CH", "fr-CH", "pt-PT", "nl-NL", "ja-JP", "tr-TR", "he-IL", "zh-TW"];
const CURRENCIES: [&str; 10] = ["EUR", "USD", "JPY", "KWD", "RSD", "IQD", "CLF", "XXX", "not a code", ""];

proptest! {
    #[test]
    fn an_amount_keeps_its_digits(
        cents in -1_000_000_000_000_000_i64..1_000_000_000_000_000,
        tag in prop::sample::select(&TAGS[..]),
        code in prop::sample::select(&CURRENCIES[..]),
    ) {
        let amount = amount(&format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100));
        let shown = locale(tag).money(amount, code);
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let plain = currency::plain(amount, code);
        prop_assert_eq!(digits(&shown), digits(&plain), "{} in {}", shown, tag);
        prop_assert_eq!(shown.contains('−'), plain.starts_with('-'), "{} in {}", shown, tag);
        let gain = locale(tag).profit(amount, code);
        prop_assert_eq!(digits(&gain), digits(&plain), "{} in {}", gain, tag);
    }

    #[test]
    fn no_text_makes_a_locale_panic(tag in "\\PC{0,12}", value in any::<f64>(), code in "[A-Z]{3}") {
        if let Ok(way) = Locale::new(&tag) {
            let money = amount("-12.34");
            let _ = (way.number(value, 2), way.signed_percent(value, 1), way.money(money, &code), way.profit(money, &code));
        }
    }

    #[test]
    fn a_price_reads_back(price in 1.01_f64..1000.0) {
        let price = Price::new((price * 100.0).round() / 100.0).unwrap();
        let shown = locale("de-DE").price(price).replace('.', "").replace(',', ".");
        prop_assert!((shown.parse::<f64>().unwrap() - price.decimal()).abs() < 1e-9);
    }
}
