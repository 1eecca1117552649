//! Whatever is sent, the answer is a forecast or a problem document, and never a failure of the endpoint.

use std::fmt::Write;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Uri, header::CONTENT_TYPE},
};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};
use serve::{Problem, Settings};

use crate::{endpoint, serving, text_of};

/// Asks, and checks that an error says what it is.
fn answered(router: &Router, request: Request<Body>) -> Result<u16, TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (status, headers, text) = runtime.block_on(text_of(router, request));
    prop_assert!(status.as_u16() < 500, "{status}: {text}");
    if !status.is_success() {
        prop_assert_eq!(&headers["content-type"], "application/problem+json");
        let problem: Result<Problem, _> = serde_json::from_str(&text);
        prop_assert_eq!(problem.map(|problem| problem.status).ok(), Some(status.as_u16()), "{}", text);
    }
    Ok(status.as_u16())
}

fn posted(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/v1/predict").header(CONTENT_TYPE, "application/json");
    request.body(body.into()).unwrap()
}

/// Names that the contract knows, and some that it does not.
fn word() -> impl Strategy<Value = String> {
    let known =
        ["games", "lines", "full", "home", "away", "league", "game_id", "start_time", "market", "points"];
    let values =
        ["spread", "total", "over", "epl", "2022-10-14T10:00:00Z", "epl_2022-10-14_a_b", "x", "", "\u{0}"];
    prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        prop::sample::select(values.to_vec()).prop_map(str::to_owned),
        ".{0,12}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let entries = prop::collection::vec((word(), inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            entries.prop_map(|entries| entries.into_iter().collect::<Value>()),
        ]
    })
}

/// A request that is nearly right.
fn nearly() -> impl Strategy<Value = Value> {
    let game = prop_oneof![
        (word(), word(), any_json())
            .prop_map(|(home, away, extra)| json!({"home": home, "away": away, "league": extra})),
        (word(), word(), word())
            .prop_map(|(home, away, start)| json!({"home": home, "away": away, "start_time": start})),
        word().prop_map(|id| json!({"game_id": id})),
        any_json(),
    ];
    let line = prop_oneof![
        (any::<f64>(), word()).prop_map(
            |(points, selection)| json!({"market": "spread", "selection": selection, "points": points})
        ),
        (-500_i32..500).prop_map(
            |quarters| json!({"market": "total", "selection": "over", "points": f64::from(quarters) / 4.0})
        ),
        any_json(),
    ];
    let lists = (prop::collection::vec(game, 0..4), prop::collection::vec(line, 0..4), any::<bool>());
    lists.prop_map(|(games, lines, full)| json!({"games": games, "lines": lines, "full": full}))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        answered(&endpoint(serving(), Settings::default()), posted(bytes))?;
    }

    #[test]
    fn any_json_is_answered(value in any_json()) {
        answered(&endpoint(serving(), Settings::default()), posted(value.to_string()))?;
    }

    #[test]
    fn a_request_that_is_nearly_right_is_answered(value in nearly()) {
        answered(&endpoint(serving(), Settings::default()), posted(value.to_string()))?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_path_and_query_are_answered(path in "[a-z0-9/.%+&=?;:@!*~_-]{0,60}", query in ".{0,40}") {
        let quoted = query.bytes().fold(String::new(), |mut text, byte| {
            write!(text, "%{byte:02x}").unwrap();
            text
        });
        for address in [format!("/{path}"), format!("/v1/slate?date={quoted}"), format!("/v1/slate?{path}={quoted}"),
            format!("/v1/slate?from={quoted}&hours={path}"), format!("/v1/predict?explain={quoted}")] {
            let Ok(uri) = address.parse::<Uri>() else { continue };
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let request = Request::builder().method(method).uri(uri.clone()).body(Body::empty()).unwrap();
                answered(&endpoint(serving(), Settings::default()), request)?;
            }
        }
    }
}

#[test]
fn deep_json_is_refused_before_the_stack_ends() {
    let router = endpoint(serving(), Settings::default());
    for (open, close) in [("[", "]"), ("{\"games\":", "}"), ("{\"new\":", "}"), ("{\"games\":[", "]}")] {
        let body = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        assert!(matches!(answered(&router, posted(body)).unwrap(), 400 | 422), "{open}");
    }
}

#[test]
fn invalid_utf_8_is_refused() {
    let router = endpoint(serving(), Settings::default());
    let body = b"{\"games\": [{\"home\": \"\xff\xfe\", \"away\": \"B\"}]}";
    assert_eq!(answered(&router, posted(body.to_vec())).unwrap(), 400);
}
