//! Models that come, go, and are no good.

use std::sync::{Arc, Mutex};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use market::{GameQuery, ModelCard, PredictError, Prediction, Predictor};
use serve::{App, Keeper, Live, Loaded, MockPredictor, Outcome, Serving, Settings, Source, router};

use crate::{as_of, get, json_of, predict};

/// The mock under another version, which may be unable to forecast.
struct Versioned(&'static str, MockPredictor);

impl Predictor for Versioned {
    fn model(&self) -> ModelCard {
        ModelCard { version: self.0.to_owned(), ..self.1.model() }
    }

    fn as_of(&self) -> jiff::Timestamp {
        self.1.as_of()
    }

    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError> {
        self.1.predict(queries)
    }

    fn slate(&self, from: jiff::Timestamp, until: jiff::Timestamp) -> Result<Vec<Prediction>, PredictError> {
        match self.0 {
            "unfit" => Err(PredictError::Model("a weight is not a number".into())),
            "panics" => panic!("while it is loaded"),
            _ => self.1.slate(from, until),
        }
    }
}

/// A shelf with one model on it, or a reason why it cannot be read; counts how often it is loaded.
#[derive(Clone)]
struct Shelf(Arc<Mutex<(Result<&'static str, &'static str>, u32)>>);

impl Shelf {
    fn with(model: Result<&'static str, &'static str>) -> Self {
        Self(Arc::new(Mutex::new((model, 0))))
    }

    fn put(&self, model: Result<&'static str, &'static str>) {
        self.0.lock().unwrap().0 = model;
    }

    fn loads(&self) -> u32 {
        self.0.lock().unwrap().1
    }
}

impl Source for Shelf {
    fn version(&self) -> Result<String, String> {
        self.0.lock().unwrap().0.map(str::to_owned).map_err(str::to_owned)
    }

    fn load(&self) -> Result<Loaded, String> {
        let mut shelf = self.0.lock().unwrap();
        shelf.1 += 1;
        match shelf.0? {
            "corrupt" => Err("best.pt has another sha256 than best.json says".to_owned()),
            version => {
                let live = |version| Live::new(Arc::new(Versioned(version, MockPredictor::new(as_of()))));
                Ok(Loaded {
                    champion: live(version),
                    challenger: (version == "second").then(|| live("third")),
                })
            }
        }
    }
}

fn reload() -> Request<Body> {
    Request::post("/v1/reload").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_model_is_swapped_when_it_is_good_and_refused_when_it_is_not() {
    let shelf = Shelf::with(Err("there is no model yet: run `edge train`"));
    let serving = Serving::empty("the model is being loaded");
    let keeper = Arc::new(Keeper::new(serving.clone(), Box::new(shelf.clone()), 24));
    let app = App::with_keeper(serving, Settings::default(), as_of, Some(keeper));
    let router = router(app);
    let version = async || json_of(&router, get("/v1/model")).await.1["model_version"].clone();

    let (status, problem) = json_of(&router, reload()).await;
    assert_eq!(
        (status, &problem["detail"]),
        (StatusCode::CONFLICT, &"there is no model yet: run `edge train`".into())
    );
    let (status, problem) = json_of(&router, get("/readyz")).await;
    assert!(status == 503 && problem["detail"].as_str().unwrap().contains("no model yet"), "{problem}");
    assert_eq!(json_of(&router, get("/healthz")).await.0, StatusCode::OK);

    shelf.put(Ok("first"));
    let (status, outcome) = json_of(&router, reload()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(outcome, serde_json::json!({"outcome": "reloaded", "model_version": "first", "games": 1}));
    assert_eq!(json_of(&router, reload()).await.1["outcome"], "unchanged");
    assert_eq!(shelf.loads(), 1, "what is live is not loaded again");

    for (bad, why) in
        [("corrupt", "another sha256"), ("unfit", "a weight is not a number"), ("panics", "panicked")]
    {
        shelf.put(Ok(bad));
        let (status, problem) = json_of(&router, reload()).await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains(why), "{problem}");
        assert_eq!(version().await, "first", "the old one goes on");
        let (_, model) = json_of(&router, get("/v1/model")).await;
        assert!(model["refused"].as_str().unwrap().contains(why), "{model}");
        let game = r#"{"games": [{"game_id": "epl_2022-10-14_brentford_brighton"}]}"#;
        let (status, answer) = json_of(&router, predict(game)).await;
        assert_eq!((status, &answer["model_version"]), (StatusCode::OK, &"first".into()));
        assert_eq!(json_of(&router, get("/readyz")).await.0, StatusCode::OK);
    }

    shelf.put(Ok("second"));
    json_of(&router, reload()).await;
    let (_, model) = json_of(&router, get("/v1/model")).await;
    assert_eq!((&model["model_version"], &model["refused"]), (&"second".into(), &serde_json::Value::Null));
    assert_eq!(model["challenger"]["model"]["version"], "third");
    shelf.put(Ok("first"));
    json_of(&router, reload()).await;
    assert_eq!(version().await, "first", "a roll-back is a swap like any other");
}

#[tokio::test]
async fn the_challenger_is_asked_what_the_champion_was_asked() {
    let live = |version| Live::new(Arc::new(Versioned(version, MockPredictor::new(as_of()))));
    let serving = Serving::empty("none");
    serving.set_beside(live("first"), Some(live("second")));
    let router = router(App::new(serving, Settings::default(), as_of));
    let (status, answer) = json_of(&router, predict(r#"{"games": [{"home": "A", "away": "B"}]}"#)).await;
    assert_eq!((status, &answer["model_version"]), (StatusCode::OK, &"first".into()));
    // It is asked after the answer has gone out.
    for _ in 0..6000 {
        let (_, model) = json_of(&router, get("/v1/model")).await;
        if model["challenger"]["shadow"]["games"] == 1 {
            assert_eq!(model["challenger"]["shadow"]["largest_difference"], 0.0);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the challenger was never asked");
}

#[test]
fn what_is_refused_is_tried_again_less_and_less_often() {
    let shelf = Shelf::with(Ok("corrupt"));
    let serving = Serving::empty("loading");
    let keeper = Keeper::new(serving.clone(), Box::new(shelf.clone()), 24);
    std::thread::scope(|scope| {
        scope.spawn(|| keeper.run(std::time::Duration::from_micros(100), |_| {}));
        while shelf.loads() < 5 {
            std::thread::yield_now();
        }
        shelf.put(Ok("first"));
        while serving.get().is_err() {
            std::thread::yield_now();
        }
        keeper.stop();
    });
    assert_eq!(keeper.look(), Outcome::Unchanged);
}

#[tokio::test]
async fn a_kept_answer_is_the_answer_that_would_be_made() {
    let serving = Serving::with(Arc::new(Versioned("first", MockPredictor::new(as_of()))));
    let router = router(App::new(serving, Settings::default(), as_of));
    let game = r#"{"games": [{"game_id": "epl_2022-10-14_brentford_brighton"}]}"#;
    let (_, made) = json_of(&router, predict(game)).await;
    let (_, kept) = json_of(&router, predict(game)).await;
    assert_eq!(made, kept);
    let line = r#""lines": [{"market": "total", "selection": "over", "points": 2.5}]"#;
    let with_line = format!("{}, {line}}}", &game[..game.len() - 1]);
    let (_, graded) = json_of(&router, predict(&with_line)).await;
    assert_eq!(graded["games"][0]["lines"].as_array().unwrap().len(), 1);
    assert_eq!(graded["games"][0]["moneyline"], kept["games"][0]["moneyline"]);
}
