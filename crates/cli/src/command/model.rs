//! `edge model`: which model is the champion, why, and how a person puts another in its place.

use report::notice::Occasion;

use crate::{
    args::{ModelCommand, ModelListArgs},
    context::{Context, say},
    exit::Status,
    night, notices,
    table::table,
};

pub(crate) fn run(command: ModelCommand, context: &Context) -> anyhow::Result<Status> {
    match command {
        ModelCommand::List(args) => list(&args, context),
        ModelCommand::Promote(args) => {
            let decision = night::promote_by_hand(context, &args.version)?;
            Ok(told(context, &decision, night::promotion(context, decision.as_of)?))
        }
        ModelCommand::Rollback => {
            let decision = night::roll_back(context)?;
            let (version, from) =
                (decision.challenger.clone(), decision.champion.clone().unwrap_or_default());
            let occasion = Occasion::ChampionRolledBack { version, from, since: decision.as_of };
            Ok(told(context, &decision, Some(occasion)))
        }
    }
}

/// Says what was decided, here and to who wants to hear of it; that nobody could be told undoes nothing.
fn told(context: &Context, decision: &night::Decision, occasion: Option<Occasion>) -> Status {
    say(&format!("edge: {}", decision.why));
    let occasions: Vec<Occasion> = occasion.into_iter().collect();
    match notices::tell(context, &occasions, context.now) {
        Ok(None) => Status::Done,
        Ok(Some(told)) => {
            say(&format!("edge: {told}"));
            Status::Done
        }
        Err(error) => {
            say(&format!("edge: not everybody could be told: {error:#}"));
            Status::Partial
        }
    }
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
