//! `edge sweep`: searches hyper-parameters in separate trials.

use jiff::Timestamp;
use model::TrainSettings;

use super::trial::Order;
use crate::{
    args::SweepArgs,
    context::{Context, say},
    exit::Status,
    night::{self, Swept, TrialOrder},
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
    if args.dry_run {
        return dry_run(&settings, as_of, args.json, context);
    }
    night::publish_graph(context, &night::graph_as_of(context, as_of)?)?;
    let folder = context.runs_folder()?.join(format!("sweep-{date}-{}", as_of.strftime("%H%M%SZ")));
    std::fs::create_dir_all(&folder)?;
    let swept =
        night::sweep(context, &settings, as_of, args.smoke_test, &folder, &|line| say(&format!("  {line}")))?;
    if args.json {
        context.print_json(&swept)?;
    } else {
        context.print(&swept_table(&swept))?;
    }
    if args.smoke_test && swept.failed.is_empty() {
        say("edge: smoke test passed: the workers take trials, train and hand their results back");
    }
    Ok(if swept.failed.is_empty() { Status::Done } else { Status::Partial })
}

fn swept_table(swept: &Swept) -> String {
    let heads = ["trial", ">hidden", ">layers", ">fan-out", ">rate", ">dropout", ">decay", ">loss", ">s"];
    let mut shown = table(&heads);
    for (spec, result) in &swept.trials {
        let loss = result.validation_loss.map_or_else(|| "–".to_owned(), |loss| format!("{loss:.4}"));
        let mark = if result.id == swept.best_trial { " ★" } else { "" };
        let [hidden, layers, fan_out, rate, dropout, decay] = cells(&spec.settings);
        let seconds = format!("{:.0}", result.seconds);
        shown.add_row([
            format!("{}{mark}", spec.id),
            hidden,
            layers,
            fan_out,
            rate,
            dropout,
            decay,
            loss,
            seconds,
        ]);
    }
    for (id, error) in &swept.failed {
        shown.add_row([id.to_string(), error.clone()]);
    }
    shown.to_string()
}

fn cells(settings: &TrainSettings) -> [String; 6] {
    [
        settings.hidden.to_string(),
        settings.layers.to_string(),
        settings.fan_out.to_string(),
        format!("{:.4}", settings.learning_rate),
        format!("{:.2}", settings.dropout),
        format!("{:.4}", settings.weight_decay),
    ]
}

/// Prints what would be tried first; later trials depend on what the first ones find.
fn dry_run(
    settings: &SweepSettings,
    as_of: Timestamp,
    json: bool,
    context: &Context,
) -> anyhow::Result<Status> {
    let mut search = night::search(context, settings);
    let specs = (0..settings.trials).map(|_| search.ask()).collect::<Result<Vec<_>, _>>()?;
    if settings.workers == Workers::Ray {
        let orders: Vec<(String, Order)> = specs
            .into_iter()
            .map(|spec| (format!("trial-{}", spec.id), Order::Trial(TrialOrder { as_of, spec })))
            .collect();
        context.print_json(&night::ray_requests(context, settings, &orders)?)?;
        return Ok(Status::Done);
    }
    if json {
        context.print_json(&specs)?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["trial", ">hidden", ">layers", ">fan-out", ">rate", ">dropout", ">decay"]);
    for spec in &specs {
        shown.add_row(std::iter::once(spec.id.to_string()).chain(cells(&spec.settings)));
    }
    context.print(&shown.to_string())?;
    Ok(Status::Done)
}
