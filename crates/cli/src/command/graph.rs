//! `edge graph`: builds, shows and exports the as-of graph.

use std::path::Path;

use anyhow::Context as _;
use graph::{Graph, NodeKind};
use market::GameId;
use serde_json::json;

use crate::{
    args::{GraphBuildArgs, GraphCommand, GraphExportArgs, GraphShowArgs},
    context::{Context, say},
    exit::{Status, Usage},
    night,
    table::table,
};

pub(crate) fn run(command: GraphCommand, context: &Context) -> anyhow::Result<Status> {
    match command {
        GraphCommand::Build(args) => build(&args, context),
        GraphCommand::Show(args) => show(&args, context),
        GraphCommand::Export(args) => export(&args),
    }
}

fn build(args: &GraphBuildArgs, context: &Context) -> anyhow::Result<Status> {
    let (_, as_of) = context.night(args.date)?;
    let graph = Graph::build(&context.snapshot(as_of)?);
    anyhow::ensure!(!graph.games().is_empty(), "no game is known before {as_of}: choose a later date");
    let published = night::publish_graph(context, &graph)?;
    let nodes: Vec<(NodeKind, usize)> = NodeKind::ALL.map(|kind| (kind, graph.node_count(kind))).to_vec();
    if args.json {
        let counts: serde_json::Map<String, _> =
            nodes.iter().map(|(kind, count)| (kind.as_str().to_owned(), json!(count))).collect();
        context.print_json(
            &json!({"as_of": as_of, "file": published.key, "sha256": published.sha256, "nodes": counts}),
        )?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["nodes", ">count"]);
    for (kind, count) in nodes {
        shown.add_row([kind.as_str().to_owned(), count.to_string()]);
    }
    context.print(&shown.to_string())?;
    say(&format!("edge: graph as of {as_of} published as {}", published.key));
    Ok(Status::Done)
}

fn show(args: &GraphShowArgs, context: &Context) -> anyhow::Result<Status> {
    let graph = match args.date {
        Some(_) => Graph::build(&context.snapshot(context.night(args.date)?.1)?),
        None => night::latest_graph(context)?,
    };
    let game = GameId::from_text(&args.game);
    let as_of =
        graph.find(&game).map_or(graph.as_of(), |index| graph.as_of().min(graph.games()[index].start_time));
    let neighbourhood = graph.neighbourhood_of(&game, as_of).with_context(|| {
        format!("no game `{game}` is known as of {as_of}: `edge predict slate` prints the ids of a night")
    })?;
    if let Some(file) = &args.picture {
        let text = match file.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => neighbourhood.to_svg(),
            Some("dot") => neighbourhood.to_dot(),
            _ => return Err(Usage(format!("{}: a picture ends in .svg or .dot", file.display())).into()),
        };
        write(file, &text)?;
    }
    if args.json {
        context.print_json(&neighbourhood)?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["relation", "from", "date", ">age", "says"]);
    for row in &neighbourhood.rows {
        let date = row.instant.map_or_else(String::new, |instant| instant.strftime("%Y-%m-%d").to_string());
        let age = if row.instant.is_some() { format!("{:.0} d", row.age_days) } else { String::new() };
        shown.add_row([row.relation.as_str(), &row.name, &date, &age, &row.says]);
    }
    context.print(&format!("{}\nas of {}\n{shown}", neighbourhood.title, neighbourhood.as_of))?;
    Ok(Status::Done)
}

fn export(args: &GraphExportArgs) -> anyhow::Result<Status> {
    write(&args.file, &graph::meta::to_dot())?;
    Ok(Status::Done)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    say(&format!("edge: wrote {}", file.display()));
    Ok(())
}
