//! Nights that are run again, cut off and run again: each channel hears of each episode once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use report::notice::{Channel, Notice, NoticeError, NoticeLog, Occasion, Told, tell};

use crate::notice_server::{QUICK, Reply, Server, at, frozen, notices, occasions, run_failed, say};

/// What the disk does in one night: after so many whole writes it dies, and with it the night; the last one may be
/// torn. A night that cannot write posts nothing more, so this is the same as being killed there.
#[derive(Debug, Clone)]
struct Night {
    /// Which episodes there are, by number.
    episodes: Vec<usize>,
    writes: Option<usize>,
    torn: bool,
    /// Whether the first channel's server is down.
    is_down: bool,
}

fn night() -> impl Strategy<Value = Night> {
    let episodes = prop::collection::vec(0..5_usize, 0..4);
    let writes = prop::option::weighted(0.6, 0..12_usize);
    (episodes, writes, any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(episodes, writes, torn, is_down)| Night { episodes, writes, torn, is_down })
}

fn episode(number: usize) -> Notice {
    let occasions = [
        frozen(None),
        frozen(Some("2026-11-17T20:45:00Z")),
        run_failed("2026-11-20", &[("train", "out of memory")], true),
        run_failed("2026-11-20", &[("train", "killed"), ("sweep", "killed")], true),
        run_failed("2026-11-21", &[("train", "out of memory")], false),
    ];
    notices(&occasions[number..=number]).remove(0)
}

/// A channel's name and a key.
type Pair = (String, String);

/// Posts that each channel had, by key.
fn had(servers: &[(&str, &Server)]) -> BTreeMap<Pair, usize> {
    let mut had = BTreeMap::new();
    for (name, server) in servers {
        for request in server.had() {
            let key = request.headers["idempotency-key"].clone();
            *had.entry(((*name).to_owned(), key)).or_default() += 1;
        }
    }
    had
}

/// Runs one night on the stored text and returns the pairs after whose post it could not write.
fn run(night: &Night, channels: &[Channel], stored: &mut String) -> Vec<Pair> {
    let mut log = NoticeLog::parse(stored).unwrap();
    let notices: Vec<Notice> = night.episodes.iter().map(|number| episode(*number)).collect();
    let (mut writes, mut is_dead) = (0, false);
    let outcomes = tell(channels, &notices, &mut log, &QUICK, at, |log| {
        if is_dead || night.writes == Some(writes) {
            let text = log.to_text();
            if !is_dead && night.torn {
                text[..text.len() - 3].clone_into(stored);
            }
            is_dead = true;
            return Err("the disk died");
        }
        writes += 1;
        *stored = log.to_text();
        Ok(())
    });
    let cut = outcomes
        .into_iter()
        .filter(|outcome| matches!(outcome.result, Err(NoticeError::ToldUnlogged { .. })));
    cut.map(|outcome| (outcome.channel, outcome.key.to_string())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn each_channel_hears_of_each_episode_once_but_for_crashes_in_the_middle(
        nights in prop::collection::vec(night(), 1..6),
    ) {
        let servers = [Server::answering(|_, _| say("200 OK", "ok")), Server::answering(|_, _| say("200 OK", "ok"))];
        let named = [("first", &servers[0]), ("second", &servers[1])];
        let channel = |name: &str, address: &str| Channel::webhook(address, None).unwrap().named(name);
        let up = named.map(|(name, server)| channel(name, &server.address));
        // Port 1 of loopback: nobody listens there.
        let down = [channel("first", "http://127.0.0.1:1"), up[1].clone()];
        let (mut stored, mut cut) = (String::new(), Vec::new());
        for night in &nights {
            cut.extend(run(night, if night.is_down { &down } else { &up }, &mut stored));
        }
        for (pair, posts) in had(&named) {
            let crashes = cut.iter().filter(|cut| **cut == pair).count();
            prop_assert!(posts <= 1 + crashes, "{pair:?}: {posts} posts, {crashes} crashes");
        }
        // A last whole night leaves nobody out, and one more says nothing.
        let whole = Night { episodes: (0..5).collect(), writes: None, torn: false, is_down: false };
        run(&whole, &up, &mut stored);
        let after = had(&named);
        prop_assert_eq!(after.len(), 10);
        run(&whole, &up, &mut stored);
        prop_assert_eq!(had(&named), after);
    }
}

#[test]
fn a_crash_in_the_middle_repeats_the_same_request() {
    let server = Server::answering(|_, _| say("200 OK", "ok"));
    let channels = [Channel::webhook(&server.address, Some("s")).unwrap()];
    let notice = notices(&[frozen(None)]);
    let (mut stored, mut writes) = (String::new(), 0);
    let outcomes = tell(&channels, &notice, &mut NoticeLog::default(), &QUICK, at, |log| {
        writes += 1;
        if writes == 2 {
            return Err(std::io::Error::other("killed"));
        }
        stored = log.to_text();
        Ok(())
    });
    assert!(matches!(outcomes[0].result, Err(NoticeError::ToldUnlogged { .. })), "{outcomes:?}");
    let mut log = NoticeLog::parse(&stored).unwrap();
    let again = tell(&channels, &notice, &mut log, &QUICK, at, |_| Ok::<_, std::io::Error>(()));
    assert_eq!(again[0].result.as_ref().ok(), Some(&Told::Now));
    let had = server.had();
    assert_eq!(had.len(), 2);
    assert_eq!((&had[0].headers, &had[0].body), (&had[1].headers, &had[1].body));
}

#[test]
fn a_log_that_cannot_be_written_keeps_everything_back() {
    let server = Server::answering(|_, _| Reply::Drop);
    let channels = [Channel::slack(&server.address).unwrap()];
    let all = notices(&occasions());
    let outcomes = tell(&channels, &all, &mut NoticeLog::default(), &QUICK, at, |_| Err("read-only"));
    assert!(outcomes.iter().all(|outcome| matches!(outcome.result, Err(NoticeError::Unlogged { .. }))));
    assert!(server.had().is_empty());
}

#[test]
fn an_attempt_that_failed_is_due_again() {
    let server =
        Server::answering(|_, before| if before < 3 { say("503 Busy", "") } else { say("200 OK", "ok") });
    let channels = [Channel::slack(&server.address).unwrap()];
    let (notice, mut log) = (notices(&[frozen(None)]), NoticeLog::default());
    let mut run =
        || tell(&channels, &notice, &mut log, &QUICK, at, |_| Ok::<_, std::io::Error>(())).remove(0).result;
    assert!(matches!(run(), Err(NoticeError::PutOff { .. })));
    assert!(matches!(run(), Ok(Told::Now)));
    assert!(matches!(run(), Ok(Told::Before)));
}

#[test]
fn every_kind_is_told_apart() {
    let keys: std::collections::BTreeSet<_> = occasions().iter().map(Occasion::key).collect();
    assert_eq!(keys.len(), occasions().len());
}
