//! `edge ledger`: shows, settles, verifies, imports and exports the append-only ledger.

mod show;

use std::collections::BTreeMap;

use anyhow::Context as _;
use data::Snapshot;
use jiff::Timestamp;
use ledger::{
    Entry, Event, Ledger, Mode,
    import::{self, Imported},
    settle::BY_HAND,
};
use market::{Game, GameId, Name};

use crate::{
    args::{CashArgs, DoctorArgs, ExportArgs, ImportArgs, LedgerCommand, SettleArgs},
    context::{Context, say},
    exit::{Status, Usage},
    guard::{self, Guarded},
    leagues,
    night::{self, Closings, Night},
    table::{counted, table},
};

pub(crate) fn run(command: LedgerCommand, context: &Context) -> anyhow::Result<Status> {
    match command {
        LedgerCommand::Show(args) => show::run(&args, context),
        LedgerCommand::Settle(args) => settle(&args, context),
        LedgerCommand::Verify(args) => verify(&args, context),
        LedgerCommand::Import(args) => import(&args, context),
        LedgerCommand::Export(args) => export(&args, context),
        LedgerCommand::Deposit(args) => cash(&args, Event::Deposit, context),
        LedgerCommand::Withdraw(args) => cash(&args, Event::Withdrawal, context),
        LedgerCommand::Reseal => reseal(context),
    }
}

fn print_entries(context: &Context, entries: &[Entry], json: bool, told: &str) -> anyhow::Result<()> {
    if json {
        return context.print_json(&entries.iter().map(night::entry_json).collect::<Vec<_>>());
    }
    let mut shown = table(&["date", "event", "bet", ">price", ">stake", ">pnl", ">balance"]);
    for entry in entries {
        shown.add_row(night::ledger_row(entry));
    }
    context.print(&format!("{shown}\n{told}"))
}

fn settle(args: &SettleArgs, context: &Context) -> anyhow::Result<Status> {
    let (date, as_of) = context.night(args.date)?;
    let night = Night { date, as_of, dry_run: false };
    let settled = match (&args.bet, args.outcome) {
        (Some(bet), Some(outcome)) => {
            let known = known(context, as_of)?;
            night::append(context, |ledger| {
                if ledger.bet(bet).is_none() {
                    return Err(Usage(format!(
                        "no bet has the id `{bet}`: `edge ledger show --json` prints them"
                    ))
                    .into());
                }
                let writer = night::writer(&night, BY_HAND);
                let closings = known.as_ref().map(Closings::of);
                let close = |bet: &Entry| closings.as_ref()?.of_bet(bet);
                Ok(ledger.settle_by_hand(bet, outcome, None, close, &writer).unwrap_or_default())
            })?
        }
        _ => night::settle(context, &night, "settle")?,
    };
    let told = format!("{} written with what was known before {as_of}", counted(settled.len(), "row"));
    print_entries(context, &settled, args.json, &told)?;
    for line in night::overdue(context, &night)? {
        say(&format!("edge: {line}"));
    }
    Ok(Status::Done)
}

fn verify(args: &DoctorArgs, context: &Context) -> anyhow::Result<Status> {
    let verified = night::verify_ledger(context);
    if args.json {
        context.print_json(&serde_json::json!({"holds": verified.is_ok(), "problem": verified.as_ref().err().map(|e| format!("{e:#}"))}))?;
    }
    match verified {
        Ok(told) => {
            say(&format!("edge: the ledger holds: {told}"));
            Ok(Status::Done)
        }
        Err(error) => Err(error),
    }
}

fn import(args: &ImportArgs, context: &Context) -> anyhow::Result<Status> {
    let file = args.file.display();
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {file}"))?;
    let (date, as_of) = context.night(None)?;
    let writer = night::writer(&Night { date, as_of, dry_run: false }, "import");
    let known = known(context, context.now)?;
    let games = known.as_ref().map(games_of).unwrap_or_default();
    let then = known.as_ref().map(|known| known.before(as_of));
    let closings = then.as_ref().map(Closings::of);
    let described = leagues::leagues(&context.settings)?;
    let rules = |league: &market::LeagueId| {
        let three_way = described.iter().any(|described| described.id == *league && described.three_way);
        (context.settings.house_rules(league), three_way)
    };
    let game = |id: &GameId| games.get(id).cloned();
    let bets = import::read(&text, &model::sha256(text.as_bytes()), &writer, game, rules)
        .map_err(|error| Usage(format!("{file}: {error}")))?;
    let strangers = bets.iter().filter(|bet| !is_known(bet, &games)).count();
    if strangers > 0 {
        say(&format!(
            "edge: {} on games that are not in the store: settle them by hand, with `edge ledger settle --bet`",
            counted(strangers, "bet")
        ));
    }
    let make = |ledger: &Ledger| taken(ledger, &bets, closings.as_ref(), context, &writer);
    let written = if args.dry_run {
        make(night::Book::open(context)?.ledger())?
    } else {
        night::append(context, make)?
    };
    let verb = if args.dry_run { "would be written" } else { "written" };
    let told =
        format!("{} {verb} of {} in {file}", counted(written.len(), "row"), counted(bets.len(), "bet"));
    print_entries(context, &written, args.json, &told)?;
    Ok(Status::Done)
}

