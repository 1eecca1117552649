//! Who may ask what, how often, and from where.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request},
    routing,
};
use serve::{Access, Admin, App, KnownToken, Origin, Rate, Scope, Settings, Token, router_with};

use crate::{as_of, get, predict, serving, text_of};

/// SHA-256 of `one` and `two`.
const ONE: &str = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
const TWO: &str = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";

/// The endpoint with a route that changes something and one that breaks.
fn endpoint(access: Access, token: Option<&str>) -> Router {
    let routes = Router::new()
        .route("/change", routing::post(|_: Admin| std::future::ready("changed")))
        .route("/break", routing::get(|| async { if as_of() > as_of() { "" } else { panic!("inside") } }))
        .route("/cached", routing::get(|| async { ([("cache-control", "max-age=9")], "page") }));
    let token = token.and_then(Token::new);
    router_with(App::new(serving(), Settings { access, token, ..Settings::default() }, as_of), routes)
}

fn asked(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

async fn status(router: &Router, request: Request<Body>) -> (u16, String) {
    let (status, _, text) = text_of(router, request).await;
    (status.as_u16(), text)
}

fn two_tokens() -> Access {
    let tokens = vec![
        KnownToken::new("reader", Scope::Read, ONE).unwrap(),
        KnownToken::new("boss", Scope::Admin, TWO).unwrap(),
    ];
    Access { tokens, ..Access::default() }
}

#[tokio::test]
async fn a_reader_reads_and_only_an_admin_changes() {
    let router = endpoint(two_tokens(), Some("s3cret"));
    for (token, read, change) in
        [("one", 200, 403), ("two", 200, 200), ("s3cret", 200, 200), ("three", 401, 401)]
    {
        let header = [("authorization", &*format!("Bearer {token}"))];
        assert_eq!(status(&router, asked(Method::GET, "/v1/model", &header)).await.0, read, "{token}");
        assert_eq!(status(&router, asked(Method::GET, "/metrics", &header)).await.0, read, "{token}");
        let (got, text) = status(&router, asked(Method::POST, "/change", &header)).await;
        assert_eq!(got, change, "{token}: {text}");
        assert!(got != 403 || text.contains("urn:edge:problem:forbidden"), "{text}");
    }
    // Where no token is wanted, whoever reaches loopback may change things.
    let open = endpoint(Access::default(), None);
    assert_eq!(status(&open, asked(Method::POST, "/change", &[])).await.0, 200);
}

#[tokio::test]
async fn malformed_tokens_are_refused_and_never_repeated() {
    let router = endpoint(two_tokens(), None);
    let long = format!("Bearer {}", "x".repeat(10_000));
    for wrong in
        ["", " ", "Bearer", "Bearer one two", "Bearer\tone", "Basic ////", "Basic b25l", "Negotiate x", &long]
    {
        let (got, text) = status(&router, asked(Method::GET, "/v1/model", &[("authorization", wrong)])).await;
        assert_eq!(got, 401, "{wrong}");
        assert!(wrong.len() < 8 || !text.contains(wrong), "{text}");
    }
    let bytes = Request::get("/v1/model").header("authorization", &b"Bearer \xff\xfe"[..]);
    assert_eq!(status(&router, bytes.body(Body::empty()).unwrap()).await.0, 401);
}

#[tokio::test]
async fn without_a_token_only_this_machine_is_answered() {
    let access = Access { hosts: vec!["edge.example".to_owned()], ..Access::default() };
    let router = endpoint(access, None);
    for (host, wanted) in [("127.0.0.1:8000", 200), ("edge.example", 200), ("evil.example:8000", 421)] {
        for path in ["/v1/model", "/healthz"] {
            let (got, text) = status(&router, asked(Method::GET, path, &[("host", host)])).await;
            assert_eq!(got, wanted, "{host} {path}: {text}");
        }
    }
    assert_eq!(status(&router, get("http://evil.example/v1/model")).await.0, 421, "the address of HTTP/2");
    // A page that lets its name point here cannot know the token.
    let guarded = endpoint(Access::default(), Some("s3cret"));
    let headers = [("host", "edge.example"), ("authorization", "Bearer s3cret")];
    assert_eq!(status(&guarded, asked(Method::GET, "/v1/model", &headers)).await.0, 200);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_unless_listed() {
    let origins = vec![Origin::new("https://desk.example").unwrap()];
    let router = endpoint(Access { origins, ..Access::default() }, None);
    let change = async |origin: &str| {
        let headers = [("host", "localhost:8000"), ("origin", origin)];
        status(&router, asked(Method::POST, "/change", &headers)).await.0
    };
    assert_eq!(change("https://evil.example").await, 403);
    assert_eq!(change("null").await, 403);
    assert_eq!(change("http://localhost:8000").await, 200);
    assert_eq!(change("https://desk.example").await, 200);
}

#[tokio::test]
async fn each_caller_has_a_rate_of_his_own() {
    let access = Access { rate: Rate::new(1, 2), ..two_tokens() };
    let router = endpoint(access, None);
    let ask = async |token: &str| {
        let request = asked(Method::GET, "/v1/model", &[("authorization", &format!("Bearer {token}"))]);
        let (status, headers, text) = text_of(&router, request).await;
        (status.as_u16(), headers, text)
    };
    // Two at once; a slow machine may earn a further one meanwhile.
    let mut refused = None;
    for _ in 0..50 {
        let answer = ask("one").await;
        if answer.0 == 429 {
            refused = Some(answer);
            break;
        }
    }
    let (_, headers, text) = refused.expect("fifty at once are too many");
    assert_eq!(headers["retry-after"], "1");
    assert!(text.contains("urn:edge:problem:too-many-requests"), "{text}");
    assert_eq!(ask("two").await.0, 200, "another caller");
    let probes = (0..100).map(|_| get("/healthz"));
    for probe in probes {
        assert_eq!(status(&router, probe).await.0, 200, "probes are never refused");
    }
    // Wrong tokens are counted too, by address.
    let mut guesses = Vec::new();
    for _ in 0..50 {
        guesses.push(ask("guess").await.0);
    }
    assert!(guesses.contains(&401) && guesses.contains(&429), "{guesses:?}");
}

#[tokio::test]
async fn listed_pages_may_read_and_others_may_not() {
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        asked(Method::OPTIONS, "/v1/predict", &headers)
    };
    let allowed = |headers: &HeaderMap| headers.get("access-control-allow-origin").cloned();
    let origins = vec![Origin::new("https://desk.example").unwrap()];
    let router = endpoint(Access { origins, ..Access::default() }, Some("s3cret"));
    let (status, headers, _) = text_of(&router, preflight("https://desk.example")).await;
    assert_eq!(status.as_u16(), 200, "a preflight carries no token");
    assert_eq!(allowed(&headers).unwrap(), "https://desk.example");
    assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(allowed(&text_of(&router, preflight("https://evil.example")).await.1).is_none());
    // The question itself needs the token, and a page may read that it does.
    let ask = |headers: &[(&str, &str)]| asked(Method::GET, "/v1/model", headers);
    let (status, headers, _) = text_of(&router, ask(&[("origin", "https://desk.example")])).await;
    assert_eq!((status.as_u16(), allowed(&headers).is_some()), (401, true));
    let with = [("origin", "https://desk.example"), ("authorization", "Bearer s3cret")];
    assert_eq!(text_of(&router, ask(&with)).await.0, 200);
    // Off unless listed.
    let closed = endpoint(Access::default(), Some("s3cret"));
    let (status, headers, _) = text_of(&closed, preflight("https://desk.example")).await;
    assert_eq!((status.as_u16(), allowed(&headers)), (401, None));
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_safety() {
    let router = endpoint(Access::default(), None);
    for path in ["/healthz", "/v1/model", "/nowhere", "/metrics", "/openapi.json", "/break", "/cached"] {
        let (_, headers, _) = text_of(&router, get(path)).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cache-control", if path == "/cached" { "max-age=9" } else { "no-store" }),
            ("x-schema-version", "1"),
            ("x-model-version", "mock"),
            ("x-as-of", "2022-10-14T09:00:00Z"),
        ] {
            assert_eq!(headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{path} {name}");
        }
        assert!(headers.contains_key("x-request-id") && !headers.contains_key("strict-transport-security"));
    }
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let router = endpoint(Access::default(), None);
    let long = format!("/v1/slate?date={}", "x".repeat(9000));
    for (request, wanted) in [
        (get("/break"), 500),
        (asked(Method::GET, "/change", &[]), 405),
        (asked(Method::from_bytes(b"BREW").unwrap(), "/cached", &[]), 405),
        (get(&long), 414),
        (get("//v1/model"), 404),
        (get("/v1/%2e%2e/model"), 404),
        (get("/v1/../healthz"), 404),
        (get("/v1/model%00"), 404),
        (get("/v1/model/"), 404),
        (get("/%ff%fe"), 404),
        (get("/v1/slate?date=%ff"), 400),
    ] {
        let asked = format!("{} {:.40}", request.method(), request.uri());
        let (status, headers, text) = text_of(&router, request).await;
        assert_eq!(status.as_u16(), wanted, "{asked}: {text}");
        assert_eq!(headers["content-type"], "application/problem+json", "{asked}");
        let problem: serve::Problem = serde_json::from_str(&text).unwrap();
        assert_eq!((problem.status, problem.request_id.is_empty()), (wanted, false), "{asked}");
    }
    assert_eq!(text_of(&router, predict(r#"{"games": [{"home": "A", "away": "B"}]}"#)).await.0, 200);
}

#[tokio::test]
async fn a_clock_that_goes_backwards_makes_no_age_negative() {
    for now in
        ["2022-10-14T08:00:00Z", "1969-01-01T00:00:00Z", "-009999-01-02T01:59:59Z", "9999-12-30T00:00:00Z"]
    {
        let clock = move || now.parse().unwrap();
        let router = serve::router(App::new(serving(), Settings::default(), clock));
        let (status, _, text) = text_of(&router, get("/metrics")).await;
        assert_eq!(status, 200);
        let ages: Vec<f64> = text
            .lines()
            .filter(|line| line.contains("_age_seconds ") && !line.starts_with('#'))
            .map(|line| line.split(' ').nth(1).unwrap().parse().unwrap())
            .collect();
        assert!(!ages.is_empty() && ages.iter().all(|age| *age >= 0.0), "{now}: {ages:?}");
        let ready = text_of(&router, get("/readyz")).await.0.as_u16();
        assert_eq!(ready, if now.starts_with('9') { 503 } else { 200 }, "{now}");
    }
}
