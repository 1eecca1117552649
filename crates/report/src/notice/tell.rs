//! Tells every channel what it has not been told.

use std::{error::Error, time::Duration};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::{Channel, Notice, NoticeError, NoticeKey, NoticeLog};
use crate::smtp::Retry;

/// What a night can spare for a notice: four attempts of at most 10 seconds, 14 seconds between them.
pub const RETRY: Retry =
    Retry { attempts: 4, first_pause: Duration::from_secs(2), timeout: Duration::from_secs(10) };

/// What came of one notice for one channel.
#[derive(Debug)]
pub struct Outcome {
    /// The channel's name.
    pub channel: String,
    /// The notice.
    pub key: NoticeKey,
    /// Whether the channel knows of it.
    pub result: Result<Told, NoticeError>,
}

/// Since when a channel knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was told just now.
    Now,
    /// It had been told before, and was left alone.
    Before,
}

/// Tells each channel each notice that the log does not say it has had, and blocks until that is done.
///
/// `persist` stores the log before something is posted and again afterwards; when it fails before, nothing is posted.
/// `now` reads the clock for the log. A channel that fails stops no other; one that cannot be reached is not asked
/// again within the call. What was not told stays due. Channels are told in their order, and so are notices.
///
/// Blocks its thread, and may not be called from asynchronous code but through `spawn_blocking`.
pub fn tell<E: Into<Box<dyn Error + Send + Sync>>>(
    channels: &[Channel],
    notices: &[Notice],
    log: &mut NoticeLog,
    retry: &Retry,
    mut now: impl FnMut() -> Timestamp,
    mut persist: impl FnMut(&NoticeLog) -> Result<(), E>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(channels.len() * notices.len());
    for channel in channels {
        let mut line = Line::new(channel, retry);
        for notice in notices {
            let result = tell_one(&mut line, notice, log, &mut now, &mut persist);
            line.is_closed |= result.as_ref().is_err_and(NoticeError::closes_channel);
            outcomes.push(Outcome { channel: channel.name().to_owned(), key: notice.key.clone(), result });
        }
    }
    outcomes
}

fn tell_one<E: Into<Box<dyn Error + Send + Sync>>>(
    line: &mut Line<'_>,
    notice: &Notice,
    log: &mut NoticeLog,
    now: &mut impl FnMut() -> Timestamp,
    persist: &mut impl FnMut(&NoticeLog) -> Result<(), E>,
) -> Result<Told, NoticeError> {
    let channel = line.channel.name().to_owned();
    if !log.is_due(&notice.key, &channel) {
        return Ok(Told::Before);
    }
    if line.is_closed {
        return Err(NoticeError::NotTried { channel });
    }
    log.begin(&notice.key, &channel, now());
    if let Err(error) = persist(log) {
        return Err(NoticeError::Unlogged { channel, source: error.into() });
    }
    let told = line.post(notice)?;
    log.finish(&notice.key, &channel, now());
    match persist(log) {
        Ok(()) => Ok(told),
        Err(error) => Err(NoticeError::ToldUnlogged { channel, source: error.into() }),
    }
}

/// The way to one channel, opened when it is first needed.
#[derive(Debug)]
struct Line<'a> {
    channel: &'a Channel,
    retry: &'a Retry,
    open: Option<(Runtime, reqwest::Client)>,
    is_closed: bool,
}

impl<'a> Line<'a> {
    fn new(channel: &'a Channel, retry: &'a Retry) -> Self {
        Self { channel, retry, open: None, is_closed: false }
    }

    fn post(&mut self, notice: &Notice) -> Result<Told, NoticeError> {
        let (channel, retry) = (self.channel, self.retry);
        let (runtime, client) = match self.open.take() {
            Some(open) => open,
            None => open(channel, retry)
                .map_err(|source| NoticeError::SetUp { channel: channel.name().to_owned(), source })?,
        };
        let told = runtime.block_on(channel.post(&client, notice, retry));
        self.open = Some((runtime, client));
        told
    }
}

fn open(
    channel: &Channel,
    retry: &Retry,
) -> Result<(Runtime, reqwest::Client), Box<dyn Error + Send + Sync>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok((runtime, channel.client(retry)?))
}
