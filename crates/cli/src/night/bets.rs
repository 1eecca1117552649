//! The night's side of the ledger: what is there, what ended, what is placed, what the report tells of it.

use std::sync::Arc;

use coordinator::{TaskContext, TaskOutput};
use ledger::{Entry, Event, Ledger, Mode, RecordKey, entry::Terms, row};
use lenses::Lens;
use market::{Game, Grade, LeagueId, Market, Money};
use report::input::{BankrollPoint, RecordRow, SettledBet};
use serde_json::Value;

use super::{History, Night, Slate, Verdict, book::Book, closing::Closings, read_step};
use crate::{
    context::{Context, say, wall_clock},
    guard::{self, Guarded},
    table::counted,
};

/// Appends what is made of the ledger while nobody else writes; returns the entries that were new.
pub(crate) fn append(
    context: &Context,
    make: impl FnOnce(&Ledger) -> anyhow::Result<Vec<Entry>>,
) -> anyhow::Result<Vec<Entry>> {
    let _alone = guard::wait(context, Guarded::Ledger)?;
    let mut book = Book::open(context)?;
    let entries = make(book.ledger())?;
    let before = book.ledger().entries().len();
    book.append(context, entries)?;
    Ok(book.ledger().entries()[before..].to_vec())
}

/// Returns who writes now.
pub(crate) fn writer(night: &Night, run_id: &str) -> ledger::Night {
    night.writer(run_id)
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
    Ok(Book::open(context)?.ledger().view(|entry| visible(&entry), context.settings.bankroll)?)
}

pub(super) fn settle_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let settled = settle(context, night, &run_name(task))?;
    let overdue = overdue(context, night)?;
    let told = std::iter::once(format!("{} settled", counted(settled.len(), "bet"))).chain(overdue);
    Ok(TaskOutput::new(told.collect::<Vec<_>>().join("; ")))
}

/// Names the open bets whose game should have ended long ago, a line each: only a person can end them.
pub(crate) fn overdue(context: &Context, night: &Night) -> anyhow::Result<Vec<String>> {
    let book = Book::open(context)?;
    let line = |bet: &&Entry| {
        let game = bet.terms.as_ref().map_or("", |terms| terms.game_id.as_str());
        format!("no result of {game}: edge ledger settle --bet {} --outcome ...", bet.bet_id)
    };
    Ok(book.ledger().overdue(night.as_of).iter().map(line).collect())
}

