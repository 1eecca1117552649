//! `edge sweep`: searches hyper-parameters in separate trials.

use model::{Search, TrainSettings};

use crate::{
    args::SweepArgs,
    context::{Context, say},
    exit::Status,
    night::{self, Swept},
    table::table,
};

pub(crate) fn run(args: &SweepArgs, context: &Context) -> anyhow::Result<Status> {
    let trials = args.trials.unwrap_or(context.settings.sweep.trials);
    if args.dry_run {
        return dry_run(trials, args.json, context);
    }
    let (date, as_of) = context.night(args.date)?;
    night::publish_graph(context, &night::graph_as_of(context, as_of)?)?;
    let folder = context.runs_folder()?.join(format!("sweep-{date}-{}", as_of.strftime("%H%M%SZ")));
    std::fs::create_dir_all(&folder)?;
    let swept = night::sweep(context, as_of, trials, &folder, &|line| say(&format!("  {line}")))?;
    if args.json {
        context.print_json(&swept)?;
    } else {
        context.print(&swept_table(&swept))?;
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
fn dry_run(trials: usize, json: bool, context: &Context) -> anyhow::Result<Status> {
    let base = TrainSettings { epochs: context.settings.sweep.epochs, ..context.settings.model.clone() };
    let mut search = Search::new(base, context.settings.model.seed);
    let specs = (0..trials).map(|_| search.ask()).collect::<Result<Vec<_>, _>>()?;
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
