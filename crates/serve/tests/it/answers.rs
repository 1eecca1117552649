use axum::http::StatusCode;
use serve::{Serving, Settings};

use crate::{endpoint, get, json_of, predict, serving, text_of};

#[tokio::test]
async fn a_known_and_a_hypothetical_game_are_answered_in_order() {
    let router = endpoint(serving(), Settings::default());
    let body = r#"{"games": [{"game_id": "epl_2022-10-14_brentford_brighton"},
        {"league": "epl", "home": "Arsenal", "away": "Leeds", "start_time": "2022-10-16T13:00:00Z"}],
        "lines": [{"market": "spread", "selection": "home", "points": -0.25},
                  {"market": "total", "selection": "over", "points": 2},
                  {"market": "moneyline", "selection": "draw"}]}"#;
    let (status, answer) = json_of(&router, predict(body)).await;
    assert_eq!(status, StatusCode::OK);
    // Digits beyond the tenth differ between processors.
    insta::assert_json_snapshot!(rounded(answer));
}

/// Rounds every number to ten digits.
fn rounded(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) if number.is_f64() => {
            (number.as_f64().map(|number| (number * 1e10).round() / 1e10)).into()
        }
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other => other,
    }
}

#[tokio::test]
async fn a_full_answer_gives_the_prediction_back_to_the_bit() {
    use market::Predictor;
    let router = endpoint(serving(), Settings::default());
    let game = r#"{"game_id": "epl_2022-10-14_brentford_brighton"}"#;
    let (_, _, text) = text_of(&router, predict(&format!(r#"{{"games": [{game}], "full": true}}"#))).await;
    let answer: serve::PredictAnswer = serde_json::from_str(&text).unwrap();
    let query = serde_json::from_str(game).unwrap();
    let direct = serve::MockPredictor::new(crate::as_of()).predict(&[query]).unwrap();
    assert_eq!(answer.games[0].prediction, Some(direct[0].clone()));
}

#[tokio::test]
async fn a_slate_takes_a_day_or_an_instant() {
    let router = endpoint(serving(), Settings::default());
    for path in
        ["/v1/slate", "/v1/slate?date=2022-10-14&hours=3", "/v1/slate?from=2022-10-14T09:00:00Z&full=true"]
    {
        let (status, answer) = json_of(&router, get(path)).await;
        assert_eq!((status, answer["games"].as_array().unwrap().len()), (StatusCode::OK, 1), "{path}");
        assert_eq!(answer["games"][0]["prediction"].is_object(), path.contains("full"));
    }
    let (_, answer) = json_of(&router, get("/v1/slate?hours=1")).await;
    assert_eq!(answer["games"].as_array().unwrap().len(), 0, "the game at the end of the window is outside");
    for (path, status) in [
        ("/v1/slate?date=tomorrow", 400),
        ("/v1/slate?day=2022-10-14", 400),
        ("/v1/slate?hours=0", 422),
        ("/v1/slate?hours=-1", 400),
        ("/v1/slate?date=2022-10-14&from=2022-10-14T09:00:00Z", 422),
        ("/v1/slate?date=9999-12-31&hours=744", 422),
    ] {
        assert_eq!(json_of(&router, get(path)).await.0.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn health_does_not_depend_on_a_model_but_readiness_does() {
    let empty = Serving::empty("models/best.pt is corrupt");
    let router = endpoint(empty.clone(), Settings::default());
    let (status, health) = json_of(&router, get("/healthz")).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_json_snapshot!(health);
    for request in [
        get("/readyz"),
        get("/v1/model"),
        get("/v1/slate"),
        predict(r#"{"games":[{"home":"A","away":"B"}]}"#),
    ] {
        let (status, problem) = json_of(&router, request).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(problem["detail"], "no model is loaded: models/best.pt is corrupt");
    }
    empty.set(serving().get().unwrap());
    let (status, ready) = json_of(&router, get("/readyz")).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_json_snapshot!(ready);
}

#[tokio::test]
async fn old_data_is_not_ready() {
    let settings = Settings { stale_after: jiff::SignedDuration::from_mins(59), ..Settings::default() };
    let (status, problem) = json_of(&endpoint(serving(), settings), get("/readyz")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem["detail"].as_str().unwrap().starts_with("the newest row is 1 hours old"));
}

#[tokio::test]
async fn the_model_card_is_told() {
    let (status, answer) = json_of(&endpoint(serving(), Settings::default()), get("/v1/model")).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_json_snapshot!(answer);
}

#[tokio::test]
async fn every_answer_carries_version_as_of_and_request_id() {
    let router = endpoint(serving(), Settings::default());
    for path in ["/healthz", "/readyz", "/v1/model", "/v1/slate", "/metrics", "/openapi.json", "/nowhere"] {
        let (_, headers, _) = text_of(&router, get(path)).await;
        assert_eq!(headers["x-model-version"], "mock", "{path}");
        assert_eq!(headers["x-as-of"], "2022-10-14T09:00:00Z", "{path}");
        assert_eq!(headers["x-schema-version"], "1", "{path}");
        assert!(!headers["x-request-id"].is_empty(), "{path}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let router = endpoint(serving(), Settings::default());
    text_of(&router, get("/v1/slate?hours=0")).await;
    text_of(&router, get("/nowhere/1")).await;
    text_of(&router, get("/healthz")).await;
    let (_, headers, text) = text_of(&router, get("/metrics")).await;
    assert!(headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    for line in [
        r#"edge_http_requests_total{route="/v1/slate",method="GET",status="422"} 1"#,
        r#"edge_http_requests_total{route="none",method="GET",status="404"} 1"#,
        r#"edge_http_request_duration_seconds_count{route="/healthz",method="GET"} 1"#,
        "edge_data_age_seconds 3600.0",
        "edge_ready 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn the_document_names_every_route_and_the_routes_exist() {
    let router = endpoint(serving(), Settings::default());
    let (status, document) = json_of(&router, get("/openapi.json")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(document, serve::openapi());
    let paths: Vec<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "/docs",
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/readyz",
        "/v1/model",
        "/v1/predict",
        "/v1/reload",
        "/v1/slate",
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/{name}",
        "/v2/models/{name}/infer",
        "/v2/models/{name}/ready",
        "/v2/models/{name}/versions/{version}",
        "/v2/models/{name}/versions/{version}/infer",
        "/v2/models/{name}/versions/{version}/ready",
    ];
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    for path in paths {
        let path = path.replace("{name}", "edge").replace("{version}", "mock");
        assert_ne!(text_of(&router, get(&path)).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    insta::assert_json_snapshot!(document["components"]["schemas"]["GameForecast"]);
}
