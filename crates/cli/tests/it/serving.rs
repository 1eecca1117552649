//! `edge serve` while models and rows come, go bad and come back.

use crate::{
    edge::{Edge, SMALL},
    endpoint::Serving,
    stores::Bucket,
};

/// Asks for what there is at once, and never by itself.
const SERVE: &str = "[serve]\nlook_every = \"1s\"\nrefresh_every = \"10000h\"\nstale_after = \"1000000h\"\nwarm_hours = 240\n";

const RELOAD: &str = "POST /v1/reload";

#[test]
fn an_endpoint_lives_through_nights_bad_models_and_new_rows() {
    let edge = Edge::with(&format!("{SMALL}{SERVE}"));
    let serving = Serving::start(&edge, None);
    assert_eq!(serving.json("GET /healthz", "").0, 200);
    let not_yet = serving.until(503, "GET /readyz");
    assert!(not_yet["detail"].as_str().unwrap().contains("no model"), "{not_yet}");

    edge.run(&["nightly", "--date", "2026-03-02"]).done();
    let ready = serving.until(200, "GET /readyz");
    let version = ready["model_version"].as_str().unwrap().to_owned();
    // Rows land: the same model answers from a later as-of.
    let as_of = |answer: &serde_json::Value| answer["as_of"].as_str().unwrap().to_owned();
    let before = as_of(&serving.json("GET /readyz", "").1);
    edge.run(&["fetch"]).done();
    serving.json(RELOAD, "");
    let after = serving.json("GET /readyz", "").1;
    assert!(as_of(&after) > before, "{after} is not later than {before}");
    assert_eq!(after["model_version"], version.as_str());

    let (_, slate) = serving.json("GET /v1/slate?hours=240", "");
    let game = slate["games"][0]["game"]["game_id"].as_str().unwrap();
    let question = serde_json::json!({"games": [{"game_id": game}]}).to_string();
    let home_wins = || {
        let (status, answer) = serving.json("POST /v1/predict", &question);
        assert_eq!(status, 200, "{answer}");
        answer["games"][0]["moneyline"]["home"].as_f64().unwrap()
    };
    let first = home_wins();

    // The command line asks the endpoint and is told the same.
    let url = format!("http://{}", serving.address);
    let told =
        edge.command(&["predict", "game", game, "--json", "--dry-run"]).env("PREDICT_URL", &url).output();
    let told: serde_json::Value = serde_json::from_slice(&told.unwrap().stdout).unwrap();
    assert_eq!(told["moneyline"]["home"].as_f64().map(f64::to_bits), Some(first.to_bits()));

    // Weights that are not those of the card, and then a card that is none.
    let (weights, card) = (edge.path("edge-store/models/best.pt"), edge.path("edge-store/models/best.json"));
    let (good_weights, good_card) = (std::fs::read(&weights).unwrap(), std::fs::read(&card).unwrap());
    std::fs::write(&weights, b"no weights").unwrap();
    std::fs::write(&card, [good_card.as_slice(), b"\n"].concat()).unwrap();
    refused(&serving, "best.pt");
    assert_eq!(home_wins().to_bits(), first.to_bits(), "the old one goes on");
    std::fs::write(&card, b"{").unwrap();
    refused(&serving, "card");
    std::fs::remove_file(&card).unwrap();
    refused(&serving, "no model");
    assert_eq!(serving.json("GET /readyz", "").0, 200);
    std::fs::write(&weights, good_weights).unwrap();
    std::fs::write(&card, good_card).unwrap();
    assert_eq!(serving.json(RELOAD, "").0, 200);
    assert!(serving.json("GET /v1/model", "").1["refused"].is_null());
    drop(serving);
    a_model_in_a_bucket(&edge, &version);
}

/// The same model where `MODEL_URI` names a bucket: served while it is good, and refused there when it is not.
fn a_model_in_a_bucket(edge: &Edge, version: &str) {
    let Some(bucket) = Bucket::start("a model in a bucket") else { return };
    let read = |name: &str| std::fs::read(edge.path(&format!("edge-store/models/{name}"))).unwrap();
    let (weights, card) = (read("best.pt"), read("best.json"));
    bucket.put("edge/models/best.pt", &weights);
    bucket.put("edge/models/best.json", &card);
    let serving = Serving::start_with(edge, |command| {
        bucket.reach(command);
        command.env("MODEL_URI", "s3://edge/models/best.pt");
    });
    assert_eq!(serving.until(200, "GET /readyz")["model_version"], version);
    bucket.put("edge/models/best.pt", b"no weights");
    bucket.put("edge/models/best.json", &[card.as_slice(), b"\n"].concat());
    refused(&serving, "sha256");
    assert_eq!(serving.json("GET /readyz", "").0, 200);
}

fn refused(serving: &Serving, why: &str) {
    let (status, problem) = serving.json(RELOAD, "");
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    assert_eq!(problem["type"], "urn:edge:problem:reload-refused");
}
