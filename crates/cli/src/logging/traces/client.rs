//! The HTTP client of the exporter: the one that the rest of the program uses, on a thread of its own.

use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::{Client, redirect::Policy};
use tokio::runtime::{Builder, Runtime};

/// Largest answer that is read; a collector's holds a few words.
const LARGEST: u64 = 64 * 1024;

/// Sends batches of spans.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    /// The exporter's own thread knows no runtime. In an option, because it must not wait when it is dropped.
    runtime: Option<Runtime>,
}

impl Sender {
    pub(super) fn new(time_out: Duration) -> anyhow::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("traces").enable_all().build()?;
        let client = Client::builder().timeout(time_out).redirect(Policy::none()).build()?;
        Ok(Self { client, runtime: Some(runtime) })
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let Some(runtime) = &self.runtime else { return Err("the sender has ended".into()) };
        let client = self.client.clone();
        let sent = runtime.spawn(async move {
            // Its address stays out of errors.
            let answer = client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            let is_small = answer.content_length().is_none_or(|length| length <= LARGEST);
            let body = if is_small { answer.bytes().await? } else { Bytes::new() };
            Ok::<_, HttpError>(response.body(body)?)
        });
        sent.await?
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
