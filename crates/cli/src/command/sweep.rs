//! `edge sweep`: searches hyper-parameters in separate trials.

use coordinator::CancelFlag;
use serde_json::Value;
use sweep::{Ask, Record, State, Trial};

use super::trial::Order;
use crate::{
    args::SweepArgs,
    context::{Context, say},
    exit::Status,
    night::{self, Sweep},
    settings::{SweepSettings, Workers},
    table::table,
};

pub(crate) fn run(args: &SweepArgs, context: &Context) -> anyhow::Result<Status> {
    let wanted = &context.settings.sweep;
    let settings = SweepSettings {
        trials: args.trials.unwrap_or(wanted.trials),
        epochs: args.epochs.unwrap_or(wanted.epochs),
        workers: args.workers.unwrap_or(wanted.workers),
        ..wanted.clone()
    };
    let (date, as_of) = context.night(args.date)?;
    let stop = CancelFlag::default();
    let folder = context.runs_folder()?.join(format!("sweep-{date}-{}", as_of.strftime("%H%M%SZ")));
    let graph = if args.dry_run {
        None
    } else {
        Some(night::publish_graph(context, &night::graph_as_of(context, as_of)?)?.sha256)
    };
    let sweep = Sweep {
        settings: &settings,
        as_of,
        graph: graph.as_deref(),
        smoke_test: args.smoke_test,
        folder: &folder,
        log: &|line| say(&format!("  {line}")),
        cancelled: &|| stop.is_raised(),
    };
    if args.dry_run {
        return dry_run(&sweep, args.json, context);
    }
    std::fs::create_dir_all(&folder)?;
    let _listening = night::park_on_signals(stop.clone(), "the trials");
    let swept = sweep.run(context)?;
    if args.json {
        context.print_json(&swept)?;
    } else {
        context.print(&found(&swept.study, Some(swept.best_trial)))?;
        say(&format!("edge: the study and its pictures lie in {}", folder.display()));
    }
    let whole = swept.failed().next().is_none();
    if args.smoke_test && whole {
        say("edge: smoke test passed: the workers take trials, train and hand their results back");
    }
    Ok(if whole { Status::Done } else { Status::Partial })
}

/// Prints what would be tried first; what comes then follows from what these find.
fn dry_run(sweep: &Sweep<'_>, json: bool, context: &Context) -> anyhow::Result<Status> {
    let mut study = sweep.study(context)?;
    while let Ask::Trial(_) = study.ask(context.now) {}
    let record = study.record();
    let orders = record
        .pending()
        .map(|trial| Ok((format!("trial-{}", trial.id), Order::Trial(sweep.order(record.base(), trial)?))))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if sweep.settings.workers == Workers::Ray {
        context.print_json(&night::ray_requests(context, sweep.settings, &orders)?)?;
    } else if json {
        let orders: Vec<_> = orders.into_iter().map(|(_, order)| order).collect();
        context.print_json(&orders)?;
    } else {
        context.print(&found(record, None))?;
    }
    let later = sweep.settings.trials.saturating_sub(record.trials().len());
    if later > 0 {
        say(&format!("edge: the other {later} follow from what these find"));
    }
    Ok(Status::Done)
}

/// Returns the table of trials: the parameters that were searched, and what came of them.
fn found(study: &Record, best: Option<usize>) -> String {
    let names: Vec<&String> = study.space().parameters().keys().collect();
    let heads: Vec<String> = names.iter().map(|name| format!(">{}", name.replace('_', " "))).collect();
    let ended = best.is_some();
    let results = if ended { vec![">loss", ">epoch", ">s"] } else { Vec::new() };
    let heads: Vec<&str> =
        std::iter::once("trial").chain(heads.iter().map(String::as_str)).chain(results).collect();
    let mut shown = table(&heads);
    for trial in study.trials() {
        let mark = if best == Some(trial.id) { " ★" } else { "" };
        let values = names.iter().map(|name| told(study.base(), trial, name));
        let results = if ended { results_of(trial).to_vec() } else { Vec::new() };
        shown.add_row(std::iter::once(format!("{}{mark}", trial.id)).chain(values).chain(results));
    }
    shown.to_string()
}

fn told(base: &Value, trial: &Trial, name: &str) -> String {
    match trial.point.get(name).or_else(|| base.get(name)) {
        Some(Value::Number(number)) if number.is_f64() => {
            format!("{:.4}", number.as_f64().unwrap_or_default())
        }
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "–".to_owned(),
    }
}

fn results_of(trial: &Trial) -> [String; 3] {
    let Some(outcome) = &trial.outcome else { return ["–", "–", "–"].map(str::to_owned) };
    let loss = outcome.loss.map_or_else(|| "–".to_owned(), |loss| format!("{loss:.4}"));
    let epochs = match &outcome.state {
        State::Complete => outcome.curve.len().to_string(),
        State::Pruned { epoch } => format!("{epoch} ✂"),
        other => other.as_str().to_owned(),
    };
    [loss, epochs, format!("{:.0}", outcome.seconds)]
}
