//! Where a notice can be told.

use reqwest::{Client, header::CONTENT_TYPE};

use super::{
    Notice, NoticeError, Told,
    address::{Address, Secret},
    attempt::{self, Miss, send},
    github::Issues,
    slack, webhook,
};
use crate::smtp::Retry;

/// A place that is told. Its address and its token are never shown, only the host.
#[derive(Debug, Clone)]
pub struct Channel {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Slack(Address),
    Webhook(Address, Option<Secret>),
    GitHub(Box<Issues>),
}

impl Channel {
    /// Posts to an incoming webhook of Slack (the value of `SLACK_WEBHOOK_URL`), or of what takes the same messages.
    pub fn slack(url: &str) -> Result<Self, NoticeError> {
        let address = Address::parse("SLACK_WEBHOOK_URL", url)?;
        Ok(Self { name: "slack".to_owned(), kind: Kind::Slack(address) })
    }

    /// Posts a JSON document to `url` (`NOTICE_WEBHOOK_URL`), signed with `secret` (`NOTICE_WEBHOOK_SECRET`).
    pub fn webhook(url: &str, secret: Option<&str>) -> Result<Self, NoticeError> {
        let address = Address::parse("NOTICE_WEBHOOK_URL", url)?;
        let secret = secret.map(|secret| Secret::new("NOTICE_WEBHOOK_SECRET", secret)).transpose()?;
        Ok(Self { name: "webhook".to_owned(), kind: Kind::Webhook(address, secret) })
    }

    /// Opens issues in `repository`, written `owner/name`, with `token` (`GITHUB_TOKEN`).
    ///
    /// `api` is the base of the REST API, like `https://github.example.org/api/v3`; GitHub's own when absent.
    pub fn github(repository: &str, token: &str, api: Option<&str>) -> Result<Self, NoticeError> {
        let issues = Issues::new(repository, token, api)?;
        Ok(Self { name: "github".to_owned(), kind: Kind::GitHub(Box::new(issues)) })
    }

    /// Gives the channel another name, for when there are two of a kind: the log tells channels apart by name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Returns the name: `slack`, `webhook` or `github`, unless it was given another.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns host and port, for messages.
    pub fn host(&self) -> &str {
        self.address().host()
    }

    fn address(&self) -> &Address {
        match &self.kind {
            Kind::Slack(address) | Kind::Webhook(address, _) => address,
            Kind::GitHub(issues) => issues.address(),
        }
    }

    pub(super) fn client(&self, retry: &Retry) -> Result<Client, reqwest::Error> {
        attempt::client(self.address(), retry)
    }

    /// Posts until the channel has taken the notice, refused it or used up all attempts.
    pub(super) async fn post(
        &self,
        client: &Client,
        notice: &Notice,
        retry: &Retry,
    ) -> Result<Told, NoticeError> {
        attempt::persist((&self.name, self.host()), retry, || self.attempt(client, notice)).await
    }

    async fn attempt(&self, client: &Client, notice: &Notice) -> Result<Told, Miss> {
        match &self.kind {
            Kind::Slack(address) => {
                let message = serde_json::to_vec(&slack::message(notice));
                let message = message.map_err(|error| Miss::Unsendable(Box::new(error)))?;
                let request = client.post(address.url().clone()).header(CONTENT_TYPE, "application/json");
                send(request.body(message), address, None).await?;
                Ok(Told::Now)
            }
            Kind::Webhook(address, secret) => {
                webhook::post(client, address, secret.as_ref(), notice).await?;
                Ok(Told::Now)
            }
            Kind::GitHub(issues) => issues.open(client, notice).await,
        }
    }
}
