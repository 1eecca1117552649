//! Over TLS.

use std::{fs, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Version},
};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serve::{CertificateFiles, Client, Connections, PredictRequest, Settings, Token};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::{
    serving,
    wire::{Running, rest, status},
};

/// A certificate of this machine, in a folder that goes away with it.
fn certificate() -> (tempfile::TempDir, CertificateFiles, String) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files =
        CertificateFiles { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
    fs::write(&files.certificate, made.cert.pem()).unwrap();
    fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (folder, files, made.cert.pem())
}

/// Agrees on TLS and on one version of HTTP.
async fn agreed(running: &Running, pem: &str, version: &str) -> TlsStream<TcpStream> {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(trusted).with_no_client_auth();
    config.alpn_protocols = vec![version.as_bytes().to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let stream = running.connect().await;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(version.as_bytes()));
    stream
}

/// Asks for the health over one version of HTTP.
async fn health<I>(io: I, is_http2: bool) -> (Version, HeaderMap)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (executor, io) = (TokioExecutor::new(), TokioIo::new(io));
    let request = Request::get("https://localhost/healthz").header("host", "localhost");
    let request = request.body(Body::empty()).unwrap();
    let answer = if is_http2 {
        let (mut sender, connection) = http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    assert_eq!(answer.status(), 200);
    (answer.version(), answer.headers().clone())
}

#[tokio::test]
async fn http_2_is_spoken_without_tls_too() {
    let running = Running::start(serving(), Settings::default(), Router::new()).await;
    let (version, headers) = health(running.connect().await, true).await;
    assert_eq!(version, Version::HTTP_2);
    assert!(!headers.contains_key("strict-transport-security"));
    running.stop().await;
}

#[tokio::test]
async fn the_client_asks_over_tls_whom_it_was_told_to_trust() {
    let (_folder, files, pem) = certificate();
    let connections = Connections { head_time_out: Duration::from_millis(300), ..Connections::default() };
    let settings = Settings {
        certificate: Some(files),
        token: Token::new("s3cret"),
        connections,
        ..Settings::default()
    };
    let running = Running::start(serving(), settings, Router::new()).await;
    let url = format!("https://localhost:{}", running.address.port());
    let client = Client::new(&url, Token::new("s3cret")).unwrap().trusting(pem.as_bytes()).unwrap();
    let request: PredictRequest = serde_json::from_str(r#"{"games": [{"home": "A", "away": "B"}]}"#).unwrap();
    assert_eq!(client.predict(&request).await.unwrap().games.len(), 1);
    let distrusting = Client::new(&url, None).unwrap().patience(1, Duration::ZERO, Duration::from_mins(1));
    assert!(distrusting.health().await.is_err(), "nobody vouches for the certificate");

    for (offered, version) in [("h2", Version::HTTP_2), ("http/1.1", Version::HTTP_11)] {
        let stream = agreed(&running, &pem, offered).await;
        let (version_said, headers) = health(stream, offered == "h2").await;
        assert_eq!(version_said, version);
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
    }

    // Who speaks no TLS, or nothing at all, is closed.
    assert_eq!(status(&running.get("/healthz", "").await), 0);
    assert_eq!(rest(&mut running.connect().await).await, "");
    running.stop().await;
}
