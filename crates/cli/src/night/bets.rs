//! The night's side of the ledger: what is there, what ended, what is placed, what the report tells of it.

use std::sync::Arc;

use anyhow::Context as _;
use coordinator::{TaskContext, TaskOutput};
use data::Snapshot;
use ledger::{ClosingLine, Entry, Event, Ledger, Mode, RecordKey, SettlementRule, entry::Terms, row};
use lenses::Lens;
use market::{
    Game, Grade, LeagueId, LineRow, Market,
    consensus::{consensus, latest_quotes, market_points},
};
use report::input::{BankrollPoint, RecordRow, SettledBet};
use serde_json::Value;

use super::{History, Night, Slate, Verdict, read_step};
use crate::{
    context::{Context, wall_clock},
    guard::{self, Guarded},
    paths::Key,
    table::counted,
};

/// Reads the ledger; an absent one is empty.
pub(crate) fn load_ledger(context: &Context) -> anyhow::Result<Ledger> {
    let key = Key::Ledger.to_string();
    let bytes = context.store()?.try_get(&key)?.unwrap_or_default();
    let text = String::from_utf8(bytes)
        .with_context(|| format!("{key} is no text; restore it from its last copy"))?;
    Ledger::parse(&text).with_context(|| format!("cannot read {key}"))
}

/// Appends entries that are not there yet and stores the whole; returns how many were new.
fn append(context: &Context, ledger: &mut Ledger, entries: Vec<Entry>) -> anyhow::Result<usize> {
    let before = ledger.entries().len();
    let added = ledger.append(entries, context.settings.bankroll)?;
    if !added.is_empty() {
        context.store()?.put(&Key::Ledger.to_string(), ledger.text().as_bytes())?;
    }
    Ok(ledger.entries().len() - before)
}

impl Night {
    fn writer(&self, run_id: &str) -> ledger::Night {
        ledger::Night {
            date: self.date,
            as_of: self.as_of,
            run_id: run_id.to_owned(),
            recorded_at: wall_clock(),
        }
    }

    pub(super) fn mode(&self) -> Mode {
        if self.dry_run { Mode::Paper } else { Mode::Live }
    }
}

/// Returns the ledger as this night may see it: what was decided before, and what it has settled itself.
///
/// Its own bets are left out, so that a night run twice decides twice the same.
pub(super) fn ledger_as_of(context: &Context, night: &Night) -> anyhow::Result<Ledger> {
    let visible = |entry: &&Entry| {
        entry.as_of < night.as_of || (entry.as_of == night.as_of && entry.event != Event::Placed)
    };
    let whole = load_ledger(context)?;
    let entries = whole.entries().iter().filter(visible).cloned().collect();
    let mut view = Ledger::default();
    view.append(entries, context.settings.bankroll)?;
    Ok(view)
}

pub(super) fn settle_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let settled = settle(context, night, &run_name(task))?;
    Ok(TaskOutput::new(format!("{} settled", counted(settled.len(), "bet"))))
}

fn run_name(task: &TaskContext<'_>) -> String {
    task.run_folder().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Appends the endings that follow from results visible as of the night; returns those that were new.
pub(crate) fn settle(context: &Context, night: &Night, run_id: &str) -> anyhow::Result<Vec<Entry>> {
    let _alone = guard::wait(context, Guarded::Ledger)?;
    let mut ledger = load_ledger(context)?;
    if ledger.bets().next().is_none() {
        return Ok(Vec::new());
    }
    let snapshot = context.snapshot(night.as_of)?;
    let results: Vec<market::ResultRow> = snapshot.latest_results().into_iter().cloned().collect();
    let endings = ledger.settle(&results, |bet| closing(bet, &snapshot), &night.writer(run_id));
    let before = ledger.entries().len();
    append(context, &mut ledger, endings)?;
    Ok(ledger.entries()[before..].to_vec())
}

/// Returns the close of a bet's selection: the last quotes before the start, of the bet's own book where it quotes.
pub(crate) fn closing(bet: &Entry, snapshot: &Snapshot) -> Option<ClosingLine> {
    let terms = bet.terms.as_ref()?;
    let of_market = |line: &&LineRow| {
        line.game.game_id == terms.game_id
            && line.market == terms.market
            && market_points(line.selection, line.points) == market_points(terms.selection, terms.points)
    };
    let lines: Vec<&LineRow> = snapshot.lines.iter().filter(of_market).collect();
    let marked = lines.iter().any(|line| line.is_closing);
    let lines = lines.into_iter().filter(|line| line.is_closing == marked);
    let quotes = latest_quotes(lines, terms.start_time);
    let probability = consensus(&quotes).first()?.probability(terms.selection)?;
    let of_selection = || quotes.iter().filter(|line| line.selection == terms.selection);
    let own = of_selection().find(|line| line.book == terms.book);
    let best = of_selection().max_by(|a, b| a.price.decimal().total_cmp(&b.price.decimal()));
    let line = own.or(best)?;
    Some(ClosingLine { price: line.price, probability, points: line.points })
}

pub(super) fn ledger_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let slate: Slate = read_step(task, "stake")?;
    let placed = place(context, night, &slate, &run_name(task))?;
    Ok(TaskOutput::new(format!("{} placed", counted(placed, "bet"))).fact("placed", placed))
}

/// Appends the slate's picks; a pick that is there already is left as it is.
pub(crate) fn place(context: &Context, night: &Night, slate: &Slate, run_id: &str) -> anyhow::Result<usize> {
    let _alone = guard::wait(context, Guarded::Ledger)?;
    let mut ledger = load_ledger(context)?;
    let writer = night.writer(run_id);
    let entries = slate
        .picks()
        .map(|verdict| {
            let three_way = slate.three_way.contains(&verdict.line.game.league);
            Entry::placed(&writer, night.mode(), verdict.stake.amount, terms(verdict, slate, three_way))
        })
        .collect();
    append(context, &mut ledger, entries)
}

