//! `edge ledger show`: rows, or totals, of what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Entry, Ledger, Mode, Record, RecordKey};
use serde_json::{Value, json};

use super::{is_called, print_entries};
use crate::{
    args::ShowArgs,
    context::{Context, say},
    exit::Status,
    night,
    table::{counted, percent, signed_percent, table},
};

pub(super) fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<Status> {
    let book = night::Book::open(context)?;
    let ledger = book.ledger();
    match args.totals {
        Some(key) => totals(ledger, args, key.into(), context)?,
        None => rows(ledger, args, context)?,
    }
    Ok(Status::Done)
}

fn rows(ledger: &Ledger, args: &ShowArgs, context: &Context) -> anyhow::Result<()> {
    let open: BTreeSet<&str> = ledger.open_bets().iter().map(|bet| bet.bet_id.as_str()).collect();
    let asked: Vec<Entry> = ledger
        .entries()
        .iter()
        .filter(|entry| args.takes(entry) && (!args.open || open.contains(entry.bet_id.as_str())))
        .cloned()
        .collect();
    let first = if args.last == 0 { 0 } else { asked.len().saturating_sub(args.last) };
    print_entries(context, &asked[first..], args.json, "")?;
    say(&format!("edge: {} of {}", asked.len() - first, counted(ledger.entries().len(), "row")));
    Ok(())
}

impl ShowArgs {
    fn takes(&self, entry: &Entry) -> bool {
        let terms = entry.terms.as_ref();
        let of = |wanted: Option<bool>| wanted.unwrap_or(true);
        of(self.mode.map(|mode| entry.mode == mode))
            && of(self.event.map(|event| entry.event == event))
            && of(self.since.map(|since| entry.date >= since))
            && of(self.until.map(|until| entry.date <= until))
            && of(self.league.as_ref().map(|league| terms.is_some_and(|t| t.league.as_str() == league)))
            && of(self.market.map(|market| terms.is_some_and(|t| t.market == market)))
            && of(self.book.as_ref().map(|book| terms.is_some_and(|t| is_called(&t.book, book))))
    }
}

fn totals(ledger: &Ledger, args: &ShowArgs, key: RecordKey, context: &Context) -> anyhow::Result<()> {
    let mut groups: BTreeMap<(Mode, String), Vec<&Entry>> = BTreeMap::new();
    for (placed, ended) in ledger.bets().filter(|(placed, _)| args.takes(placed)) {
        if let (Some(ended), Some(group)) = (ended, key.of(placed)) {
            groups.entry((placed.mode, group)).or_default().push(ended);
            groups.entry((placed.mode, String::new())).or_default().push(ended);
        }
    }
    let records: Vec<(Mode, String, Record)> =
        groups.into_iter().map(|((mode, group), ended)| (mode, group, Record::of(ended))).collect();
    if args.json {
        return context.print_json(&records.iter().map(record_json).collect::<Vec<_>>());
    }
    let mut shown = table(&["bets", ">ended", ">W-L-P", ">staked", ">profit", ">return", ">at the close"]);
    for (mode, group, record) in &records {
        let name = if group.is_empty() { format!("all {mode}") } else { format!("{group}, {mode}") };
        shown.add_row([
            name,
            record.bets.to_string(),
            format!("{}-{}-{}", record.won, record.lost, record.pushed),
            record.staked.to_string(),
            record.profit.to_string(),
            with_interval(record.roi(), record.roi_interval_95()),
            with_interval(record.mean_ev_clv, record.ev_clv_interval_95()),
        ]);
    }
    context.print(&shown.to_string())?;
    for mode in [Mode::Live, Mode::Paper] {
        if records.iter().any(|(of, ..)| *of == mode) {
            context.print(&standing(ledger, mode, context))?;
        }
    }
    Ok(())
}

fn with_interval(value: Option<f64>, interval: Option<(f64, f64)>) -> String {
    let value = value.map_or_else(|| "–".to_owned(), signed_percent);
    interval.map_or(value.clone(), |(low, high)| {
        format!("{value}\n{} to {}", signed_percent(low), signed_percent(high))
    })
}

/// Says where the money stands, and whether the result is luck.
fn standing(ledger: &Ledger, mode: Mode, context: &Context) -> String {
    let bankroll = ledger.bankroll(context.settings.bankroll, mode);
    let currency = &context.settings.currency;
    let money = format!(
        "\n{mode}: balance {} {currency}, profit {}, {} open on {},\ndrawdown {} (deepest {})",
        bankroll.balance,
        bankroll.profit,
        bankroll.open,
        counted(bankroll.open_bets, "bet"),
        percent(bankroll.drawdown.abs()),
        percent(bankroll.max_drawdown.abs())
    );
    let Some(luck) = ledger.luck(mode) else {
        let games = counted(ledger::luck::FEWEST_GAMES, "game");
        return format!("{money}\nluck or model? From {games} with claims on, this says it.");
    };
    let close = luck.closing.map_or_else(String::new, |close| {
        format!("; at the closing prices {:+.2} ± {:.2}", close.expected, close.deviation)
    });
    let claimed = &luck.claimed;
    format!(
        "{money}\nclaimed {:+.2} ± {:.2}, made {:+.2}{close}\n{}",
        claimed.expected,
        claimed.deviation,
        claimed.observed,
        luck.verdict()
    )
}

fn record_json((mode, group, record): &(Mode, String, Record)) -> Value {
    json!({
        "mode": mode,
        "group": (!group.is_empty()).then_some(group),
        "bets": record.bets,
        "won": record.won,
        "lost": record.lost,
        "pushed": record.pushed,
        "void": record.void,
        "staked": record.staked,
        "profit": record.profit,
        "roi": record.roi(),
        "roi_interval_95": record.roi_interval_95(),
        "mean_ev_clv": record.mean_ev_clv,
        "ev_clv_interval_95": record.ev_clv_interval_95(),
    })
}
