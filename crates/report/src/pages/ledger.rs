//! Money, record and bets in words.

use serde::Serialize;

use super::{
    Route,
    input::{LedgerPage, OpenBet},
    pen::{Fixture, Link, Moment, Pen},
};
use crate::{
    ReportError,
    chart::{Picture, bankroll},
    format,
    input::{Mode, SettledBet},
    locale::DASH,
    view::history,
};

/// Open bets on one page.
const OPEN: usize = 150;
const SETTLED: usize = LedgerPage::SETTLED_PER_PAGE;

#[derive(Debug, Serialize)]
pub(super) struct LedgerView {
    is_paper: bool,
    modes: [Link; 2],
    headline: String,
    summary: String,
    /// First day of the curve; none without a curve.
    since: Option<String>,
    curve: Option<Picture>,
    record: Vec<history::RecordLine>,
    open: Vec<OpenRow>,
    more_open: usize,
    open_sum: String,
    settled: Vec<SettledRow>,
    more_settled: usize,
    settled_in_all: String,
    page: usize,
    pages: usize,
    newer: Option<Link>,
    older: Option<Link>,
}

#[derive(Debug, Serialize)]
struct OpenRow {
    fixture: Fixture,
    selection: String,
    book: String,
    price: String,
    stake: String,
    edge: String,
    placed: Moment,
}

#[derive(Debug, Serialize)]
struct SettledRow {
    fixture: Fixture,
    #[serde(flatten)]
    row: history::SettledRow,
}

pub(super) fn title(page: &LedgerPage) -> String {
    let on_paper = if page.mode == Mode::Paper { ", on paper" } else { "" };
    if page.page > 1 { format!("Ledger{on_paper}, page {}", page.page) } else { format!("Ledger{on_paper}") }
}

pub(super) fn view(page: &LedgerPage, pen: &Pen<'_>) -> Result<LedgerView, ReportError> {
    let style = pen.style();
    let mode = |mode, text: &str| Link {
        href: Route::Ledger { mode, page: 1 }.to_string(),
        text: text.to_owned(),
        is_current: mode == page.mode,
    };
    let pages = page.pages.max(1);
    let turn = |number: usize, text: &str| Link {
        href: Route::Ledger { mode: page.mode, page: number }.to_string(),
        text: text.to_owned(),
        is_current: false,
    };
    let newer = page.page.saturating_sub(1).min(pages);
    let staked = page.open.iter().map(|bet| bet.stake).sum();
    Ok(LedgerView {
        is_paper: page.mode == Mode::Paper,
        modes: [mode(Mode::Live, "Live"), mode(Mode::Paper, "On paper")],
        headline: headline(page, pen),
        summary: summary(page, pen),
        since: page.curve.first().map(|first| pen.locale.day(first.date)),
        curve: bankroll::picture(&page.curve, &page.site.currency, &pen.locale)?,
        record: page.record.iter().map(|row| history::record(row, &style)).collect(),
        open: page.open.iter().take(OPEN).map(|bet| open_row(bet, pen)).collect(),
        more_open: page.open.len().saturating_sub(OPEN),
        open_sum: format!("{} for {}", pen.locale.counted(page.open.len(), "open bet"), pen.money(staked)),
        settled: page.settled.iter().take(SETTLED).map(|bet| settled_row(bet, pen)).collect(),
        more_settled: page.settled.len().saturating_sub(SETTLED),
        settled_in_all: pen.locale.count(page.settled_in_all),
        page: page.page.max(1),
        pages,
        newer: (newer > 0).then(|| turn(newer, "Newer")),
        older: (page.page < pages).then(|| turn(page.page.max(1) + 1, "Older")),
    })
}

fn headline(page: &LedgerPage, pen: &Pen<'_>) -> String {
    let money = pen.money(page.bankroll);
    match page.curve.as_slice() {
        [first, .., last] => {
            let change = pen.locale.profit(last.bankroll - first.bankroll, &page.site.currency);
            format!("{money}, {change} since {}", pen.locale.full_day(first.date))
        }
        _ => format!("{money} in the bankroll"),
    }
}

fn summary(page: &LedgerPage, pen: &Pen<'_>) -> String {
    let fall = |share: f64| pen.locale.signed_percent(share, 1);
    if page.max_drawdown < 0.0 {
        let (now, deepest) = (fall(page.drawdown), fall(page.max_drawdown));
        let now = if page.drawdown < 0.0 { format!("{now} from its peak") } else { "At its peak".to_owned() };
        return format!("{now}; the deepest fall so far was {deepest}.");
    }
    "It has not fallen from its peak so far.".to_owned()
}

fn open_row(bet: &OpenBet, pen: &Pen<'_>) -> OpenRow {
    OpenRow {
        fixture: pen.fixture(&bet.game),
        selection: pen.selection(&bet.game, bet.market, bet.selection, bet.points),
        book: format::name(bet.book.as_str()),
        price: pen.locale.price(bet.price),
        stake: pen.money(bet.stake),
        edge: bet.edge.map_or_else(|| DASH.to_owned(), |edge| pen.locale.signed_percent(edge, 1)),
        placed: pen.near(bet.placed_at),
    }
}

fn settled_row(bet: &SettledBet, pen: &Pen<'_>) -> SettledRow {
    SettledRow { fixture: pen.fixture(&bet.game), row: history::row(bet, &pen.style()) }
}
