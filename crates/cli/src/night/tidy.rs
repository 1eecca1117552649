//! Folders of old nights: what would be removed, once a person says so.

use std::path::Path;

use coordinator::{RunSummary, Task, TaskError, TaskOutput, runs};
use jiff::{SignedDuration, Timestamp};

use super::of_run;
use crate::{context::Context, table::counted};

/// Returns the task that removes the nights that have had their time, if there are any.
pub(super) fn tidy_task(context: &Context, as_of: Timestamp) -> anyhow::Result<Option<Task>> {
    let days = context.settings.night.keep_runs_days;
    if days == 0 {
        return Ok(None);
    }
    let folder = context.runs_folder()?;
    let old = outlived(&folder, as_of, SignedDuration::from_hours(24 * i64::from(days)))?;
    if old.is_empty() {
        return Ok(None);
    }
    let (what, found) = (counted(old.len(), "folder"), old.join(", "));
    let asked = format!("It removes the {what} of nights older than {days} days: {found}");
    let work = move |task: &coordinator::TaskContext<'_>| {
        for run_id in &old {
            match std::fs::remove_dir_all(folder.join(run_id)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(TaskError::new(error));
                }
                _ => {}
            }
            task.log(&format!("removed {run_id}"));
        }
        Ok(TaskOutput::new(format!("{} removed", counted(old.len(), "folder"))))
    };
    Ok(Some(Task::new("tidy", "runs", work).input(found).destroys(asked)))
}

/// Returns the nights that nobody drives and whose last session began longer ago than `keep`, the oldest first.
fn outlived(folder: &Path, as_of: Timestamp, keep: SignedDuration) -> anyhow::Result<Vec<String>> {
    let Ok(before) = as_of.checked_sub(keep) else { return Ok(Vec::new()) };
    let old =
        |run: &RunSummary| !run.is_driven && run.started_at < before && of_run(folder, &run.run_id).is_ok();
    let mut old: Vec<String> = runs::list(folder)?.into_iter().filter(old).map(|run| run.run_id).collect();
    old.reverse();
    Ok(old)
}
