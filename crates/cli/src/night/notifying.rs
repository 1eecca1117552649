//! The end of a night: what people want to hear of before they read the report.

use std::sync::Arc;

use coordinator::{TaskContext, TaskOutput, TaskState};
use jiff::Timestamp;
use market::Date;
use report::{
    ReportData,
    input::FeedStatus,
    notice::{Occasion, TaskFailure},
};

use super::{Night, bets::ledger_as_of, champion::promotion_of, mailing::stored, steps};
use crate::{context::Context, notices};

pub(super) fn notify_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    if night.dry_run {
        return Ok(TaskOutput::new("a dry run tells nobody"));
    }
    let mut occasions = Vec::new();
    occasions.extend(promotion(context, night.as_of)?);
    occasions.extend(failure(context, night, task));
    occasions.extend(drawdown(context, night)?);
    if is_done(task, "report") {
        occasions.extend(frozen(&stored(context, night.date)?));
    }
    let told = notices::tell(context, &occasions, night.as_of)?;
    Ok(TaskOutput::new(told.unwrap_or_else(|| "no channel is configured".to_owned())))
}

fn is_done(task: &TaskContext<'_>, step: &str) -> bool {
    task.earlier(step).is_some_and(|record| record.state == TaskState::Done)
}

/// Tells of the live champion where it was made then.
pub(crate) fn promotion(context: &Context, as_of: Timestamp) -> anyhow::Result<Option<Occasion>> {
    let made = promotion_of(context, as_of)?;
    Ok(made.map(|(decision, sha256)| Occasion::NewChampion {
        version: decision.challenger,
        sha256,
        log_loss_gain: decision.difference.map(|difference| -difference),
        since: decision.as_of,
    }))
}

/// The steps that were lost, the mail included.
fn failure(context: &Context, night: &Night, task: &TaskContext<'_>) -> Option<Occasion> {
    let lost =
        steps(context).into_iter().filter_map(|id| task.earlier(&id)).filter(|record| record.is_lost());
    let tasks: Vec<TaskFailure> = lost
        .map(|record| {
            let error = record.evidence.as_ref().map(coordinator::Evidence::in_words).unwrap_or_default();
            TaskFailure { task: record.id.clone(), error }
        })
        .collect();
    let reported = is_done(task, "report");
    let run_id = task.run_folder().file_name()?.to_string_lossy().into_owned();
    (!tasks.is_empty()).then_some(Occasion::RunFailed { run_id, date: night.date, tasks, reported })
}

fn drawdown(context: &Context, night: &Night) -> anyhow::Result<Option<Occasion>> {
    let limit = context.settings.notices.drawdown_limit;
    let bankroll = ledger_as_of(context, night)?.bankroll(context.settings.bankroll, night.mode());
    let fallen = |peak: Date| Occasion::DrawdownLimit {
        drawdown: bankroll.drawdown,
        limit,
        bankroll: bankroll.balance,
        currency: context.settings.currency.clone(),
        peak,
    };
    Ok((bankroll.drawdown <= -limit).then(|| fallen(bankroll.peak_on.unwrap_or(night.date))))
}

fn frozen(data: &ReportData) -> impl Iterator<Item = Occasion> + '_ {
    let frozen = data.feeds.iter().filter(|feed| feed.status == FeedStatus::Frozen);
    frozen.map(|feed| Occasion::FeedFrozen {
        league: feed.league.clone(),
        newest_line: feed.newest_line,
        as_of: data.as_of,
    })
}
