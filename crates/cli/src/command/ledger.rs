//! `edge ledger`: shows, settles and verifies the append-only ledger.

use crate::{
    args::{DoctorArgs, LedgerCommand, LedgerSettleArgs, LedgerShowArgs},
    context::{Context, say},
    exit::Status,
    night::{self, Night},
    table::{counted, table},
};

pub(crate) fn run(command: LedgerCommand, context: &Context) -> anyhow::Result<Status> {
    match command {
        LedgerCommand::Show(args) => show(&args, context),
        LedgerCommand::Settle(args) => settle(&args, context),
        LedgerCommand::Verify(args) => verify(&args, context),
    }
}

fn show(args: &LedgerShowArgs, context: &Context) -> anyhow::Result<Status> {
    let ledger = night::load_ledger(context)?;
    let entries = ledger.entries();
    let last = &entries[entries.len().saturating_sub(args.last)..];
    if args.json {
        context.print_json(&last.iter().map(night::entry_json).collect::<Vec<_>>())?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["date", "event", "bet", ">price", ">stake", ">pnl", ">balance"]);
    for entry in last {
        shown.add_row(night::ledger_row(entry));
    }
    context.print(&shown.to_string())?;
    say(&format!("edge: {} of {} rows", last.len(), entries.len()));
    Ok(Status::Done)
}

fn settle(args: &LedgerSettleArgs, context: &Context) -> anyhow::Result<Status> {
    let (date, as_of) = context.night(args.date)?;
    let settled = night::settle(context, &Night { date, as_of, dry_run: false }, "settle")?;
    if args.json {
        context.print_json(&settled.iter().map(night::entry_json).collect::<Vec<_>>())?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["date", "event", "bet", ">price", ">stake", ">pnl", ">balance"]);
    for entry in &settled {
        shown.add_row(night::ledger_row(entry));
    }
    context.print(&format!(
        "{shown}\n{} settled with what was known before {as_of}",
        counted(settled.len(), "bet")
    ))?;
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
