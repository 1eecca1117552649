//! Settled bets, bankroll and record in words.

use market::{Grade, Market, Money};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::{Section, Style, pick::sides};
use crate::{
    Locale, format,
    input::{Luck, RecordRow, ReportData, SettledBet},
    locale::DASH,
    words::Said,
};

/// Longest verdict that is shown whole, in characters.
const LONGEST_VERDICT: usize = 260;

/// Usual width of the plain text's column of profits.
const PROFIT_COLUMN: usize = 11;

#[derive(Debug, Serialize)]
pub(super) struct Settled {
    #[serde(flatten)]
    bets: Section<SettledRow>,
    /// All of them in one sentence; none without bets.
    sum: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SettledRow {
    league: String,
    home: String,
    away: String,
    score: String,
    selection: String,
    book: String,
    price: String,
    stake: String,
    grade: String,
    profit: String,
    tone: &'static str,
    closing_line_value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Bankroll {
    now: String,
    low: String,
    high: String,
    since: String,
    change: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct RecordLine {
    label: String,
    is_total: bool,
    bets: String,
    won_lost_pushed: String,
    staked: String,
    profit: String,
    tone: &'static str,
    roi: String,
    /// Empty when there are too few bets for one.
    roi_interval: String,
    closing_line_value: String,
}

pub(super) fn settled(data: &ReportData, style: &Style<'_>) -> Settled {
    Settled { bets: style.section(&data.settled, |bet| row(bet, style)), sum: sum(&data.settled, style) }
}

fn sum(bets: &[SettledBet], style: &Style<'_>) -> Option<String> {
    if bets.is_empty() {
        return None;
    }
    let way = style.locale;
    let all: Money = bets.iter().map(|bet| bet.profit).sum();
    let staked: Money = bets.iter().map(|bet| bet.stake).sum();
    let closes: Vec<f64> = bets.iter().filter_map(|bet| bet.closing_line_value).collect();
    let mean = closes.iter().sum::<f64>() / closes.len() as f64;
    let (bets, staked) = (way.counted(bets.len(), "bet"), way.money(staked, style.currency));
    let profit = way.profit(all, style.currency);
    let values = [("profit", profit.as_str()), ("staked", &staked), ("bets", &bets)];
    if closes.is_empty() {
        return Some(way.say_with("settled-sum-no-close", &values));
    }
    let clv = way.signed_percent(mean, 1);
    let [profit, staked, bets] = values;
    Some(way.say_with("settled-sum", &[profit, staked, bets, ("clv", &clv)]))
}

pub(crate) fn row(bet: &SettledBet, style: &Style<'_>) -> SettledRow {
    let (way, (home, away)) = (style.locale, sides(&bet.game));
    SettledRow {
        league: bet.game.league.as_str().to_uppercase(),
        score: bet.score.map_or_else(|| way.say("not-played"), |(home, away)| format!("{home}–{away}")),
        selection: way.selection(&home, &away, bet.market, bet.selection, bet.points),
        home,
        away,
        book: format::name(bet.book.as_str()),
        price: way.price(bet.price),
        stake: way.money(bet.stake, style.currency),
        grade: way.say(grade(bet)),
        profit: way.profit(bet.profit, style.currency),
        tone: tone(bet.profit),
        closing_line_value: or_dash(bet.closing_line_value.map(|value| way.signed_percent(value, 1))),
    }
}

fn grade(bet: &SettledBet) -> &'static str {
    match bet.grade {
        Grade::Win => "grade-won",
        Grade::HalfWin => "grade-half-won",
        Grade::Push if bet.score.is_none() => "grade-void",
        Grade::Push => "grade-push",
        Grade::HalfLoss => "grade-half-lost",
        Grade::Loss => "grade-lost",
    }
}

fn tone(profit: Money) -> &'static str {
    match profit.cmp(&Money::ZERO) {
        std::cmp::Ordering::Greater => "good",
        std::cmp::Ordering::Equal => "even",
        std::cmp::Ordering::Less => "bad",
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| DASH.to_owned())
}

/// Sums up the curve; none with fewer than two days.
pub(super) fn bankroll(data: &ReportData, style: &Style<'_>) -> Option<Bankroll> {
    let way = style.locale;
    let [first, .., last] = data.bankroll_curve.as_slice() else { return None };
    let amounts = || data.bankroll_curve.iter().map(|point| point.bankroll);
    let (low, high) = (amounts().min()?, amounts().max()?);
    Some(Bankroll {
        now: way.money(last.bankroll, style.currency),
        low: way.money(low, style.currency),
        high: way.money(high, style.currency),
        since: way.day(first.date),
        change: way.profit(last.bankroll - first.bankroll, style.currency),
    })
}

pub(crate) fn record(row: &RecordRow, style: &Style<'_>) -> RecordLine {
    let way = style.locale;
    let staked = row.staked.as_f64();
    let roi = (staked > 0.0).then(|| way.signed_percent(row.profit.as_f64() / staked, 1));
    RecordLine {
        label: label(row, way),
        is_total: row.league.is_none() && row.market.is_none(),
        bets: way.count(row.bets),
        won_lost_pushed: format!("{}–{}–{}", row.won, row.lost, row.pushed),
        staked: way.money(row.staked, style.currency),
        profit: way.profit(row.profit, style.currency),
        tone: tone(row.profit),
        roi: or_dash(roi),
        roi_interval: row
            .roi_interval_95
            .map(|interval| way.signed_percent_interval(interval, 1))
            .unwrap_or_default(),
        closing_line_value: or_dash(row.mean_closing_line_value.map(|value| way.signed_percent(value, 1))),
    }
}

/// Returns how wide the plain text's column of profits is: as ever, or what the longest amount needs.
pub(super) fn profit_column(rows: &[RecordLine]) -> usize {
    let widest = rows.iter().map(|row| row.profit.width()).max().unwrap_or(0);
    PROFIT_COLUMN.max(widest + 2)
}

/// Says in one sentence what was claimed, what came of it, and what follows.
pub(super) fn luck(luck: &Luck, style: &Style<'_>) -> Said {
    let way = style.locale;
    let amount = |amount: Money| way.profit(amount, style.currency);
    let games = way.counted(luck.games, "game");
    let (expected, observed) = (amount(luck.expected), amount(luck.observed));
    let deviation = way.money(luck.deviation, style.currency);
    let values = [
        ("games", games.as_str()),
        ("expected", &expected),
        ("deviation", &deviation),
        ("observed", &observed),
    ];
    let says = match luck.expected_at_the_close.map(amount) {
        None => way.say_with("luck", &values),
        Some(close) => {
            let [games, expected, deviation, observed] = values;
            way.say_with("luck-close", &[games, expected, deviation, observed, ("close", &close)])
        }
    };
    Said { says, foreign: format::shorten(&luck.verdict, LONGEST_VERDICT) }
}

fn market_word(market: Market) -> &'static str {
    match market {
        Market::Moneyline => "market-moneyline",
        Market::Spread => "market-spread",
        Market::Total => "market-total",
    }
}

fn label(row: &RecordRow, way: &Locale) -> String {
    let league = row.league.as_ref().map(|league| league.as_str().to_uppercase());
    match (league, row.market.map(|market| way.say(market_word(market)))) {
        (Some(league), Some(market)) => format!("{league} {market}"),
        (Some(league), None) => league,
        (None, Some(market)) => market,
        (None, None) => way.say("slice-all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_of_the_ledger_is_named_by_what_it_holds() {
        let row = |league: Option<&str>, market| RecordRow {
            league: league.map(|id| market::LeagueId::new(id).unwrap()),
            market,
            bets: 0,
            won: 0,
            lost: 0,
            pushed: 0,
            staked: Money::ZERO,
            profit: Money::ZERO,
            roi_interval_95: None,
            mean_closing_line_value: None,
        };
        assert_eq!(label(&row(None, None), &Locale::default()), "All");
        assert_eq!(label(&row(Some("nfl"), Some(Market::Spread)), &Locale::default()), "NFL spread");
    }
}
