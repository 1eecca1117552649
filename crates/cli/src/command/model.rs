//! `edge model`: which model is the champion, why, and how a person puts another in its place.

use crate::{
    args::{ModelCommand, ModelListArgs},
    context::{Context, say},
    exit::Status,
    night,
    table::table,
};

pub(crate) fn run(command: ModelCommand, context: &Context) -> anyhow::Result<Status> {
    match command {
        ModelCommand::List(args) => list(&args, context),
        ModelCommand::Promote(args) => Ok(told(&night::promote_by_hand(context, &args.version)?)),
        ModelCommand::Rollback => Ok(told(&night::roll_back(context)?)),
    }
}

fn told(decision: &night::Decision) -> Status {
    say(&format!("edge: {}", decision.why));
    Status::Done
}

fn list(args: &ModelListArgs, context: &Context) -> anyhow::Result<Status> {
    let (decisions, champion) = night::decisions_and_champion(context)?;
    if args.json {
        context.print_json(&serde_json::json!({"champion": champion, "decisions": decisions}))?;
        return Ok(Status::Done);
    }
    if decisions.is_empty() {
        say("edge: no model yet: `edge train` makes one");
        return Ok(Status::Done);
    }
    let mut shown = table(&["", "model", "as of", "why"]);
    let made = decisions
        .iter()
        .rposition(|decision| decision.promoted && champion.as_ref() == Some(&decision.challenger));
    for (index, decision) in decisions.iter().enumerate() {
        let mark = match (made == Some(index), decision.promoted) {
            (true, _) => "★",
            (false, true) => "✓",
            (false, false) => "",
        };
        shown.add_row([
            mark.to_owned(),
            decision.challenger.clone(),
            decision.as_of.strftime("%Y-%m-%d %H:%M").to_string(),
            decision.why.clone(),
        ]);
    }
    context.print(&shown.to_string())?;
    say("edge: ★ is the champion, ✓ was promoted");
    Ok(Status::Done)
}
