//! Logits and losses of `PyTorch` Geometric's `HGTConv`.
//!
//! The fixtures are what `hgt_reference.py --games 60 --hidden 16 --heads 2 --layers 1 | 2` wrote; `HGT_REFERENCE` names another
//! folder of it, for larger graphs.

use std::{
    collections::HashMap,
    error::Error,
    path::{Path, PathBuf},
};

use model::full_graph::{FullGraph, Hgt, Relation, Settings};
use tch::Tensor;

/// Returns the fixtures, and what the environment adds.
fn folders() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hgt");
    let named = std::env::var_os("HGT_REFERENCE").map(PathBuf::from);
    [fixtures.join("layers_1"), fixtures.join("layers_2")].into_iter().chain(named).collect()
}

#[test]
fn logits_and_losses_are_the_references() {
    for folder in folders() {
        check(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    }
}

#[expect(clippy::print_stdout, reason = "how near the reference is")]
fn check(folder: &Path) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join("meta.json"))?;
    let meta: serde_json::Value = serde_json::from_str(&text)?;
    let size = |name: &str| {
        meta[name].as_u64().and_then(|n| usize::try_from(n).ok()).ok_or("meta.json lacks a size")
    };
    let rate = meta["lr"].as_f64().ok_or("meta.json lacks lr")?;
    let graph = FullGraph::read_safetensors(folder.join("graph.safetensors"))?;
    // The weights count relations in the order in which the reference made them, which meta.json keeps.
    let mut ids: Vec<String> = graph.relations().iter().map(Relation::id).collect();
    ids.sort_by_key(|id| text.find(&format!("\"{id}\":")));
    let graph = graph.in_order(&ids)?;
    let settings = Settings { hidden: size("hidden")?, heads: size("heads")?, layers: size("layers")? };
    let mut hgt = Hgt::from_safetensors(folder.join("weights.safetensors"), &graph, settings)?;

    let read = |file: &str| -> Result<HashMap<String, Tensor>, tch::TchError> {
        Ok(Tensor::read_safetensors(folder.join(file))?.into_iter().collect())
    };
    let expected = read("expected.safetensors")?;
    let drift = f64::try_from((hgt.logits() - &expected["logits"]).abs().max())?;
    println!("logits differ by at most {drift:.1e}");
    assert!(drift < 1e-5, "logits differ by {drift}");

    let labels = &read("graph.safetensors")?["y"];
    let losses = Vec::<f32>::try_from(&expected["losses"])?;
    assert!(!losses.is_empty(), "the reference took no step");
    let mut worst = 0.0f64;
    for (step, expected) in losses.iter().enumerate() {
        let found = hgt.step(labels, rate)?;
        let drift = (found - f64::from(*expected)).abs();
        assert!(drift < 1e-4, "step {step}: the loss is {found}, the reference has {expected}");
        worst = worst.max(drift);
    }
    println!("{} losses differ by at most {worst:.1e}", losses.len());
    Ok(())
}
