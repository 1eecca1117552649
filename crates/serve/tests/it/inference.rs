//! The Open Inference Protocol.

use std::fmt::Write;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use serve::{Serving, Settings};

use crate::{endpoint, get, json_of, serving, text_of};

fn infer(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).body(body.into()).unwrap()
}

fn column(name: &str, texts: &[&str]) -> Value {
    json!({"name": name, "shape": [texts.len()], "datatype": "BYTES", "data": texts})
}

async fn ask(router: &Router, body: &Value) -> (StatusCode, Value) {
    json_of(router, infer("/v2/models/edge/infer", body.to_string())).await
}

#[tokio::test]
async fn tensors_are_answered_with_the_numbers_of_predict() {
    let router = endpoint(serving(), Settings::default());
    let inputs = [
        column("game_id", &["epl_2022-10-14_brentford_brighton", ""]),
        column("home", &["", "Arsenal"]),
        column("away", &["", "Leeds"]),
        json!({"name": "league", "shape": [2, 1], "datatype": "BYTES", "data": [[""], ["epl"]]}),
        column("start_time", &["", "2022-10-16T13:00:00Z"]),
    ];
    let outputs = json!([{"name": "away_win"}, {"name": "members"}, {"name": "game_id"}]);
    let body =
        json!({"id": "42", "inputs": inputs, "outputs": outputs, "parameters": {"binary_data_output": true}});
    let (status, answer) = ask(&router, &body).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&answer["id"], &answer["model_name"], &answer["model_version"]),
        (&json!("42"), &json!("edge"), &json!("mock"))
    );
    assert_eq!(
        answer["parameters"],
        json!({"as_of": "2022-10-14T09:00:00Z", "data_age_seconds": 3600, "is_stale": false, "schema_version": "1"})
    );
    let told = r#"{"games": [{"game_id": "epl_2022-10-14_brentford_brighton"},
        {"league": "epl", "home": "Arsenal", "away": "Leeds", "start_time": "2022-10-16T13:00:00Z"}]}"#;
    let (_, told) = json_of(&router, crate::predict(told)).await;
    let same = |pointer: &str| {
        [&told["games"][0], &told["games"][1]].map(|game| game.pointer(pointer).unwrap().clone())
    };
    let tensor = |name: &str, kind: &str, data: [Value; 2]| json!({"name": name, "datatype": kind, "shape": [2], "data": data});
    let expected = [
        tensor("away_win", "FP64", same("/moneyline/away")),
        tensor("members", "INT64", same("/interval/members")),
        tensor("game_id", "BYTES", same("/game/game_id")),
    ];
    assert_eq!(answer["outputs"], json!(expected));
    let (_, answer) =
        ask(&router, &json!({"inputs": [column("home", &["A"]), column("away", &["B"])]})).await;
    assert_eq!(answer["outputs"].as_array().unwrap().len(), 12, "all outputs when none is named");
    assert!(answer.get("id").is_none());
}

#[tokio::test]
async fn what_is_described_is_what_is_answered() {
    let router = endpoint(serving(), Settings::default());
    let (_, metadata) = json_of(&router, get("/v2/models/edge")).await;
    let (_, versioned) = json_of(&router, get("/v2/models/edge/versions/mock")).await;
    assert_eq!(metadata, versioned);
    assert_eq!((&metadata["versions"], &metadata["platform"]), (&json!(["mock"]), &json!("edge_hgt")));
    let body = json!({"inputs": [column("home", &["A"]), column("away", &["B"])]}).to_string();
    let (_, answer) = json_of(&router, infer("/v2/models/edge/versions/mock/infer", body)).await;
    let kinds = |list: &Value| {
        let kind = |tensor: &Value| (tensor["name"].to_string(), tensor["datatype"].to_string());
        list.as_array().unwrap().iter().map(kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&metadata["outputs"]), kinds(&answer["outputs"]));
    let (_, server) = json_of(&router, get("/v2")).await;
    assert_eq!(server, json!({"name": "edge", "version": env!("CARGO_PKG_VERSION"), "extensions": []}));
    for path in ["/v2/models/edge/ready", "/v2/models/edge/versions/mock/ready"] {
        assert_eq!(json_of(&router, get(path)).await.1, json!({"name": "edge", "ready": true}));
    }
}

