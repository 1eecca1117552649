//! The report as mail: once per date and recipient, or an `.eml` beside the page when there is no server.

use std::sync::Arc;

use coordinator::{TaskContext, TaskOutput};
use market::Date;
use report::{Delivery, Envelope, Message, Rendered, ReportData, Retry, SendKey, SendLog, SmtpUrl};

use super::Night;
use crate::{
    context::{Context, wall_clock},
    exit::Usage,
    guard::{self, Guarded},
    paths::Key,
};

/// Sender and recipient of the `.eml` when none is configured.
const NOBODY: &str = "edge@localhost";

pub(super) fn mail_step(
    context: &Arc<Context>,
    night: &Night,
    _task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    if night.dry_run {
        return Ok(TaskOutput::new("a dry run sends nothing"));
    }
    Ok(TaskOutput::new(mail(context, night.date)?))
}

/// Sends the stored report of `date`, or writes its `.eml`; returns what was done, in words.
pub(crate) fn mail(context: &Context, date: Date) -> anyhow::Result<String> {
    let data = stored(context, date)?;
    let rendered = report::render(&data)?;
    let recipients: Vec<&str> =
        context.variable("SMTP_TO").into_iter().flat_map(|to| to.split(',')).map(str::trim).collect();
    let Some(url) = context.variable("SMTP_URL") else {
        let to = recipients.first().copied().unwrap_or(NOBODY);
        let message = compose(context, &data, &rendered, to)?;
        let key = Key::Mail(date).to_string();
        context.store()?.put(&key, &message.eml())?;
        return Ok(format!("SMTP_URL is not set: the mail lies in {key}"));
    };
    if recipients.is_empty() {
        return Err(Usage("SMTP_URL is set but SMTP_TO is not: name the recipients".to_owned()).into());
    }
    let url = SmtpUrl::parse(url)?;
    let mut sent = 0;
    for to in &recipients {
        sent += usize::from(send_once(context, &url, &data, &rendered, to)?);
    }
    let had_it = recipients.len() - sent;
    Ok(if had_it == 0 {
        format!("sent to {sent}")
    } else {
        format!("sent to {sent}, {had_it} had it before")
    })
}

/// Sends unless this recipient has had a report of this date; tells whether it was sent now.
fn send_once(
    context: &Context,
    url: &SmtpUrl,
    data: &ReportData,
    rendered: &Rendered,
    to: &str,
) -> anyhow::Result<bool> {
    let _alone = guard::wait(context, Guarded::Mail)?;
    let store = context.store()?;
    let path = Key::SendLog.to_string();
    let text = store.try_get(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut log = SendLog::parse(&text.unwrap_or_default())?;
    let key = SendKey::of(data.date, to, rendered);
    if matches!(log.delivery(&key), Delivery::Sent | Delivery::SentInAnotherVersion) {
        return Ok(false);
    }
    let message = compose(context, data, rendered, to)?;
    log.begin(&key, message.message_id(), wall_clock());
    store.put(&path, log.to_text().as_bytes())?;
    report::send(url, &message, &Retry::default())?;
    log.finish(&key, message.message_id(), wall_clock());
    store.put(&path, log.to_text().as_bytes())?;
    Ok(true)
}

fn compose(context: &Context, data: &ReportData, rendered: &Rendered, to: &str) -> anyhow::Result<Message> {
    let envelope = Envelope {
        from: context.variable("SMTP_FROM").unwrap_or(NOBODY).to_owned(),
        to: to.to_owned(),
        run_id: data.date.to_string(),
        sent_at: data.as_of,
        unsubscribe: None,
    };
    Ok(Message::compose(rendered, &envelope)?)
}

/// Reads what the report of `date` was rendered from.
pub(crate) fn stored(context: &Context, date: Date) -> anyhow::Result<ReportData> {
    let key = Key::ReportData(date).to_string();
    let bytes = context.store()?.try_get(&key)?;
    let bytes = bytes
        .ok_or_else(|| anyhow::anyhow!("there is no report of {date}: run `edge nightly --date {date}`"))?;
    Ok(serde_json::from_slice(&bytes)?)
}
