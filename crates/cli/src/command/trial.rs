//! `edge trial`: one trial of a sweep, as a worker runs it.

use std::path::Path;

use anyhow::Context as _;
use coordinator::marker;

use crate::{
    args::TrialArgs,
    context::Context,
    exit::Status,
    night::{self, TrialOrder},
};

pub(crate) fn run(args: &TrialArgs, context: &Context) -> anyhow::Result<Status> {
    let order =
        std::fs::read(&args.spec).with_context(|| format!("cannot read the trial's order {}", args.spec))?;
    let order: TrialOrder =
        serde_json::from_slice(&order).with_context(|| format!("{} is no order of a trial", args.spec))?;
    let graph = night::graph_as_of(context, order.as_of)?;
    let result = model::run_trial(&graph, &order.spec, &mut ())?;
    let folder = Path::new(&args.out);
    std::fs::create_dir_all(folder)?;
    let bytes = serde_json::to_vec_pretty(&result)?;
    std::fs::write(folder.join("result.json"), &bytes)?;
    // The marker appears whole and last: its being there is the success of the trial.
    let part = folder.join("done.part");
    std::fs::write(&part, model::sha256(&bytes))?;
    std::fs::rename(&part, folder.join(marker::MARKER))?;
    Ok(Status::Done)
}
