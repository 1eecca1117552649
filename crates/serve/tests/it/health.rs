use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header::AUTHORIZATION},
};
use serde_json::json;
use serve::{
    Token,
    health::{Checkup, health_router},
};

use crate::{get, json_of};

fn check(is_well: bool) -> Checkup {
    let status = if is_well { "up" } else { "down" };
    Checkup { is_well, status: status.to_owned(), details: json!({"status": status, "jobs": ["report"]}) }
}

#[tokio::test]
async fn health_is_asked_anew_each_time() {
    let well = Arc::new(AtomicBool::new(true));
    let now = well.clone();
    let router = health_router(None, move || check(now.load(Ordering::SeqCst)));
    let (status, body) = json_of(&router, get("/healthz")).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"status": "up", "jobs": ["report"]})));
    well.store(false, Ordering::SeqCst);
    let (status, body) = json_of(&router, get("/healthz")).await;
    assert_eq!((status, body["status"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("down")));
}

#[tokio::test]
async fn with_a_token_strangers_learn_only_whether_all_is_well() {
    let router = health_router(Token::new("s3cret"), || check(false));
    let (status, body) = json_of(&router, get("/healthz")).await;
    assert_eq!((status, body), (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "down"})));
    let ask = |token: &str| {
        let request = Request::get("/healthz").header(AUTHORIZATION, format!("Bearer {token}"));
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(json_of(&router, ask("guess")).await.1["jobs"], json!(null));
    assert_eq!(json_of(&router, ask("s3cret")).await.1["jobs"], json!(["report"]));
}
