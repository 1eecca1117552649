//! `[mail]` and `[notices]`: how people hear of a night; what opens the doors stays in the environment.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// `[mail]`; server and recipients are `SMTP_URL`, `SMTP_FROM` and `SMTP_TO`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MailSettings {
    /// Where to unsubscribe, `mailto:` or `https:`; a mail to the sender when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unsubscribe: Option<String>,
    /// Name of the key in the DNS; mails are signed when `DKIM_KEY_FILE` names the private one.
    pub(crate) dkim_selector: String,
    /// Domain that signs; the sender's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dkim_domain: Option<String>,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self { unsubscribe: None, dkim_selector: "edge".to_owned(), dkim_domain: None }
    }
}

/// `[notices]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NoticeSettings {
    /// Who is told.
    pub(crate) channels: Vec<ChannelKind>,
    /// Repository whose issues notices become, `owner/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) github_repository: Option<String>,
    /// GitHub's API, where it is an own server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) github_api: Option<String>,
    /// A job of the schedule that begins later than this is told of.
    pub(crate) late_after: SignedDuration,
    /// Share of its peak that the bankroll may lose before it is told of.
    pub(crate) drawdown_limit: f64,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            github_repository: None,
            github_api: None,
            late_after: SignedDuration::from_hours(2),
            drawdown_limit: 0.2,
        }
    }
}

impl NoticeSettings {
    /// Says what cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(self.drawdown_limit > 0.0 && self.drawdown_limit <= 1.0) {
            let told = self.drawdown_limit;
            return Err(format!("notices.drawdown_limit is {told}, it must be above 0 and at most 1"));
        }
        if self.late_after.is_negative() {
            return Err("notices.late_after must not be negative".to_owned());
        }
        if self.channels.contains(&ChannelKind::Github) && self.github_repository.is_none() {
            return Err("notices to GitHub want notices.github_repository = \"owner/name\"".to_owned());
        }
        Ok(())
    }
}

/// A kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChannelKind {
    /// `SLACK_WEBHOOK_URL`.
    Slack,
    /// `NOTICE_WEBHOOK_URL`, signed with `NOTICE_WEBHOOK_SECRET`.
    Webhook,
    /// `GITHUB_TOKEN`.
    Github,
}
