//! Who may change what, when several of these processes work on one store.
//!
//! A night is alone among nights; everything else waits for the moment that another needs to write the same thing.
//! The locks hold among processes of one machine.

use std::fmt;

use coordinator::{Lock, LockError};

use crate::context::{Context, wall_clock};

/// Something that is read, changed and written back by one process at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guarded<'a> {
    /// A whole night: which bets it places depends on the ledger that it found.
    Night,
    /// One league's rows.
    League(&'a str),
    /// The ledger.
    Ledger,
    /// The latest graph, the champion and the log of promotions.
    Models,
    /// The send log and the mails on their way.
    Mail,
    /// The log of notices and those on their way.
    Notices,
}

impl fmt::Display for Guarded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Night => f.write_str("night"),
            Self::League(id) => write!(f, "league-{id}"),
            Self::Ledger => f.write_str("ledger"),
            Self::Models => f.write_str("models"),
            Self::Mail => f.write_str("mail"),
            Self::Notices => f.write_str("notices"),
        }
    }
}

/// Waits until nobody else changes `guarded`; the right to change it lasts as long as the lock lives.
pub(crate) fn wait(context: &Context, guarded: Guarded<'_>) -> anyhow::Result<Lock> {
    Ok(Lock::take(&file(context, guarded)?, wall_clock())?)
}

/// Begins a night, or says who is at one already.
pub(crate) fn begin_night(context: &Context) -> anyhow::Result<Lock> {
    Lock::try_take(&file(context, Guarded::Night)?, wall_clock()).map_err(|error| match error {
        LockError::Held { owner, .. } => {
            anyhow::anyhow!("a night is under way in this store ({owner}): wait for its end, or stop it")
        }
        other => other.into(),
    })
}

fn file(context: &Context, guarded: Guarded<'_>) -> anyhow::Result<std::path::PathBuf> {
    Ok(context.runs_folder()?.join(".locks").join(guarded.to_string()))
}
