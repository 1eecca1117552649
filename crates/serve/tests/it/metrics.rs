//! What `/metrics` says, whether Prometheus can read it, and whether dashboard and alerts ask for what is there.

use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use axum::{body::Body, http::Request};
use serde_json::Value;
use serve::{
    App, GameForecast, Metrics, Settings,
    metrics::{Moment, Refusal, Reload},
    router,
};

use crate::{as_of, endpoint, get, predict, serving, text_of};

const OPEN_METRICS: Option<&str> = Some("application/openmetrics-text");
const PLAIN: Option<&str> = Some("text/plain");

fn forecast(number: usize, home: f64) -> GameForecast {
    let game = serde_json::json!({"league": "epl", "game_id": format!("epl_{number}"), "season": 2022,
        "start_time": as_of(), "home": "Arsenal", "away": "Leeds"});
    let moneyline = serde_json::json!({"home": home, "draw": 0.0, "away": 1.0 - home, "home_two_way": home});
    let interval = serde_json::json!({"low": home, "high": home, "standard_deviation": 0.0, "members": 1});
    serde_json::from_value(serde_json::json!({"game": game, "as_of": as_of(), "moneyline": moneyline,
        "moneyline_without_market": null, "mean_margin": 0.0, "mean_total": 0.0, "interval": interval, "lines": []}))
    .unwrap()
}

/// Everything that can be told has been told once; the text of it in the format asked for.
fn told(accept: Option<&str>) -> String {
    let metrics = Metrics::new(as_of().as_second());
    let card = serving().get().unwrap().card().clone();
    metrics.serving(&card);
    metrics.shadowing(Some(&card));
    metrics.answered("/v1/predict", "POST", 200, Duration::from_micros(700));
    metrics.refused(Refusal::Overloaded);
    metrics.batch(3);
    metrics.waited(Duration::from_millis(2));
    metrics.queued(7);
    metrics.cache(true);
    metrics.reloaded(Reload::Done, Duration::from_secs(2), as_of());
    metrics.reloaded(Reload::Refused, Duration::from_millis(10), as_of());
    metrics.shadow(0.5, 0.48);
    let spread = |number: usize| 0.3 + 0.4 * (number as f64) / 200.0;
    (0..200).for_each(|number| metrics.reference(&forecast(number, spread(number))));
    (0..150).for_each(|number| metrics.forecast(&forecast(number, spread(number) + 0.2)));
    let _being_answered = metrics.in_flight();
    let moment = Moment { ages: Some((7200.0, 3600.0)), is_ready: true };
    metrics.render(moment, accept).unwrap().1
}

