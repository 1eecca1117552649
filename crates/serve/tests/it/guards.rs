use std::{fmt::Write, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header::CONTENT_TYPE},
    routing,
};
use serve::{App, Settings, Token, router_with};

use crate::{endpoint, get, json_of, predict, serving, text_of};

#[tokio::test]
async fn an_unknown_team_is_a_problem_document_with_suggestions() {
    let router = endpoint(serving(), Settings::default());
    let (status, headers, text) =
        text_of(&router, predict(r#"{"games": [{"home": "Brentfort", "away": "Brighton"}]}"#)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(headers["content-type"], "application/problem+json");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said() {
    let router = endpoint(serving(), Settings::default());
    let mut said = String::new();
    for body in [
        "",
        "{\"games\": [",
        "{\"games\": [{}]}",
        "{\"games\": []}",
        "{\"game\": []}",
        "{\"games\": [{\"home\": \"A\"}]}",
        "{\"games\": [{\"game_id\": \"x\", \"home\": \"A\"}]}",
        "{\"games\": [{\"home\": \"A\", \"away\": \"B\", \"start_time\": \"soon\"}]}",
        "{\"games\": [{\"home\": \"A\", \"away\": \"B\", \"league\": \"../x\"}]}",
        "{\"games\": [{\"game_id\": \"nonsense\"}]}",
        "{\"games\": [{\"home\": \"A\", \"away\": \"B\"}], \"lines\": [{\"market\": \"total\", \"selection\": \"over\"}]}",
        "{\"games\": [{\"home\": \"A\", \"away\": \"B\"}], \"lines\": [{\"market\": \"total\", \"selection\": \"over\", \"points\": 0.3}]}",
    ] {
        let (status, problem) = json_of(&router, predict(body)).await;
        writeln!(said, "{body}\n  {status}: {}", problem["detail"].as_str().unwrap()).unwrap();
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn unknown_paths_and_methods_and_other_bodies_are_problems_too() {
    let router = endpoint(serving(), Settings { body_limit: 1000, ..Settings::default() });
    let request = |method: Method, path: &str, kind: &str, size: usize| {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, kind);
        request.header("x-request-id", "test-1").body(Body::from(" ".repeat(size))).unwrap()
    };
    let mut said = String::new();
    for request in [
        request(Method::GET, "/v2/nothing", "application/json", 0),
        request(Method::GET, "/v1/predict", "application/json", 0),
        request(Method::POST, "/v1/slate", "application/json", 0),
        request(Method::POST, "/v1/predict", "text/plain", 10),
        request(Method::POST, "/v1/predict", "application/json", 1001),
    ] {
        let (_, headers, text) = text_of(&router, request).await;
        assert_eq!(headers["content-type"], "application/problem+json");
        let allow = headers.get("allow").map(|allow| allow.to_str().unwrap());
        writeln!(said, "allow: {allow:?} {text}").unwrap();
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_failing_model_is_a_500_without_its_secrets_and_the_next_request_works() {
    let router = endpoint(serving(), Settings::default());
    for team in ["Broken", "Panic"] {
        let body = format!(r#"{{"games": [{{"home": "{team}", "away": "B"}}]}}"#);
        let (status, _, text) = text_of(&router, predict(&body)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!text.contains("secret") && !text.contains("inside"), "{text}");
    }
    assert_eq!(json_of(&router, get("/v1/slate")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_slow_answer_is_cut_off() {
    let router = endpoint(serving(), Settings { time_out: Duration::from_millis(50), ..Settings::default() });
    let (status, problem) = json_of(&router, predict(r#"{"games": [{"home": "Slow", "away": "B"}]}"#)).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"urn:edge:problem:timed-out".into())
    );
}

#[tokio::test]
async fn with_a_token_only_probes_and_the_document_are_open() {
    let settings = Settings { token: Token::new("s3cret"), ..Settings::default() };
    let page = Router::new().route("/page", routing::get(|| std::future::ready("a page")));
    let router = router_with(App::new(serving(), settings, || "2022-10-14T10:00:00Z".parse().unwrap()), page);
    let asked = |path: &str, authorization: Option<&str>| {
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        request.body(Body::empty()).unwrap()
    };
    for (path, authorization, status) in [
        ("/healthz", None, 200),
        ("/readyz", None, 200),
        ("/openapi.json", None, 200),
        ("/docs", None, 200),
        ("/v2/health/live", None, 200),
        ("/v2/health/ready", None, 200),
        ("/v2", None, 401),
        ("/v2/models/edge", None, 401),
        ("/v1/model", None, 401),
        ("/metrics", None, 401),
        ("/nowhere", None, 401),
        ("/v1/model", Some("Bearer wrong"), 401),
        ("/v1/model", Some("Bearer "), 401),
        ("/v1/model", Some("s3cret"), 401),
        ("/v1/model", Some("Basic s3cret"), 401),
        ("/v1/model", Some("Basic czNjcmV0"), 401),
        ("/v1/model", Some("Basic YW55b25lOndyb25n"), 401),
        ("/page", None, 401),
        // What a browser sends when its user writes the token as the password.
        ("/page", Some("Basic YW55b25lOnMzY3JldA=="), 200),
        ("/v1/model", Some("Bearer s3cret"), 200),
        ("/v1/model", Some("bearer s3cret"), 200),
        ("/metrics", Some("Bearer s3cret"), 200),
    ] {
        let (got, headers, text) = text_of(&router, asked(path, authorization)).await;
        assert_eq!(got.as_u16(), status, "{path} {authorization:?}");
        assert_eq!(headers.contains_key("www-authenticate"), status == 401);
        assert!(!text.contains("s3cret"));
    }
}

#[tokio::test]
async fn a_request_id_is_kept_when_plain_and_given_otherwise() {
    let router = endpoint(serving(), Settings::default());
    let with_id = |id: &str| Request::get("/healthz").header("x-request-id", id).body(Body::empty()).unwrap();
    assert_eq!(text_of(&router, with_id("abc-1")).await.1["x-request-id"], "abc-1");
    let given = text_of(&router, with_id("<script>")).await.1["x-request-id"].clone();
    let other = text_of(&router, with_id(&"x".repeat(65))).await.1["x-request-id"].clone();
    assert!(given != "<script>" && other.len() < 64 && given != other);
}
