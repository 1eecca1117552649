//! The document, and its page for people.

use axum::http::StatusCode;
use jiff::SignedDuration;
use serde_json::Value;
use serve::{PredictAnswer, Settings, Stamp};

use crate::{endpoint, get, json_of, serving, text_of};

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.collect()
}

#[test]
fn every_operation_says_its_refusals_headers_and_tokens() {
    let document = serve::openapi();
    let mut ids = Vec::new();
    for (path, method, operation) in operations(&document) {
        ids.push(operation["operationId"].as_str().unwrap());
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{path}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses["200"]["headers"]["x-request-id"].is_object(), "{path}");
        for status in ["408", "421", "429", "500", "503"] {
            assert!(responses.contains_key(status), "{path} {status}");
        }
        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(is_open, !responses.contains_key("401"), "{path}");
        let has_body = operation["requestBody"].is_object();
        assert!(has_body == (method == "post") || path == "/v1/reload", "{path}");
        for status in ["413", "415", "422"] {
            assert!(!has_body || responses.contains_key(status), "{path} {status}");
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids are told apart");
    let busy = &document["components"]["responses"]["Problem503"];
    assert!(
        busy["headers"]["retry-after"].is_object() && busy["content"]["application/problem+json"].is_object()
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_shape_is_known() {
    fn walk(document: &Value, value: &Value, place: &str) {
        if let Some(target) = value["$ref"].as_str() {
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{place}: {target}");
        }
        let is_bare = value["type"] == "object" && value["properties"].is_null();
        // The document itself, and the protocol's free parameters, have no shape of their own.
        assert!(!is_bare || place.contains("openapi.json") || place.ends_with("parameters"), "{place}");
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, field)| walk(document, field, &format!("{place}/{name}")));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(document, item, place)),
            _ => {}
        }
    }
    let document = serve::openapi();
    walk(&document, &document, "");
}

#[test]
fn games_and_lines_say_what_goes_together() {
    let document = serve::openapi();
    let schemas = &document["components"]["schemas"];
    insta::assert_json_snapshot!([&schemas["GameAsked"], &schemas["LineAsked"], &schemas["Stamp"]]);
}

#[tokio::test]
async fn the_page_names_every_path_and_loads_nothing() {
    let settings = Settings { token: serve::Token::new("s3cret"), ..Settings::default() };
    let (status, headers, page) = text_of(&endpoint(serving(), settings), get("/docs")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline';"), "{policy}");
    let document = serve::openapi();
    for (path, method, operation) in operations(&document) {
        let heading = format!("{}</span> <code>{path}</code>", method.to_uppercase());
        assert!(page.contains(&heading), "{heading}");
        assert!(
            page.contains(&format!("href=\"#{}\"", operation["operationId"].as_str().unwrap())),
            "{path}"
        );
    }
    for (name, _) in document["components"]["schemas"].as_object().unwrap() {
        assert!(page.contains(&format!("id=\"shape-{name}\"")), "{name}");
    }
    for elsewhere in
        ["<script", "<link", "<img", "<iframe", "src=", "http:", "https:", "url(", "@import", "//"]
    {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    let targets = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    for target in targets {
        let is_there =
            target == "/openapi.json" || page.contains(&format!("id=\"{}\"", target.trim_start_matches('#')));
        assert!(is_there, "{target}");
    }
}

#[tokio::test]
async fn answers_say_how_old_their_data_is() {
    let old = Settings { stale_after: SignedDuration::from_mins(59), ..Settings::default() };
    for (settings, is_stale) in [(Settings::default(), false), (old, true)] {
        let router = endpoint(serving(), settings);
        for path in ["/healthz", "/v1/model", "/v1/slate"] {
            let (status, answer) = json_of(&router, get(path)).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            let expected = serde_json::json!({"data_age_seconds": 3600, "is_stale": is_stale});
            assert_eq!(answer["freshness"], expected, "{path}");
        }
    }
}

#[test]
fn an_answer_of_an_endpoint_that_knows_no_freshness_can_be_read() {
    let older = r#"{"model_version": "mock", "as_of": null, "schema_version": "1", "games": []}"#;
    let answer: PredictAnswer = serde_json::from_str(older).unwrap();
    assert_eq!(answer.stamp.freshness, None);
    assert!(serde_json::from_str::<Stamp>(r#"{"model_version": null}"#).is_err());
}

#[tokio::test]
async fn a_slate_that_ended_before_the_as_of_is_refused() {
    let router = endpoint(serving(), Settings::default());
    for (query, status) in [
        ("date=2022-10-13", 422),
        ("date=2022-10-13&hours=48", 422),
        ("from=2022-10-13T09:00:00Z", 422),
        ("from=2022-10-14T08:00:00Z&hours=1", 422),
        ("from=2022-10-13T09:00:00Z&hours=25", 200),
        ("date=2022-10-14", 200),
        ("date=2022-10-15", 200),
    ] {
        let (got, answer) = json_of(&router, get(&format!("/v1/slate?{query}"))).await;
        assert_eq!(got.as_u16(), status, "{query}");
        let detail = answer["detail"].as_str().unwrap_or("`edge predict slate --date`");
        assert!(detail.contains("`edge predict slate --date`"), "{detail}");
    }
}

#[tokio::test]
async fn a_small_question_has_no_large_answer() {
    let router = endpoint(serving(), Settings::default());
    for (count, status) in [(256, 200), (257, 422)] {
        let lines = vec![serde_json::json!({"market": "moneyline", "selection": "home"}); count];
        let body = serde_json::json!({"games": [{"home": "A", "away": "B"}], "lines": lines}).to_string();
        assert_eq!(json_of(&router, crate::predict(&body)).await.0.as_u16(), status, "{count}");
    }
}
