//! Over a real socket.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use serve::{App, Client, ClientError, PredictRequest, ServeError, Settings, Token, listen, mock, run};

use crate::{SLOW_BEGUN, as_of, serving};

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn one_game(home: &str) -> PredictRequest {
    serde_json::from_value(serde_json::json!({"games": [{"home": home, "away": "B"}]})).unwrap()
}

#[tokio::test]
async fn the_client_and_the_server_understand_each_other() {
    let settings = Settings { listen: loopback(), token: Token::new("s3cret"), ..Settings::default() };
    let listener = listen(&settings).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let app = App::new(serving(), settings, as_of);
    let server = tokio::spawn(run(listener, app, async move { stopped.await.unwrap_or(()) }));

    let client = Client::new(&format!("{url}/"), Token::new("s3cret")).unwrap();
    assert_eq!(client.health().await.unwrap().status, "up");
    assert_eq!(client.model().await.unwrap().model.version, "mock");
    let slate = client.full_slate(as_of(), 24).await.unwrap();
    assert!(slate.games[0].prediction.is_some());
    let refused = client.predict(&one_game("Brentfort")).await.unwrap_err();
    let ClientError::Refused { status: 422, problem: Some(problem), .. } = &refused else {
        panic!("{refused}")
    };
    assert_eq!(problem.suggestions, ["Brentford", "Brighton"]);
    let stranger = Client::new(&url, None).unwrap().model().await.unwrap_err();
    assert!(matches!(stranger, ClientError::Refused { status: 401, .. }));

    // A request that has begun is answered although the server stops meanwhile.
    let begun = tokio::spawn(async move { client.predict(&one_game("Slow")).await });
    while !SLOW_BEGUN.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(()).unwrap();
    assert_eq!(begun.await.unwrap().unwrap().games.len(), 1);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_mock_answers_until_it_is_dropped() {
    let server = mock::start(as_of()).await.unwrap();
    let client = Client::new(&server.url, None).unwrap().patience(1, Duration::ZERO, Duration::from_secs(10));
    assert_eq!(client.predict(&one_game("A")).await.unwrap().games[0].game.home.as_str(), "A");
    drop(server);
    let mut error = None;
    for _ in 0..6000 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        error = client.health().await.err();
        if error.is_some() {
            break;
        }
    }
    assert!(matches!(error, Some(ClientError::Unreachable { .. })), "{error:?}");
}

#[tokio::test]
async fn a_taken_port_and_an_open_door_are_refused_in_one_line() {
    let first = listen(&Settings { listen: loopback(), ..Settings::default() }).await.unwrap();
    let address = first.local_addr().unwrap();
    let taken = listen(&Settings { listen: address, ..Settings::default() }).await.unwrap_err();
    assert_eq!(
        taken.to_string(),
        format!(
            "cannot listen on {address}: the port is in use; stop the other process or choose another with `--listen`"
        )
    );
    let public = Settings { listen: "0.0.0.0:0".parse().unwrap(), ..Settings::default() };
    let refused = listen(&public).await.unwrap_err();
    assert!(matches!(refused, ServeError::PublicWithoutToken { .. }), "{refused}");
}

/// Starts a server that fails some times before it answers.
async fn flaky(failures: u32, status: StatusCode) -> (String, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let answer = move || {
        let fails = count.fetch_add(1, Ordering::SeqCst) < failures;
        let health = r#"{"status":"up","model_version":null,"as_of":null,"schema_version":"1"}"#;
        std::future::ready(if fails { (status, "") } else { (StatusCode::OK, health) })
    };
    let listener = tokio::net::TcpListener::bind(loopback()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/healthz", get(answer))).await });
    (url, asked)
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_what_will_not_is_not() {
    let patient = |url: &str| {
        Client::new(url, None).unwrap().patience(3, Duration::from_millis(1), Duration::from_secs(10))
    };
    let (url, asked) = flaky(2, StatusCode::BAD_GATEWAY).await;
    assert_eq!(patient(&url).health().await.unwrap().status, "up");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let (url, asked) = flaky(9, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(matches!(patient(&url).health().await, Err(ClientError::Refused { status: 503, .. })));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let (url, asked) = flaky(9, StatusCode::NOT_FOUND).await;
    assert!(matches!(patient(&url).health().await, Err(ClientError::Refused { status: 404, .. })));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn errors_name_the_host_and_never_a_password() {
    let listener = tokio::net::TcpListener::bind(loopback()).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = Client::new(&format!("http://user:hunter2@127.0.0.1:{port}"), Token::new("s3cret")).unwrap();
    let client = client.patience(2, Duration::from_millis(1), Duration::from_secs(10));
    let error = client.predict(&one_game("A")).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(&format!("127.0.0.1:{port}")), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
    let client = format!("{client:?}");
    assert!(!client.contains("s3cret") && !client.contains("hunter2"), "{client}");
}
