//! This layer beside `PyTorch` Geometric's own: the fixture is what `hgt_reference.py --layers 1` wrote.
//!
//! With one layer the logits of a game depend on the relations into games alone, and all of those are relations of ours.

use std::{collections::HashMap, path::Path};

use tch::Device;

use super::*;

/// The reference's source and relation beside ours, and how many sources each game has.
const RELATIONS: [(&str, &str, Relation, i64); 8] = [
    ("team", "home_in", Relation::HomeTeam, 1),
    ("team", "away_in", Relation::AwayTeam, 1),
    ("player", "home_starts", Relation::HomePlayer, 1),
    ("player", "away_starts", Relation::AwayPlayer, 1),
    ("coach", "leads", Relation::HomeCoach, 1),
    ("venue", "hosts", Relation::PlayedAt, 1),
    ("referee", "officiates", Relation::Officiates, 1),
    ("line", "quotes", Relation::Quotes, 5),
];
/// Relations of the reference's graph; its weights of all relations lie head by head in one tensor.
const COUNTED: i64 = 18;
const HIDDEN: i64 = 16;
const HEADS: i64 = 2;

fn read(file: &str) -> HashMap<String, Tensor> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hgt/layers_1");
    Tensor::read_safetensors(folder.join(file)).unwrap().into_iter().collect()
}

/// Where a relation stands among all of the reference's, in the order of `meta.json`.
fn place(source: &str, name: &str) -> i64 {
    let order = [
        "home_in",
        "away_in",
        "home_starts",
        "away_starts",
        "leads",
        "hosts",
        "officiates",
        "quotes",
        "posts",
    ];
    assert!(RELATIONS.iter().any(|known| (known.0, known.1) == (source, name)));
    order.iter().position(|known| *known == name).unwrap() as i64
}

#[test]
fn a_layer_without_relative_time_is_the_references() {
    let (graph, weights, expected) =
        (read("graph.safetensors"), read("weights.safetensors"), read("expected.safetensors"));
    let store = nn::VarStore::new(Device::Cpu);
    let config = LayerConfig { hidden: HIDDEN, heads: HEADS, dropout: 0.0, relative_time: false };
    let layer = HgtLayer::new(&store.root(), config, &RELATIONS.iter().map(|known| known.2).collect());
    let mut ours = store.variables();
    let mut set = |name: &str, value: &Tensor| {
        let variable = ours.get_mut(name).unwrap_or_else(|| panic!("no parameter is called {name}"));
        tch::no_grad(|| variable.copy_(&value.view_as(variable)));
    };
    let of_conv = |name: &str| &weights[&format!("convs.0.{name}")];
    for kind in ["game", "team", "player", "coach", "venue", "referee", "line"] {
        set(&format!("kind.{kind}.kqv.weight"), of_conv(&format!("kqv_lin.lins.{kind}.weight")));
        set(&format!("kind.{kind}.kqv.bias"), of_conv(&format!("kqv_lin.lins.{kind}.bias")));
    }
    set("kind.game.out.weight", of_conv("out_lin.lins.game.weight"));
    set("kind.game.out.bias", of_conv("out_lin.lins.game.bias"));
    set("kind.game.skip", of_conv("skip.game"));
    for (source, name, relation, _) in RELATIONS {
        let rows: Vec<i64> = (0..HEADS).map(|head| head * COUNTED + place(source, name)).collect();
        let rows = Tensor::from_slice(&rows);
        let path = format!("relation.{}", relation.as_str());
        set(&format!("{path}.key"), &of_conv("k_rel.weight").index_select(0, &rows));
        set(&format!("{path}.value"), &of_conv("v_rel.weight").index_select(0, &rows));
        set(&format!("{path}.prior"), of_conv(&format!("p_rel.{source}__{name}__game")));
    }

    let hidden = |kind: &str| {
        let (weight, bias) = (&weights[&format!("inp.{kind}.weight")], &weights[&format!("inp.{kind}.bias")]);
        graph[&format!("x_{kind}")].linear(weight, Some(bias)).relu()
    };
    let games = graph["x_game"].size()[0];
    let sources = RELATIONS.iter().map(|(source, name, relation, fan_out)| {
        let edges = &graph[&format!("edge__{source}__{name}__game")];
        let by_target = edges.get(1).sort(0, false).1;
        let rows = edges.get(0).index_select(0, &by_target);
        assert_eq!(rows.size(), [games * fan_out], "every game has {fan_out} of {name}");
        Sources {
            relation: *relation,
            fan_out: *fan_out,
            present: Tensor::ones([games, *fan_out, 1], (Kind::Float, Device::Cpu)),
            time: None,
            state: State {
                kind: relation.source(),
                hidden: hidden(source).index_select(0, &rows),
                sources: Vec::new(),
            },
        }
    });
    let state = State { kind: NodeKind::Game, hidden: hidden("game"), sources: sources.collect() };
    let logits =
        layer.forward(&state, 0, false).hidden.linear(&weights["out.weight"], Some(&weights["out.bias"]));
    let logits_without = hidden("game").linear(&weights["out.weight"], Some(&weights["out.bias"]));
    let far = |other: &Tensor| (other - &expected["logits"]).abs().max().double_value(&[]);
    assert!(far(&logits) < 1e-5, "logits differ by {}", far(&logits));
    assert!(far(&logits_without) > 1e-2, "the layer does something");
}
