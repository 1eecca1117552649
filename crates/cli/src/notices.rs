//! What cannot wait for the report: who is told, and that each is told once.

use jiff::Timestamp;
use report::notice::{Channel, Notice, NoticeLog, Occasion, RETRY, Told, tell as tell_channels};

use crate::{
    context::{Context, wall_clock},
    exit::Usage,
    guard::{self, Guarded},
    paths::Key,
    settings::ChannelKind,
    table::counted,
};

/// Opens the channels that are configured.
///
/// # Errors
/// One whose address or token is missing in the environment, or is none.
pub(crate) fn channels(context: &Context) -> anyhow::Result<Vec<Channel>> {
    let settings = &context.settings.notices;
    let secret = |name: &str| {
        let missing =
            || Usage(format!("notices.channels names a channel that wants {name}, which is not set"));
        context.variable(name).ok_or_else(missing)
    };
    let open = |kind: &ChannelKind| -> anyhow::Result<Channel> {
        Ok(match kind {
            ChannelKind::Slack => Channel::slack(secret("SLACK_WEBHOOK_URL")?)?,
            ChannelKind::Webhook => {
                Channel::webhook(secret("NOTICE_WEBHOOK_URL")?, context.variable("NOTICE_WEBHOOK_SECRET"))?
            }
            ChannelKind::Github => {
                let repository = settings.github_repository.as_deref().unwrap_or_default();
                Channel::github(repository, secret("GITHUB_TOKEN")?, settings.github_api.as_deref())?
            }
        })
    };
    settings.channels.iter().map(open).collect()
}

/// Tells every channel what it has not been told, and returns what was done, in words; none without channels.
///
/// # Errors
/// A channel that could not be told; the others were. It is told at the next run for which the occasion still holds.
pub(crate) fn tell(
    context: &Context,
    occasions: &[Occasion],
    at: Timestamp,
) -> anyhow::Result<Option<String>> {
    let channels = channels(context)?;
    if channels.is_empty() {
        return Ok(None);
    }
    let zone = context.time_zone()?;
    let notices: Vec<Notice> = occasions.iter().map(|occasion| occasion.notice(at, &zone)).collect();
    let _alone = guard::wait(context, Guarded::Notices)?;
    let (store, path) = (context.store()?, Key::NoticeLog.to_string());
    let before = store.try_get(&path)?.unwrap_or_default();
    let mut log = NoticeLog::parse(&String::from_utf8_lossy(&before))?;
    let persist = |log: &NoticeLog| store.put(&path, log.to_text().as_bytes()).map(drop);
    let outcomes = tell_channels(&channels, &notices, &mut log, &RETRY, wall_clock, persist);
    let mut told = 0;
    let mut failed = Vec::new();
    for outcome in outcomes {
        match outcome.result {
            Ok(Told::Now) => told += 1,
            Ok(Told::Before) => {}
            Err(error) => failed.push(format!("{:#}", anyhow::Error::from(error))),
        }
    }
    if failed.is_empty() {
        return Ok(Some(format!("{} told", counted(told, "notice"))));
    }
    failed.dedup();
    anyhow::bail!("{} told; {}", counted(told, "notice"), failed.join("; "))
}