pub(crate) fn terms(verdict: &Verdict, slate: &Slate, three_way: bool) -> Terms {
    let line = &verdict.line;
    Terms {
        game_id: line.game.game_id.clone(),
        league: line.game.league.clone(),
        home: line.game.home.clone(),
        away: line.game.away.clone(),
        start_time: line.game.start_time,
        market: line.market,
        selection: line.selection,
        points: line.points,
        book: line.book.clone(),
        price: line.price,
        captured_at: line.captured_at,
        raw_ref: line.raw_ref.clone(),
        probability_model: verdict.probability_model,
        probability_market: verdict.probability_market,
        probability: verdict.posterior.map(|posterior| posterior.probability),
        edge: Some(verdict.edge),
        lenses: verdict.lenses.each_ref().map(Lens::value),
        score: verdict.aggregate.score(),
        weights_version: slate.weights_version.clone(),
        model_version: slate.model.version.clone(),
        rule: SettlementRule::of(line.market, three_way),
    }
}

/// Recomputes every row; says what was checked.
pub(crate) fn verify_ledger(context: &Context) -> anyhow::Result<String> {
    let verified = load_ledger(context)?.verify()?;
    Ok(format!(
        "{}, {}, {} open",
        counted(verified.rows, "row"),
        counted(verified.bets, "bet"),
        verified.open
    ))
}

/// Returns an entry as the ledger's columns, for JSON.
pub(crate) fn entry_json(entry: &Entry) -> Value {
    let cells = row::COLUMNS.iter().zip(row::encode(entry));
    Value::Object(cells.map(|(column, cell)| ((*column).to_owned(), Value::String(cell))).collect())
}

/// Returns an entry as a row of the table of `edge ledger show`.
pub(crate) fn ledger_row(entry: &Entry) -> [String; 7] {
    let (bet, price) = entry.terms.as_ref().map_or_else(
        || (entry.bet_id.clone(), String::new()),
        |terms| {
            let points = terms.points.map_or_else(String::new, |points| format!(" {}", points.as_f64()));
            let bet =
                format!("{} – {}\n{} {}{points}", terms.home, terms.away, terms.market, terms.selection);
            (bet, terms.price.to_string())
        },
    );
    [
        entry.date.to_string(),
        entry.event.to_string(),
        bet,
        price,
        entry.stake.to_string(),
        entry.pnl.to_string(),
        entry.balance.to_string(),
    ]
}

/// Returns what the ledger contributes to the night's report.
pub(super) fn history(context: &Context, night: &Night) -> anyhow::Result<History> {
    let ledger = ledger_as_of(context, night)?;
    let (starting, mode) = (context.settings.bankroll, night.mode());
    let mut curve: Vec<BankrollPoint> = ledger
        .curve(mode)
        .into_iter()
        .map(|point| BankrollPoint { date: point.date, bankroll: point.balance, expected: None })
        .collect();
    let bankroll = ledger.bankroll(starting, mode).balance;
    if curve.last().is_some_and(|last| last.date < night.date) {
        curve.push(BankrollPoint { date: night.date, bankroll, expected: None });
    }
    let settled = ledger
        .entries()
        .iter()
        .filter(|entry| {
            entry.mode == mode
                && entry.as_of == night.as_of
                && matches!(entry.event, Event::Settled | Event::Voided)
        })
        .filter_map(settled_bet)
        .collect();
    Ok(History { bankroll, settled, curve, record: record(&ledger, mode) })
}

fn settled_bet(entry: &Entry) -> Option<SettledBet> {
    let (terms, ending) = (entry.terms.as_ref()?, entry.ending.as_ref()?);
    // A void bet has no score; its stake comes back as from a push.
    let grade = match ending.outcome {
        ledger::Outcome::Graded(grade) => grade,
        ledger::Outcome::Void(_) => Grade::Push,
    };
    let game = Game {
        league: terms.league.clone(),
        game_id: terms.game_id.clone(),
        season: terms.start_time.strftime("%Y").to_string().parse().unwrap_or_default(),
        start_time: terms.start_time,
        home: terms.home.clone(),
        away: terms.away.clone(),
    };
    Some(SettledBet {
        game: Arc::new(game),
        score: ending.scores,
        market: terms.market,
        selection: terms.selection,
        points: terms.points,
        book: terms.book.clone(),
        price: terms.price,
        stake: entry.stake,
        grade,
        profit: entry.pnl,
        closing_line_value: ending.ev_clv,
    })
}

fn record(ledger: &Ledger, mode: Mode) -> Vec<RecordRow> {
    let row = |league: Option<LeagueId>, market: Option<Market>, record: &ledger::Record| RecordRow {
        league,
        market,
        bets: record.bets,
        won: record.won,
        lost: record.lost,
        pushed: record.pushed,
        staked: record.staked,
        profit: record.profit,
        roi_interval_95: record.roi_interval_95(),
        mean_closing_line_value: record.mean_ev_clv,
    };
    let whole = ledger.record(mode);
    if whole.bets == 0 {
        return Vec::new();
    }
    let mut rows = vec![row(None, None, &whole)];
    for (league, record) in ledger.record_by(RecordKey::League, mode) {
        rows.push(row(LeagueId::new(&league).ok(), None, &record));
    }
    for (market, record) in ledger.record_by(RecordKey::Market, mode) {
        rows.push(row(None, Market::parse(&market), &record));
    }
    rows
}
