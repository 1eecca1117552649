//! Facts to words: every number of the report is written here, once, for page, mail and text alike.

pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod model;
pub(crate) mod pick;
pub(crate) mod slate;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::{
    chart::Charts,
    format, headline,
    input::{Mode, ReportData},
    locale::Locale,
    words::Said,
};

/// How much of each list a variant shows; what is left out is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Picks shown in full.
    pub(crate) cards: usize,
    /// Further picks shown as one row each.
    pub(crate) rows: usize,
    /// Rows of every other list.
    pub(crate) list: usize,
}

/// What the templates see: text, and flags for what to show.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    title: String,
    date: String,
    preheader: String,
    headline: String,
    /// The same, with a reason from outside kept apart.
    headline_said: Said,
    /// Language of the words, for `lang`.
    language: &'static str,
    summary: String,
    is_paper: bool,
    notices: Vec<Said>,
    /// Whether nothing went wrong: no step failed, no feed is late, a model is there.
    is_well: bool,
    picks: pick::Picks,
    near_misses: Section<pick::NearMissRow>,
    slate: Section<slate::SlateRow>,
    settled: history::Settled,
    bankroll: Option<history::Bankroll>,
    record: Section<history::RecordLine>,
    /// Width of the column of profits in the plain text.
    profit_column: usize,
    /// Whether the record is luck, in one sentence; none when the ledger does not say.
    luck: Option<Said>,
    models: Section<model::ModelTable>,
    champion: Option<model::ChampionView>,
    reliability: Option<model::Reliability>,
    feeds: Section<health::FeedRow>,
    quarantine: health::QuarantineView,
    failed_tasks: Section<health::FailedRow>,
    assumptions: Section<String>,
    zone: String,
    as_of: String,
    weights_version: String,
    /// Set for the page and the mail; the text has no charts.
    charts: ChartsView,
}

/// A list, cut to its limit, with the number of what was left out.
#[derive(Debug, Serialize)]
pub(crate) struct Section<T> {
    rows: Vec<T>,
    left_out: usize,
}

/// What stands in the place of each chart.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ChartsView {
    bankroll: Option<ChartView>,
    reliability: Option<ChartView>,
}

#[derive(Debug, Serialize)]
struct ChartView {
    content_id: &'static str,
    alt: String,
    svg: String,
}

/// What the row builders share.
pub(crate) struct Style<'a> {
    pub(crate) locale: &'a Locale,
    pub(crate) zone: &'a TimeZone,
    pub(crate) currency: &'a str,
    pub(crate) limits: Limits,
}

impl Style<'_> {
    fn section<T, U>(&self, facts: &[T], row: impl FnMut(&T) -> U) -> Section<U> {
        let rows: Vec<U> = facts.iter().take(self.limits.list).map(row).collect();
        Section { left_out: facts.len() - rows.len(), rows }
    }
}

impl View {
    /// Writes every fact of `data`, shortened to `limits`.
    pub(crate) fn new(data: &ReportData, locale: &Locale, zone: &TimeZone, limits: Limits) -> Self {
        let style = Style { locale, zone, currency: &data.currency, limits };
        let picks = pick::picks(data, &style);
        let record = style.section(&data.record, |row| history::record(row, &style));
        Self {
            title: format::name(&data.title),
            date: locale.long_day(data.date),
            preheader: pick::preheader(data, &style),
            headline: headline::written(data, locale),
            headline_said: headline::said(data, locale),
            language: locale.language(),
            summary: summary(data, &style),
            is_paper: data.mode == Mode::Paper,
            notices: health::notices(data, locale),
            is_well: health::is_well(data),
            picks,
            near_misses: style.section(&data.near_misses, |miss| pick::near_miss(miss, &style)),
            slate: style.section(&data.slate, |game| slate::row(game, &style)),
            settled: history::settled(data, &style),
            bankroll: history::bankroll(data, &style),
            profit_column: history::profit_column(&record.rows),
            record,
            luck: data.luck.as_ref().map(|luck| history::luck(luck, &style)),
            models: style.section(&data.models, |league| model::table(league, &style)),
            champion: data.champion.as_ref().map(|champion| model::champion(champion, &style)),
            reliability: model::reliability(data, &style),
            feeds: style.section(&data.feeds, |feed| health::feed(feed, data.as_of, &style)),
            quarantine: health::quarantine(data, &style),
            failed_tasks: style.section(&data.failed_tasks, |task| health::failed(task, locale)),
            assumptions: style.section(&data.assumptions, |text| format::shorten(text, 240)),
            zone: data.time_zone.clone(),
            as_of: locale.dated(data.as_of, zone),
            weights_version: format::name(&data.weights_version),
            charts: ChartsView::default(),
        }
    }

    /// Adds the charts, which the page holds itself and the mail refers to by content-id.
    pub(crate) fn with_charts(mut self, charts: &Charts) -> Self {
        let view = |chart: &crate::chart::Chart| ChartView {
            content_id: chart.content_id,
            alt: chart.alt.clone(),
            svg: chart.svg.clone(),
        };
        self.charts = ChartsView {
            bankroll: charts.bankroll.as_ref().map(view),
            reliability: charts.reliability.as_ref().map(view),
        };
        self
    }
}

pub(crate) fn summary(data: &ReportData, style: &Style<'_>) -> String {
    let way = style.locale;
    let (games, prices) = (way.counted(data.games, "game"), way.counted(data.prices_compared, "price"));
    let looked_at = way.say_with("looked-at", &[("games", &games), ("prices", &prices)]);
    let bankroll = way.money(data.bankroll, style.currency);
    let values = [("looked_at", looked_at.as_str()), ("bankroll", &bankroll)];
    if data.picks.is_empty() {
        return way.say_with("summary-none", &values);
    }
    let staked = way.money(data.staked(), style.currency);
    let [looked_at, bankroll] = values;
    let key = match data.mode {
        Mode::Live => "summary-live",
        Mode::Paper => "summary-paper",
    };
    way.say_with(key, &[looked_at, bankroll, ("staked", &staked)])
}
