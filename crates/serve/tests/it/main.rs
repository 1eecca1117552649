//! Behaviour of the endpoint from outside.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod access;
mod answers;
mod contract;
mod fuzz;
mod guards;
mod health;
mod inference;
mod life;
mod metrics;
mod python;
mod sockets;
mod storms;
mod tls;
mod wire;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header::CONTENT_TYPE},
};
use jiff::Timestamp;
use market::{GameQuery, ModelCard, PredictError, Prediction, Predictor};
use serde_json::Value;
use serve::{App, MockPredictor, Serving, Settings, router};
use tower::ServiceExt;

fn as_of() -> Timestamp {
    "2022-10-14T09:00:00Z".parse().unwrap()
}

/// Whether the predictor has begun on a slow game.
static SLOW_BEGUN: AtomicBool = AtomicBool::new(false);

/// The mock's opinion, with teams and games that do not exist, and ways to fail.
struct Moody(MockPredictor);

impl Predictor for Moody {
    fn model(&self) -> ModelCard {
        self.0.model()
    }

    fn as_of(&self) -> Timestamp {
        self.0.as_of()
    }

    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError> {
        for query in queries {
            let GameQuery::Hypothetical { home, .. } = query else { continue };
            match home.as_str() {
                "Brentfort" => {
                    let (team, league) = ("Brentfort".to_owned(), "epl".to_owned());
                    return Err(PredictError::UnknownTeam {
                        team,
                        league,
                        suggestion: "Brentford, Brighton".to_owned(),
                    });
                }
                "Broken" => return Err(PredictError::Model("secret path /models".into())),
                "Panic" => panic!("inside the model"),
                "Slow" => {
                    SLOW_BEGUN.store(true, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_secs(2));
                }
                _ => {}
            }
        }
        self.0.predict(queries)
    }

    fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Prediction>, PredictError> {
        self.0.slate(from, until)
    }
}

fn serving() -> Serving {
    Serving::with(Arc::new(Moody(MockPredictor::new(as_of()))))
}

/// A router whose clock stands an hour after the as-of.
fn endpoint(serving: Serving, settings: Settings) -> Router {
    router(App::new(serving, settings, || "2022-10-14T10:00:00Z".parse().unwrap()))
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn predict(body: &str) -> Request<Body> {
    let request = Request::post("/v1/predict").header(CONTENT_TYPE, "application/json");
    request.header("x-request-id", "test-1").body(Body::from(body.to_owned())).unwrap()
}

async fn text_of(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 24).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn json_of(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let (status, _, text) = text_of(router, request).await;
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (status, value)
}