fn run_name(task: &TaskContext<'_>) -> String {
    task.run_folder().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Appends the endings that follow from results visible as of the night; returns those that were new.
pub(crate) fn settle(context: &Context, night: &Night, run_id: &str) -> anyhow::Result<Vec<Entry>> {
    append(context, |ledger| {
        if ledger.bets().next().is_none() {
            return Ok(Vec::new());
        }
        let snapshot = context.snapshot(night.as_of)?;
        let results: Vec<market::ResultRow> = snapshot.latest_results().into_iter().cloned().collect();
        let closings = Closings::of(&snapshot);
        Ok(ledger.settle(&results, |bet| closings.of_bet(bet), &night.writer(run_id)))
    })
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
    let writer = night.writer(run_id);
    let placed =
        |verdict: &Verdict| Entry::placed(&writer, night.mode(), verdict.stake.amount, terms(verdict, slate));
    let written = append(context, |ledger| {
        // Two runs of one night that see different things must not stake twice what one may.
        let another = ledger.entries().iter().find(|entry| {
            entry.event == Event::Placed
                && (entry.mode, entry.as_of) == (night.mode(), night.as_of)
                && entry.run_id != run_id
        });
        if let Some(another) = another {
            say(&format!(
                "edge: the bets of {} as of {} were placed by run {}: none are added",
                night.date, night.as_of, another.run_id
            ));
            return Ok(Vec::new());
        }
        Ok(slate.picks().map(placed).collect())
    })?;
    Ok(written.len())
}

pub(crate) fn terms(verdict: &Verdict, slate: &Slate) -> Terms {
    Terms {
        probability_model: verdict.probability_model,
        probability_market: verdict.probability_market,
        probability: verdict.posterior.map(|posterior| posterior.probability),
        edge: Some(verdict.edge),
        lenses: verdict.lenses.each_ref().map(Lens::value),
        score: verdict.aggregate.score(),
        growth_added: Some(verdict.growth_added),
        weights_version: slate.weights_version.as_str().into(),
        model_version: slate.model.version.as_str().into(),
        ..Terms::by_hand(&verdict.line, verdict.rule)
    }
}

/// Recomputes every row; says what was checked.
pub(crate) fn verify_ledger(context: &Context) -> anyhow::Result<String> {
    let book = Book::open(context)?;
    let verified = book.ledger().verify()?;
    let seal = book.ledger().head().map_or_else(String::new, |head| format!(", seal {}", head.seal));
    Ok(format!(
        "{}, {}, {} open{seal}",
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
    let mut curve = curve(&ledger, mode);
    let bankroll = ledger.bankroll(starting, mode).balance;
    if curve.last().is_some_and(|last| last.date < night.date) {
        let expected = curve.last().and_then(|last| last.expected);
        curve.push(BankrollPoint { date: night.date, bankroll, expected });
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
    let luck = ledger.luck(mode).map(|found| luck(&found));
    Ok(History { bankroll, settled, curve, record: record(&ledger, mode), luck })
}

/// Returns the bankroll by day with the band that the claims let one expect.
pub(crate) fn curve(ledger: &Ledger, mode: Mode) -> Vec<BankrollPoint> {
    let points = ledger.curve(mode).into_iter();
    let point = |point: ledger::CurvePoint| BankrollPoint {
        date: point.date,
        bankroll: point.balance,
        expected: point.expected,
    };
    points.map(point).collect()
}

fn luck(found: &ledger::Luck) -> report::input::Luck {
    let amount = |value: f64| Money::from_f64(value).round_to(2);
    report::input::Luck {
        games: found.claimed.games,
        expected: amount(found.claimed.expected),
        deviation: amount(found.claimed.deviation),
        observed: amount(found.claimed.observed),
        chance_of_no_better: found.claimed.chance_of_no_better,
        expected_at_the_close: found.closing.map(|close| amount(close.expected)),
        verdict: found.verdict(),
    }
}

/// Returns the game that a bet is on.
pub(crate) fn game_of(terms: &Terms) -> Game {
    Game {
        league: terms.league.clone(),
        game_id: terms.game_id.clone(),
        season: terms.start_time.strftime("%Y").to_string().parse().unwrap_or_default(),
        start_time: terms.start_time,
        home: terms.home.clone(),
        away: terms.away.clone(),
    }
}

/// Returns an ended bet as reports show it; none for an entry of another kind.
pub(crate) fn settled_bet(entry: &Entry) -> Option<SettledBet> {
    let (terms, ending) = (entry.terms.as_ref()?, entry.ending.as_ref()?);
    // A void bet has no score; its stake comes back as from a push.
    let grade = match ending.outcome {
        ledger::Outcome::Graded(grade) => grade,
        ledger::Outcome::Void(_) | ledger::Outcome::DeadHeat => Grade::Push,
    };
    Some(SettledBet {
        game: Arc::new(game_of(terms)),
        score: ending.scores,
        market: terms.market,
        selection: terms.selection,
        points: terms.points,
        book: terms.book.clone(),
        price: terms.price,
        stake: entry.stake,
        grade,
        profit: entry.pnl,
        closing_line_value: ending.clv.map(|clv| clv.expected_value),
    })
}

/// Returns the record as a whole, by league and by market; empty before the first bet ended.
pub(crate) fn record(ledger: &Ledger, mode: Mode) -> Vec<RecordRow> {
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
