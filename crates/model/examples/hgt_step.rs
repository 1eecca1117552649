//! Seconds per full-batch training step, to be set against `step_seconds_median` of `hgt_reference.py`.
//!
//! `hgt_step FOLDER [--steps N] [--threads T]`, where FOLDER holds what the reference wrote.

#![expect(clippy::print_stdout, reason = "a bench prints its times")]

use std::{env, error::Error, path::Path, time::Instant};

use model::full_graph::{FullGraph, Hgt, Settings};
use tch::Tensor;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let folder = Path::new(arguments.first().ok_or("usage: hgt_step FOLDER [--steps N] [--threads T]")?);
    let option = |name: &str| {
        let value =
            arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
        value.map(|value| value.parse::<usize>()).transpose()
    };
    if let Some(threads) = option("--threads")? {
        tch::set_num_threads(i32::try_from(threads)?);
    }
    let text = std::fs::read_to_string(folder.join("meta.json"))?;
    let meta: serde_json::Value = serde_json::from_str(&text)?;
    let size = |name: &str| {
        meta[name].as_u64().and_then(|n| usize::try_from(n).ok()).ok_or("meta.json lacks a size")
    };
    let rate = meta["lr"].as_f64().ok_or("meta.json lacks lr")?;
    let path = folder.join("graph.safetensors");
    let graph = FullGraph::read_safetensors(&path)?;
    let mut ids: Vec<String> = graph.relations().iter().map(model::full_graph::Relation::id).collect();
    ids.sort_by_key(|id| text.find(&format!("\"{id}\":")));
    let graph = graph.in_order(&ids)?;
    let labels =
        Tensor::read_safetensors(&path)?.into_iter().find(|(name, _)| name == "y").ok_or("no labels")?.1;
    let settings = Settings { hidden: size("hidden")?, heads: size("heads")?, layers: size("layers")? };
    let mut hgt = Hgt::from_safetensors(folder.join("weights.safetensors"), &graph, settings)?;
    let mut seconds = Vec::new();
    for _ in 0..=option("--steps")?.unwrap_or(20) {
        let start = Instant::now();
        hgt.step(&labels, rate)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let mut seconds = seconds.split_off(1); // the first step allocates
    seconds.sort_by(f64::total_cmp);
    let (Some(best), Some(median)) = (seconds.first(), seconds.get(seconds.len() / 2)) else {
        return Err("at least one step is needed".into());
    };
    println!(
        "median {median:.4} s, best {best:.4} s, {} steps, {} threads",
        seconds.len(),
        tch::get_num_threads()
    );
    Ok(())
}
