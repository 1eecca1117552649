//! `edge trial`: one piece of work in a process of its own, as a worker runs it.

use std::path::Path;

use anyhow::Context as _;
use coordinator::marker;
use model::{Progress, Step};
use serde::{Deserialize, Serialize};

use super::backtest::FoldOrder;
use crate::{
    args::TrialArgs,
    checkpoints,
    context::{Context, say},
    exit::Status,
    night::{self, TrialOrder},
};

/// What a process is told to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Train one configuration of a sweep.
    Trial(TrialOrder),
    /// Train for one fold of a backtest and forecast its games.
    Fold(FoldOrder),
}

/// Says each epoch, for whoever looks into the log.
struct Epochs;

impl Progress for Epochs {
    fn step(&mut self, step: &Step) {
        if let Some(loss) = step.validation_loss {
            say(&night::epoch_line(step.epoch, loss));
        }
    }
}

pub(crate) fn run(args: &TrialArgs, context: &Context) -> anyhow::Result<Status> {
    // Told in full, or by the name of a file.
    let order = if args.spec.starts_with('{') {
        args.spec.clone().into_bytes()
    } else {
        std::fs::read(&args.spec).with_context(|| format!("cannot read the order {}", args.spec))?
    };
    let order: Order =
        serde_json::from_slice(&order).with_context(|| format!("{} is no order", args.spec))?;
    let bytes = match order {
        Order::Trial(order) => {
            let graph = night::graph_as_of(context, order.as_of)?;
            serde_json::to_vec_pretty(&model::run_trial(&graph, &order.spec, &mut Epochs)?)?
        }
        Order::Fold(order) => {
            // Beside the order, so that another attempt goes on from them.
            let checkpoints = checkpoints::Folder::new(Path::new(&args.spec).with_extension("checkpoints"));
            serde_json::to_vec(&order.run(context, &checkpoints)?)?
        }
    };
    let folder = Path::new(&args.out);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("result.json"), &bytes)?;
    // The marker appears whole and last: its being there is the success of the order.
    let part = folder.join("done.part");
    std::fs::write(&part, model::sha256(&bytes))?;
    std::fs::rename(&part, folder.join(marker::MARKER))?;
    Ok(Status::Done)
}
