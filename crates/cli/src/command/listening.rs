//! Where a command that answers over HTTP listens, and who may ask.

use serve::{ServeError, Settings, Token};

use crate::{context::Context, exit::Usage};

/// Reads an address, and the token of the environment; `such_as` is shown when the address is none.
pub(super) fn settings(context: &Context, listen: &str, such_as: &str) -> anyhow::Result<Settings> {
    let listen = listen
        .parse()
        .map_err(|_| Usage(format!("`{listen}` is no address to listen on: write for instance {such_as}")))?;
    let token = context
        .variable("EDGE_SERVE_TOKEN")
        .map(|text| Token::new(text).ok_or_else(|| Usage("EDGE_SERVE_TOKEN is no usable token".to_owned())))
        .transpose()?;
    Ok(Settings { listen, token, ..Settings::default() })
}

/// Opens the socket; a public address without a token is wrong usage.
pub(super) async fn listen(settings: &Settings) -> anyhow::Result<tokio::net::TcpListener> {
    serve::listen(settings).await.map_err(|error| match error {
        ServeError::PublicWithoutToken { .. } => anyhow::Error::from(Usage(format!("{error:#}"))),
        other => other.into(),
    })
}