fn is_known(bet: &Imported, games: &BTreeMap<GameId, Game>) -> bool {
    bet.placed.terms.as_ref().is_some_and(|terms| games.contains_key(&terms.game_id))
}

/// Returns the rows that a file of bets adds: those that are placed, then their endings.
fn taken(
    ledger: &Ledger,
    bets: &[Imported],
    closings: Option<&Closings<'_>>,
    context: &Context,
    writer: &ledger::Night,
) -> anyhow::Result<Vec<Entry>> {
    let mut then = ledger.clone();
    let before = then.entries().len();
    then.append(bets.iter().map(|bet| bet.placed.clone()).collect(), context.settings.bankroll)?;
    for bet in bets {
        let Some((outcome, score)) = bet.ending else { continue };
        let open = then.bet(&bet.placed.bet_id).is_some_and(|(_, ended)| ended.is_none());
        if open {
            let close = |bet: &Entry| closings?.of_bet(bet);
            let ended = then.settle_by_hand(&bet.placed.bet_id, outcome, score, close, writer);
            then.append(ended.unwrap_or_default(), context.settings.bankroll)?;
        }
    }
    Ok(then.entries()[before..].to_vec())
}

/// Returns what was known before an instant; none when nothing was fetched yet.
fn known(context: &Context, as_of: Timestamp) -> anyhow::Result<Option<Snapshot>> {
    let nothing = context.lake()?.leagues()?.is_empty();
    if nothing { Ok(None) } else { context.snapshot(as_of).map(Some) }
}

/// Returns every game in the store by its id.
fn games_of(snapshot: &Snapshot) -> BTreeMap<GameId, Game> {
    let of_lines = snapshot.lines.iter().map(|line| &line.game);
    let games = of_lines.chain(snapshot.results.iter().map(|result| &result.game));
    games.map(|game| (game.game_id.clone(), game.as_ref().clone())).collect()
}

fn export(args: &ExportArgs, context: &Context) -> anyhow::Result<Status> {
    let book = night::Book::open(context)?;
    let file = args.file.display();
    std::fs::write(&args.file, ledger::export::parquet(book.ledger())?)
        .with_context(|| format!("cannot write {file}"))?;
    say(&format!("edge: {} in {file}", counted(book.ledger().entries().len(), "row")));
    Ok(Status::Done)
}

fn cash(args: &CashArgs, event: Event, context: &Context) -> anyhow::Result<Status> {
    let (date, as_of) = context.night(None)?;
    let mode = if args.paper { Mode::Paper } else { Mode::Live };
    let writer = night::writer(&Night { date, as_of, dry_run: false }, BY_HAND);
    if args.amount <= market::Money::ZERO {
        return Err(Usage(format!("the amount is {}, it must be above 0", args.amount)).into());
    }
    let written = night::append(context, |_| {
        Ok(vec![Entry::cash(&writer, event, mode, args.amount, &args.reference)])
    })?;
    if written.is_empty() {
        say(&format!(
            "edge: the movement `{}` of {date} is there already; give this one another --reference",
            args.reference
        ));
    }
    print_entries(context, &written, false, &format!("{} written", counted(written.len(), "row")))?;
    Ok(Status::Done)
}

fn reseal(context: &Context) -> anyhow::Result<Status> {
    let _alone = guard::wait(context, Guarded::Ledger)?;
    let kept = night::reseal(context)?;
    say(&format!("edge: the ledger is sealed as it stands; as it was it is kept as {kept}"));
    Ok(Status::Done)
}

/// Returns the text of a name, for comparisons with what was typed.
fn is_called(name: &Name, typed: &str) -> bool {
    name.as_str().eq_ignore_ascii_case(typed)
}
