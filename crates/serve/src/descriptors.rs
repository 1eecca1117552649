//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for everything that is no connection: models, tables, logs.
const RESERVE: u64 = 128;

/// Returns how many connections there may be: those wanted, or as many as the system lets.
///
/// Where the process's own limit is too low, it is raised as far as the system allows.
pub(crate) fn room_for(wanted: usize) -> usize {
    let needed = wanted as u64 + RESERVE;
    let limit = getrlimit(Resource::Nofile);
    let soft = limit.current.unwrap_or(u64::MAX);
    if soft >= needed {
        return wanted;
    }
    let raised = limit.maximum.map_or(needed, |hard| hard.min(needed));
    let is_raised =
        setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok();
    let room = within(if is_raised { raised } else { soft }, wanted);
    if room < wanted {
        tracing::warn!(wanted, room, "the limit of open files (ulimit -n) leaves room for fewer connections");
    }
    room
}

/// Leaves a reserve, or half where there is hardly anything.
fn within(limit: u64, wanted: usize) -> usize {
    let room = limit.saturating_sub(RESERVE).max(limit / 2).max(1);
    usize::try_from(room).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_left_for_files() {
        assert_eq!(within(1024, 4096), 896);
        assert_eq!(within(100_000, 4096), 4096);
        assert_eq!(within(100, 4096), 50);
        assert_eq!(within(0, 4096), 1);
    }
}