#[tokio::test]
async fn without_a_model_the_server_is_live_and_not_ready() {
    let router = endpoint(Serving::empty("models/best.pt is corrupt"), Settings::default());
    let (status, health) = json_of(&router, get("/v2/health/live")).await;
    assert_eq!((status, health), (StatusCode::OK, json!({"live": true, "ready": false})));
    for path in ["/v2/health/ready", "/v2/models/edge", "/v2/models/edge/ready"] {
        let (status, problem) = json_of(&router, get(path)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(problem["error"], "no model is loaded: models/best.pt is corrupt");
        assert_eq!(problem["error"], problem["detail"]);
    }
}

#[tokio::test]
async fn texts_may_follow_the_json_as_bytes() {
    let router = endpoint(serving(), Settings::default());
    let bytes = |texts: &[&str]| -> Vec<u8> {
        texts
            .iter()
            .flat_map(|text| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat())
            .collect()
    };
    let (home, away) = (bytes(&["Köln", "A"]), bytes(&["Leeds", "B"]));
    let input = |name: &str, size: usize| json!({"name": name, "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": size}});
    let request = |sizes: [usize; 2], length: Option<usize>, cut: usize| {
        let json = json!({"inputs": [input("home", sizes[0]), input("away", sizes[1])], "outputs": [{"name": "game_id"}]}).to_string();
        let length = length.unwrap_or(json.len()).to_string();
        let mut body = [json.as_bytes(), &home, &away].concat();
        body.truncate(body.len() - cut);
        Request::post("/v2/models/edge/infer")
            .header("inference-header-content-length", length)
            .body(Body::from(body))
            .unwrap()
    };
    let right = [home.len(), away.len()];
    let (status, answer) = json_of(&router, request(right, None, 0)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["outputs"][0]["data"][0], "demo_2022-10-14_koln_leeds");
    for (sizes, length, cut, status) in [
        (right, Some(100_000), 0, 400),
        (right, Some(10), 0, 400),
        (right, None, 1, 422),
        ([home.len() + 1, away.len() - 1], None, 0, 422),
        ([usize::MAX, 0], None, 0, 422),
    ] {
        let (got, problem) = json_of(&router, request(sizes, length, cut)).await;
        assert_eq!(got.as_u16(), status, "{problem}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_tensors_is_said() {
    let router = endpoint(serving(), Settings { games_limit: 3, body_limit: 2000, ..Settings::default() });
    let with = |input: Value| json!({"inputs": [input]});
    let mut said = String::new();
    for body in [
        json!({}),
        json!({"inputs": []}),
        with(column("team", &["A"])),
        with(column("home", &["A"])),
        with(column("game_id", &[])),
        with(column("game_id", &["nonsense"])),
        with(column("game_id", &["a", "b", "c", "d"])),
        with(json!({"name": "game_id", "shape": [2], "datatype": "BYTES", "data": ["a"]})),
        with(json!({"name": "game_id", "shape": [1, 2], "datatype": "BYTES", "data": ["a", "b"]})),
        with(json!({"name": "game_id", "shape": [1], "datatype": "FP64", "data": [1.5]})),
        with(json!({"name": "game_id", "shape": [1], "datatype": "BYTES", "data": [1.5]})),
        with(json!({"name": "game_id", "shape": [1], "datatype": "BYTES"})),
        json!({"inputs": [column("home", &["A", "B"]), column("away", &["C"])]}),
        json!({"inputs": [column("home", &["A"]), column("home", &["B"])]}),
        json!({"inputs": [column("home", &["A"]), column("away", &["B"]), column("start_time", &["soon"])]}),
        json!({"inputs": [column("home", &["A"]), column("away", &["B"]), column("league", &["../x"])]}),
        json!({"inputs": [column("home", &["A"]), column("away", &["B"])], "outputs": [{"name": "winner"}]}),
        json!({"inputs": [column("home", &["A"]), column("away", &["B"])], "outputs": [{"name": "draw"}, {"name": "draw"}]}),
        with(column("game_id", &[&"x".repeat(2000)])),
    ] {
        let (status, problem) = ask(&router, &body).await;
        let mut body = body.to_string();
        body.truncate(140);
        writeln!(said, "{body}\n  {status}: {}", problem["error"].as_str().unwrap()).unwrap();
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn other_models_and_versions_are_not_found() {
    let router = endpoint(serving(), Settings::default());
    for path in [
        "/v2/models/other",
        "/v2/models/edge/versions/2",
        "/v2/models/other/versions/mock/ready",
        "/v2/nothing",
    ] {
        let (status, headers, text) = text_of(&router, get(path)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert!(text.contains("\"error\":"), "{text}");
    }
    assert_eq!(json_of(&router, infer("/v2/models/other/infer", "{}")).await.0, StatusCode::NOT_FOUND);
    let (status, _) = json_of(&router, get("/v2/models/%FF")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
