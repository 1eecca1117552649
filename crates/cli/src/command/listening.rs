//! Where a command that answers over HTTP listens, and who may ask.

use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use serve::{
    Access, CertificateFiles, Client, Connections, KnownToken, Listener, Origin, Rate, Scope, ServeError,
    Settings, Token,
};

use crate::{
    context::Context,
    exit::Usage,
    settings::{ServeScope, ServeSettings},
};

/// Reads an address, `[serve]`, and the token of the environment; `such_as` is shown when the address is none.
pub(super) fn settings(context: &Context, listen: &str, such_as: &str) -> anyhow::Result<Settings> {
    let listen = listen
        .parse()
        .map_err(|_| Usage(format!("`{listen}` is no address to listen on: write for instance {such_as}")))?;
    let token = context
        .variable("EDGE_SERVE_TOKEN")
        .map(|text| Token::new(text).ok_or_else(|| Usage("EDGE_SERVE_TOKEN is no usable token".to_owned())))
        .transpose()?;
    let serve = &context.settings.serve;
    let connections = Connections {
        most: serve.connections,
        stop_within: duration("stop_within", serve.stop_within)?,
        ..Connections::default()
    };
    Ok(Settings {
        listen,
        token,
        access: access(serve)?,
        connections,
        certificate: certificate(serve)?,
        body_limit: serve.body_limit,
        time_out: duration("time_out", serve.time_out)?,
        ..Settings::default()
    })
}

/// Returns a client of the endpoint at `PREDICT_URL`, which trusts the authorities of `PREDICT_CA_FILE` beside the usual
/// ones.
pub(super) fn client(context: &Context, url: &str, token: Option<Token>) -> anyhow::Result<Client> {
    let client = Client::new(url, token)?;
    let Some(path) = context.variable("PREDICT_CA_FILE") else { return Ok(client) };
    let pem = std::fs::read(path).with_context(|| format!("cannot read PREDICT_CA_FILE {path}"))?;
    Ok(client.trusting(&pem)?)
}

/// Opens the socket; a public address without a token is wrong usage, and so is a certificate that cannot be used.
pub(super) async fn listen(settings: &Settings) -> anyhow::Result<Listener> {
    serve::listen(settings).await.map_err(|error| match error {
        ServeError::PublicWithoutToken { .. } => anyhow::Error::from(Usage(format!("{error:#}"))),
        ServeError::Certificate(cause) => {
            Usage(format!("cannot serve over TLS: {:#}", anyhow::Error::from(cause))).into()
        }
        other => other.into(),
    })
}

fn access(serve: &ServeSettings) -> anyhow::Result<Access> {
    let known = serve.tokens.iter().map(|token| {
        let scope = match token.scope {
            ServeScope::Read => Scope::Read,
            ServeScope::Admin => Scope::Admin,
        };
        KnownToken::new(&token.name, scope, &token.sha256)
    });
    let tokens =
        known.collect::<Result<_, _>>().map_err(|error| Usage(format!("[serve] tokens: {error}")))?;
    let origins = serve.cors_origins.iter().map(|origin| Origin::new(origin)).collect::<Result<_, _>>();
    let origins = origins.map_err(|error| Usage(format!("[serve] cors_origins: {error}")))?;
    let rate = Rate::new(serve.rate_limit, serve.rate_burst);
    Ok(Access { tokens, hosts: serve.hosts.clone(), origins, rate })
}

fn certificate(serve: &ServeSettings) -> anyhow::Result<Option<CertificateFiles>> {
    match (&serve.certificate, &serve.key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() }))
        }
        _ => Err(Usage("[serve] `certificate` and `key` go together: name both, or none".to_owned()).into()),
    }
}

fn duration(key: &str, value: SignedDuration) -> anyhow::Result<Duration> {
    let positive = Duration::try_from(value).ok().filter(|duration| !duration.is_zero());
    Ok(positive.ok_or_else(|| Usage(format!("[serve] {key} must be longer than nothing")))?)
}
