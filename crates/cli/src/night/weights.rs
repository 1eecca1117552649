//! The weights of the lenses: learnt once a week from bets whose close is known, and used once they have proved better.

use anyhow::Context as _;
use coordinator::{TaskContext, TaskOutput};
use jiff::{SignedDuration, Timestamp};
use lenses::{
    Weights,
    learning::{self, Learned},
};
use serde::{Deserialize, Serialize};

use super::{Night, ledger_as_of};
use crate::{
    context::Context,
    guard::{self, Guarded},
    paths::Key,
};

/// Weights are learnt anew when the last time lies this far back.
const EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Lesson {
    /// Bets whose close was known by then were learnt from.
    as_of: Timestamp,
    #[serde(flatten)]
    learned: Learned,
}

/// Returns the weights that were in use at `as_of`: equal ones until others have proved better.
pub(crate) fn in_use(context: &Context, as_of: Timestamp) -> anyhow::Result<Weights> {
    let lessons = lessons(context)?;
    let promoted = lessons.into_iter().filter(|lesson| lesson.as_of <= as_of).rev().find_map(|lesson| {
        match lesson.learned {
            Learned::Promoted(challenge) => Some(challenge.weights),
            Learned::Kept(_) | Learned::TooFew { .. } => None,
        }
    });
    Ok(promoted.unwrap_or_default())
}

/// Says in words which weights are in use, and why no others.
pub(crate) fn told(context: &Context, as_of: Timestamp) -> anyhow::Result<String> {
    let weights = in_use(context, as_of)?;
    let last = lessons(context)?.into_iter().rev().find(|lesson| lesson.as_of <= as_of);
    let why = match last.map(|lesson| lesson.learned) {
        None => "none were learnt yet".to_owned(),
        Some(Learned::TooFew { rows }) => {
            format!("{rows} of {} games with a known close to learn from", learning::FEWEST_GAMES)
        }
        Some(Learned::Kept(challenge)) => {
            format!("those learnt from {} games were no better on the last block", challenge.games)
        }
        Some(Learned::Promoted(challenge)) => format!(
            "learnt from {} games, log-loss {:.4} against {:.4} on the last block",
            challenge.games, challenge.log_loss[0], challenge.log_loss[1]
        ),
    };
    Ok(format!("{}: {why}", weights.version()))
}

pub(super) fn weights_step(
    context: &std::sync::Arc<Context>,
    night: &Night,
    _task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let _alone = guard::wait(context, Guarded::Models)?;
    let mut lessons = lessons(context)?;
    let fresh =
        |lesson: &&Lesson| lesson.as_of <= night.as_of && night.as_of.duration_since(lesson.as_of) < EVERY;
    if lessons.iter().any(|lesson| fresh(&lesson)) {
        return Ok(TaskOutput::new(format!(
            "{} (learnt within the week)",
            in_use(context, night.as_of)?.version()
        )));
    }
    let past = ledger_as_of(context, night)?.bets_with_close(night.as_of);
    let version = format!("learned-{}", night.date);
    let learned = learning::learn(&past, &in_use(context, night.as_of)?, &version);
    lessons.push(Lesson { as_of: night.as_of, learned });
    lessons.sort_by_key(|lesson| lesson.as_of);
    let mut text = String::new();
    for lesson in &lessons {
        text += &serde_json::to_string(lesson)?;
        text.push('\n');
    }
    context.store()?.put(&Key::LensWeights.to_string(), text.as_bytes())?;
    Ok(TaskOutput::new(told(context, night.as_of)?))
}

fn lessons(context: &Context) -> anyhow::Result<Vec<Lesson>> {
    let key = Key::LensWeights.to_string();
    let bytes = context.store()?.try_get(&key)?.unwrap_or_default();
    let text = String::from_utf8(bytes).with_context(|| format!("{key} is no text"))?;
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{key} line {}: no lesson; remove it", number + 1))
    };
    text.lines().enumerate().map(read).collect()
}