#[test]
fn what_is_told_is_shown() {
    let text = told(OPEN_METRICS);
    for line in [
        r#"edge_model_info{role="champion",version="mock",sha256="0000000000000000000000000000000000000000000000000000000000000000"} 1"#,
        r#"edge_http_requests_total{route="/v1/predict",method="POST",status="200"} 1"#,
        r#"edge_http_request_duration_seconds_bucket{le="0.001",route="/v1/predict",method="POST"} 1"#,
        "edge_http_requests_in_flight 1",
        r#"edge_http_refused_total{reason="overloaded"} 1"#,
        r#"edge_http_refused_total{reason="unauthorised"} 0"#,
        r#"edge_slate_cache_total{result="hit"} 1"#,
        r#"edge_batch_games_bucket{le="4.0"} 1"#,
        r#"edge_batch_games_bucket{le="2.0"} 0"#,
        "edge_queue_wait_seconds_sum 0.002",
        "edge_queue_depth 7",
        r#"edge_model_reloads_total{outcome="refused"} 1"#,
        r#"edge_model_reload_timestamp_seconds{outcome="ok"} 1665738000.0"#,
        r#"edge_shadow_difference_bucket{le="0.01"} 0"#,
        r#"edge_shadow_difference_bucket{le="0.03"} 1"#,
        r#"edge_forecast_home_win_count{league="epl"} 150"#,
        r#"edge_forecast_home_win_bucket{le="0.7",league="epl"} 101"#,
        r#"edge_drift_games{league="epl"} 150.0"#,
        "edge_model_age_seconds 7200.0",
        "edge_ready 1",
        "process_start_time_seconds 1665738000",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let value = |name: &str| -> f64 {
        let line =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("edge_drift_psi{") > 0.25 && value("edge_drift_psi_by_chance{") < 0.25);
    #[cfg(target_os = "linux")]
    assert!(value("process_resident_memory_bytes") > 1e6 && value("process_threads") >= 1.0);
}

#[test]
fn the_labels_stay_few_whatever_is_asked() {
    let metrics = Metrics::new(0);
    for number in 0..10_000_u16 {
        metrics.answered(&format!("/page/{number}"), "BREW", number, Duration::ZERO);
    }
    let text = metrics.render(Moment::default(), None).unwrap().1;
    let routes = text.lines().filter(|line| line.starts_with("edge_http_request_duration_seconds_count"));
    assert_eq!(routes.count(), 65);
    let statuses = text.lines().filter(|line| line.starts_with("edge_http_requests_total{route=\"other\""));
    assert!((10..=19).contains(&statuses.count()));
}

#[tokio::test]
async fn the_endpoint_tells_forecasts_refusals_and_the_model_in_the_format_asked_for() {
    let token = serve::Token::new("s3cret");
    let settings = Settings { token, ..Settings::default() };
    let app = App::new(serving(), settings, || "2022-10-14T10:00:00Z".parse().unwrap());
    let router = router(app.clone());
    text_of(&router, get("/v1/slate")).await;
    let with_token = |mut request: Request<Body>| {
        request.headers_mut().insert("authorization", "Bearer s3cret".parse().unwrap());
        request
    };
    text_of(&router, with_token(predict(r#"{"games": [{"home": "A", "away": "B"}]}"#))).await;
    let mut scrape = with_token(get("/metrics"));
    scrape.headers_mut().insert("accept", "text/plain".parse().unwrap());
    let (_, headers, text) = text_of(&router, scrape).await;
    assert_eq!(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        r#"edge_http_refused_total{reason="unauthorised"} 1"#,
        r#"edge_forecast_home_win_count{league="demo"} 1"#,
        "edge_http_requests_in_flight 1",
        r#"edge_model_info{role="champion",version="mock""#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("s3cret") && !text.contains("# EOF"));
    let after = app.metrics().render(Moment::default(), None).unwrap().1;
    assert!(after.contains("edge_http_requests_in_flight 0"), "the scrape itself has ended");
}

/// Reads the text with the parser of Prometheus' Python library; none where that is not there.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn python_reads(module: &str, text: &str) -> Option<Vec<String>> {
    let has = Command::new("python3").args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        #[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
        let all = std::env::var("EDGE_TEST_ALL").is_ok_and(|value| value == "1");
        assert!(!all, "python3 has no prometheus_client: pip install prometheus-client");
        eprintln!(
            "skipped: python3 has no prometheus_client (pip install prometheus-client); EDGE_TEST_ALL=1 makes this a failure"
        );
        return None;
    }
    let program = format!(
        "import sys\nfrom {module} import text_string_to_metric_families as read\n\
         [print(family.type, sample.name) for family in read(sys.stdin.read()) for sample in family.samples]"
    );
    let mut child = Command::new("python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn prometheus_own_parser_reads_both_formats_alike() {
    let Some(open) = python_reads("prometheus_client.openmetrics.parser", &told(OPEN_METRICS)) else {
        return;
    };
    let Some(plain) = python_reads("prometheus_client.parser", &told(PLAIN)) else { return };
    let names = |lines: &[String]| -> BTreeSet<String> {
        lines.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    };
    assert_eq!(names(&open), names(&plain));
    let untyped = |line: &&String| line.starts_with("unknown");
    assert_eq!(plain.iter().find(untyped), None, "every sample belongs to a type");
    assert!(open.iter().any(|line| line == "info edge_model_info"));
    assert!(plain.iter().any(|line| line == "counter edge_http_requests_total"));
    // The endpoint without a model, as it is at its start, must be readable too.
    let bare = Metrics::new(0).render(Moment::default(), OPEN_METRICS).unwrap().1;
    assert!(python_reads("prometheus_client.openmetrics.parser", &bare).is_some());
}

/// Names of all samples.
fn exposed() -> BTreeSet<String> {
    let text = told(OPEN_METRICS);
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

/// Words of a `PromQL` expression that are names of metrics of ours.
fn asked(expression: &str) -> Vec<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words.filter(|word| word.starts_with("edge_") || word.starts_with("process_")).collect()
}

/// Every `"expr"` of a document.
fn expressions(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(text) if key == "expr" || key == "query" => vec![text.as_str()],
                other => expressions(other),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_dashboard_asks_only_for_what_is_there() {
    let dashboard: Value =
        serde_json::from_str(include_str!("../../../../docs/grafana/edge-serve.json")).unwrap();
    let exposed = exposed();
    let expressions = expressions(&dashboard);
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(dashboard["schemaVersion"].as_i64().unwrap() >= 39 && panels.len() >= 12);
    for expression in &expressions {
        for name in asked(expression) {
            assert!(exposed.contains(name), "`{name}` of `{expression}` is not exposed: {exposed:#?}");
        }
    }
    // The other way round: nothing is counted that nobody can see.
    for name in exposed.iter().filter(|name| !name.ends_with("_count") && !name.ends_with("_sum")) {
        assert!(
            expressions.iter().any(|expression| asked(expression).contains(&name.as_str())),
            "no panel shows {name}"
        );
    }
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
    }
}

#[test]
fn the_alerts_ask_only_for_what_is_there() {
    let rules = include_str!("../../../../docs/grafana/alerts.yml");
    let exposed = exposed();
    let expressions: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(expressions.len() >= 6);
    assert_eq!(expressions.len(), rules.matches("- alert: ").count(), "one line per expression");
    for name in expressions.iter().flat_map(|expression| asked(expression)) {
        assert!(exposed.contains(name), "`{name}` is not exposed");
    }
}

#[test]
fn the_page_names_every_metric() {
    let page = include_str!("../../../../docs/observability.md");
    let text = told(OPEN_METRICS);
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(page.contains(&format!("`{name}")), "docs/observability.md does not name {name}");
    }
    let exposed = exposed();
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = row.split(['`', '{']).next().unwrap();
        let is_ours = name.starts_with("edge_") || name.starts_with("process_");
        let shown = ["", "_bucket"].iter().any(|suffix| exposed.contains(&format!("{name}{suffix}")));
        assert!(!is_ours || shown, "the page names {name}, which is not exposed");
    }
}

#[tokio::test]
async fn without_a_model_the_ages_are_not_numbers_and_no_model_is_named() {
    let router = endpoint(serve::Serving::empty("none yet"), Settings::default());
    let (_, _, text) = text_of(&router, get("/metrics")).await;
    assert!(text.contains("edge_data_age_seconds NaN") && text.contains("edge_ready 0"), "{text}");
    assert!(!text.contains("edge_model_info") && !text.contains("edge_drift"), "{text}");
    let again =
        endpoint(serve::Serving::with(Arc::new(serve::MockPredictor::new(as_of()))), Settings::default());
    assert!(text_of(&again, get("/metrics")).await.2.contains("edge_model_info"));
}
