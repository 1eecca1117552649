//! The report as mail: once per date and recipient, or an `.eml` beside the page when there is no server.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, anyhow};
use coordinator::{TaskContext, TaskOutput};
use market::Date;
use report::{
    Delivery, Envelope, Message, Rendered, ReportData, Retry, SendKey, SendLog, SmtpUrl, mail::bare_address,
    signing::Signing,
};

use super::{Night, rendering::render};
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
    let recipients = configured(context);
    let sent = mail(context, night.date, &recipients)?;
    let late = mail_late(context, night.date, &recipients);
    Ok(TaskOutput::new(std::iter::once(sent).chain(late).collect::<Vec<_>>().join("; ")))
}

/// Returns the recipients that `SMTP_TO` names.
pub(crate) fn configured(context: &Context) -> Vec<String> {
    addresses(context.variable("SMTP_TO").unwrap_or_default())
}

/// Returns the addresses of a list with commas.
pub(crate) fn addresses(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|to| !to.is_empty()).map(str::to_owned).collect()
}

/// Sends the stored report of `date` to those of `recipients` who have not had it, or writes its `.eml` where there is no
/// server; returns what was done, in words.
///
/// A recipient whom the server refuses keeps the report from nobody else.
pub(crate) fn mail(context: &Context, date: Date, recipients: &[String]) -> anyhow::Result<String> {
    let data = stored(context, date)?;
    let rendered = render(context, &data)?;
    let Some(url) = context.variable("SMTP_URL") else {
        let to = recipients.first().map_or(NOBODY, String::as_str);
        let message = compose(context, &data, &rendered, to)?;
        let key = Key::Mail(date).to_string();
        context.store()?.put(&key, &message.eml())?;
        return Ok(format!("SMTP_URL is not set: the mail lies in {key}"));
    };
    if recipients.is_empty() {
        return Err(Usage("SMTP_URL is set but SMTP_TO is not: name the recipients".to_owned()).into());
    }
    let url = server(context, url)?;
    let (mut sent, mut had_it, mut failed) = (0, 0, Vec::new());
    for to in recipients {
        match send_once(context, &url, &data, &rendered, to) {
            Ok(true) => sent += 1,
            Ok(false) => had_it += 1,
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    let before = if had_it > 0 { format!(", {had_it} had it before") } else { String::new() };
    let told = format!("sent to {sent}{before}");
    if failed.is_empty() { Ok(told) } else { Err(anyhow!("{told}; {}", failed.join("; "))) }
}

/// Reads the address of the server, with the authorities of `SMTP_CA_FILE` beside the usual ones.
pub(crate) fn server(context: &Context, url: &str) -> anyhow::Result<SmtpUrl> {
    let url = SmtpUrl::parse(url)?;
    let Some(path) = context.variable("SMTP_CA_FILE") else { return Ok(url) };
    let pem = std::fs::read_to_string(path).with_context(|| format!("cannot read SMTP_CA_FILE {path}"))?;
    Ok(url.trusting(&pem)?)
}

/// Sends reports of earlier dates that no server took at the time; a line for each date.
///
/// What fails again waits for the next night.
fn mail_late(context: &Context, before: Date, recipients: &[String]) -> Vec<String> {
    let unsent = match send_log(context) {
        Ok(log) => log.unsent(Date::MIN),
        Err(error) => return vec![format!("{error:#}")],
    };
    let mut waiting: BTreeMap<Date, Vec<String>> = BTreeMap::new();
    for key in unsent.into_iter().filter(|key| key.date < before) {
        // Somebody who is to have no mail any more gets no late one.
        let still = recipients.iter().find(|to| bare_address(to).is_ok_and(|bare| key.is_to(&bare)));
        waiting.entry(key.date).or_default().extend(still.cloned());
    }
    let waiting = waiting.into_iter().filter(|(_, recipients)| !recipients.is_empty());
    let sent = waiting.map(|(date, to)| {
        let sent = mail(context, date, &to).unwrap_or_else(|error| format!("{error:#}"));
        format!("late, the report of {date}: {sent}")
    });
    sent.collect()
}

fn send_log(context: &Context) -> anyhow::Result<SendLog> {
    let bytes = context.store()?.try_get(&Key::SendLog.to_string())?.unwrap_or_default();
    Ok(SendLog::parse(&String::from_utf8_lossy(&bytes))?)
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
    let (store, path) = (context.store()?, Key::SendLog.to_string());
    let mut log = send_log(context)?;
    let message = compose(context, data, rendered, to)?;
    let key = SendKey::of(data.date, message.recipient(), rendered);
    if matches!(log.delivery(&key), Delivery::Sent | Delivery::SentInAnotherVersion) {
        return Ok(false);
    }
    log.begin(&key, message.message_id(), wall_clock());
    store.put(&path, log.to_text().as_bytes())?;
    report::send(url, &message, &Retry::default())?;
    log.finish(&key, message.message_id(), wall_clock());
    store.put(&path, log.to_text().as_bytes())?;
    Ok(true)
}

fn compose(context: &Context, data: &ReportData, rendered: &Rendered, to: &str) -> anyhow::Result<Message> {
    let settings = &context.settings.mail;
    let envelope = Envelope {
        from: context.variable("SMTP_FROM").unwrap_or(NOBODY).to_owned(),
        to: to.to_owned(),
        run_id: data.date.to_string(),
        sent_at: data.as_of,
        unsubscribe: settings.unsubscribe.clone(),
    };
    let message = Message::compose(rendered, &envelope)?;
    Ok(match signing(context)? {
        Some(signing) => message.signed(&signing)?,
        None => message,
    })
}

/// Returns who signs the mails; none without `DKIM_KEY_FILE`.
pub(crate) fn signing(context: &Context) -> anyhow::Result<Option<Signing>> {
    let Some(path) = context.variable("DKIM_KEY_FILE") else { return Ok(None) };
    let pem = std::fs::read_to_string(path).with_context(|| format!("cannot read DKIM_KEY_FILE {path}"))?;
    let settings = &context.settings.mail;
    let sender = bare_address(context.variable("SMTP_FROM").unwrap_or(NOBODY))?;
    let own = sender.rsplit('@').next().unwrap_or_default();
    let domain = settings.dkim_domain.as_deref().unwrap_or(own);
    Ok(Some(Signing::new(&settings.dkim_selector, domain, &pem)?))
}

/// Returns the dates of the reports that there are, in no order.
pub(crate) fn report_dates(context: &Context) -> anyhow::Result<Vec<Date>> {
    let paths = context.store()?.list("reports/data")?;
    let date = |path: &String| path.rsplit('/').next()?.strip_suffix(".json")?.parse().ok();
    Ok(paths.iter().filter_map(date).collect())
}

/// Reads what the report of `date` was rendered from.
pub(crate) fn stored(context: &Context, date: Date) -> anyhow::Result<ReportData> {
    let key = Key::ReportData(date).to_string();
    let bytes = context.store()?.try_get(&key)?;
    let bytes =
        bytes.ok_or_else(|| anyhow!("there is no report of {date}: run `edge nightly --date {date}`"))?;
    Ok(serde_json::from_slice(&bytes)?)
}
