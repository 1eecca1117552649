//! What others have written against the contract, put against a real socket: Schemathesis, a client of the inference
//! protocol, and the generated client.

use std::{path::PathBuf, process::Stdio};

use serde_json::{Value, json};
use serve::{App, Client, MockPredictor, PredictRequest, Serving, Settings, Token, listen, run};
use tokio::{process::Command, sync::oneshot};

use crate::as_of;

const TOKEN: &str = "s3cret";

/// A server with the mock's opinion that wants a token; it ends with this value.
struct Endpoint {
    url: String,
    _stop: oneshot::Sender<()>,
}

impl Endpoint {
    async fn open() -> Self {
        let listen_at = "127.0.0.1:0".parse().unwrap();
        let settings = Settings { listen: listen_at, token: Token::new(TOKEN), ..Settings::default() };
        let listener = listen(&settings).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = Serving::with(std::sync::Arc::new(MockPredictor::new(as_of())));
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(run(listener, App::new(serving, settings, as_of), async move {
            stopped.await.unwrap_or(());
        }));
        Self { url, _stop: stop }
    }
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Whether a command runs; without it the test is skipped, or fails where all tests must run.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
async fn has(program: &str, arguments: &[&str], package: &str) -> bool {
    let ran =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    if ran.is_ok_and(|status| status.success()) {
        return true;
    }
    #[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
    let all = std::env::var("EDGE_TEST_ALL").is_ok_and(|value| value == "1");
    assert!(!all, "{package} is not there: pip install {package}");
    eprintln!(
        "skipped: {package} is not there (pip install {package}); EDGE_TEST_ALL=1 makes this a failure"
    );
    false
}

/// Runs a command and returns what it printed; it must succeed.
async fn printed(command: &mut Command) -> String {
    // Proxies cannot reach this machine's own loopback.
    let output = command.env("NO_PROXY", "*").env("no_proxy", "*").kill_on_drop(true).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    if !has("schemathesis", &["--version"], "schemathesis").await {
        return;
    }
    let endpoint = Endpoint::open().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = repository().join("crates/serve/tests/schemathesis.toml");
    let mut command = Command::new("schemathesis");
    command.arg("--config-file").arg(settings).arg("run").arg(format!("{}/openapi.json", endpoint.url));
    command.args(["--checks", "all", "--max-examples", "20", "--no-color"]);
    let text = printed(command.env("EDGE_SERVE_TOKEN", TOKEN).current_dir(&folder)).await;
    assert!(text.contains("No issues found"), "{text}");
    let methods = |path: &Value| path.as_object().unwrap().len();
    let operations: usize = serve::openapi()["paths"].as_object().unwrap().values().map(methods).sum();
    let tested = text.lines().find_map(|line| line.trim().strip_prefix("Tested: ")).unwrap();
    // All but the document itself, which it has read by then.
    assert_eq!(tested.trim().parse::<usize>().unwrap(), operations - 1, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_inference_protocol_is_answered() {
    if !has("python3", &["-c", "import tritonclient.http"], "tritonclient[http]").await {
        return;
    }
    let endpoint = Endpoint::open().await;
    let mut command = Command::new("python3");
    command.args(["-c", include_str!("triton_client.py"), endpoint.url.trim_start_matches("http://"), TOKEN]);
    let said: Value = serde_json::from_str(&printed(&mut command).await).unwrap();
    for (field, value) in [("live", true), ("ready", true), ("model_ready", true), ("other_ready", false)] {
        assert_eq!(said[field], value, "{field}");
    }
    assert_eq!(said["metadata"]["versions"], json!(["mock"]));
    assert_eq!(said["id"], "42");
    assert_eq!(said["game_id"], json!(["epl_2022-10-14_arsenal_leeds", "epl_2022-10-14_leeds_arsenal"]));
    assert_eq!(said["outputs"], json!(["away_win"]));
    assert_eq!(said["unknown"], json!({"status": "404", "message": "no game `nonsense` is known"}));
    assert_eq!(said["stranger"]["status"], "401");
    let number = asked_here(&endpoint, r#"{"league": "epl", "home": "Arsenal", "away": "Leeds"}"#).await;
    assert_eq!(said["home_win"], json!([number, number]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_client_gives_the_same_number() {
    if !has("openapi-python-client", &["--version"], "openapi-python-client").await
        || !has("python3", &["-c", "import httpx, attrs"], "httpx attrs").await
    {
        return;
    }
    let endpoint = Endpoint::open().await;
    let folder = tempfile::tempdir().unwrap();
    let python = repository().join("clients/python");
    printed(Command::new(python.join("generate.sh")).arg(&endpoint.url).arg(folder.path())).await;
    let ask = |token: &'static str, game: &'static [&'static str]| {
        let mut command = Command::new("python3");
        command.arg(python.join("example.py")).args(game).env("PYTHONPATH", folder.path());
        command.env("PREDICT_URL", &endpoint.url).env("EDGE_SERVE_TOKEN", token);
        command
    };
    let text = printed(&mut ask(TOKEN, &["epl_2022-10-14_brentford_brighton"])).await;
    let number: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
    let here = asked_here(&endpoint, r#"{"game_id": "epl_2022-10-14_brentford_brighton"}"#).await;
    assert_eq!(number.to_bits(), here.to_bits(), "{text}");
    assert!(text.contains("model mock, as of 2022-10-14T09:00:00+00:00\n"), "{text}");
    let refused = ask("wrong", &["Arsenal", "Leeds", "epl"]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("401: "), "{refused:?}");
}

/// What the client in Rust is told of the home side.
async fn asked_here(endpoint: &Endpoint, game: &str) -> f64 {
    let games = vec![serde_json::from_str(game).unwrap()];
    let client = Client::new(&endpoint.url, Token::new(TOKEN)).unwrap();
    client.predict(&PredictRequest { games, ..Default::default() }).await.unwrap().games[0].moneyline.home
}
