//! Who runs the trials of a sweep: processes of this machine, nodes reached by ssh, or a Ray cluster.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use coordinator::{
    Executor, JobSpec, LocalExecutor, RayExecutor, RaySettings, RayToken, Resources, SshExecutor,
};

use crate::{
    context::{Context, wall_clock},
    exit::Usage,
    settings::{SweepSettings, Workers},
};

/// Builds the executor of a sweep, which keeps its files under `root`.
pub(super) fn executor(
    context: &Context,
    settings: &SweepSettings,
    root: &Path,
) -> anyhow::Result<Box<dyn Executor>> {
    check(settings)?;
    Ok(match settings.workers {
        Workers::Local => Box::new(LocalExecutor::new(root, settings.at_once)),
        Workers::Ssh => Box::new(SshExecutor::new(root, settings.ssh.nodes.clone())?),
        Workers::Ray => Box::new(RayExecutor::new(ray(context, settings, root), Arc::new(wall_clock))?),
    })
}

fn check(settings: &SweepSettings) -> anyhow::Result<()> {
    if settings.workers == Workers::Ssh && settings.ssh.nodes.is_empty() {
        let told = "sweep.workers is \"ssh\", but no node is described: add a [[sweep.ssh.nodes]] with name and folder";
        return Err(Usage(told.to_owned()).into());
    }
    if settings.workers == Workers::Ssh && settings.memory_mb.is_some() {
        let told = "sweep.memory_mb is for processes of this machine and for Ray; nodes reached by ssh keep no such limit";
        return Err(Usage(told.to_owned()).into());
    }
    Ok(())
}

/// Returns where Ray is, and what a trial wants of it.
fn ray(context: &Context, settings: &SweepSettings, root: &Path) -> RaySettings {
    let wanted = &settings.ray;
    let shared = wanted.folder.as_ref().map_or_else(|| root.to_owned(), |folder| folder.join(name_of(root)));
    RaySettings {
        token: context.variable("RAY_AUTH_TOKEN").map(RayToken::new),
        slots: settings.at_once.max(1),
        custom_resources: wanted.resources.clone(),
        ..RaySettings::new(&wanted.address, name_of(root), shared)
    }
}

/// Names a sweep after its folder: the run and the step.
fn name_of(root: &Path) -> String {
    let parts: Vec<String> = root
        .iter()
        .rev()
        .take(3)
        .map(|part| part.to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "-"))
        .collect();
    let name = parts.into_iter().rev().collect::<Vec<_>>().join("-");
    // The last part tells sweeps apart; Ray takes 64 characters.
    let cut = name.len().saturating_sub(60);
    name[cut..].trim_start_matches('-').to_owned()
}

/// Returns the job that runs one order, whose text travels with it.
pub(super) fn job(
    context: &Context,
    settings: &SweepSettings,
    id: String,
    order: &impl serde::Serialize,
) -> anyhow::Result<JobSpec> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let memory = settings.memory_mb.map(|megabytes| megabytes.saturating_mul(1_000_000));
    let modest = Resources { memory, ..Resources::default() };
    let (program, resources) = match settings.workers {
        Workers::Local => (own, modest),
        Workers::Ssh => (settings.ssh.program.clone().unwrap_or(own), modest),
        Workers::Ray => {
            let resources = Resources { cpus: Some(settings.ray.cpus), gpus: settings.ray.gpus, ..modest };
            (settings.ray.program.clone().unwrap_or(own), resources)
        }
    };
    let flags = match settings.workers {
        Workers::Local => context.flags_of_self(),
        // The graph is in the store and the settings in the order; a path must not begin where a worker happens to be.
        Workers::Ssh | Workers::Ray => vec!["--store".into(), store(context)?],
    };
    let flags = flags.into_iter().map(|flag| flag.to_string_lossy().into_owned());
    let order = ["trial", "--spec", &serde_json::to_string(order)?, "--out", "{output}"].map(str::to_owned);
    // A trial may take as long as the whole sweep.
    let timeout = context.settings.night.budget_of("sweep");
    Ok(JobSpec::new(id, program).args(flags).args(order).resources(resources).timeout(timeout))
}

fn store(context: &Context) -> anyhow::Result<OsString> {
    let folder = context.store()?.folder().map(std::path::absolute).transpose()?;
    Ok(folder.map_or_else(|| context.settings.store.clone().into(), PathBuf::into_os_string))
}

/// Returns the requests that would hand these jobs to Ray.
pub(crate) fn ray_requests(
    context: &Context,
    settings: &SweepSettings,
    orders: &[(String, impl serde::Serialize)],
) -> anyhow::Result<Vec<serde_json::Value>> {
    let jobs: Vec<JobSpec> = orders
        .iter()
        .map(|(id, order)| job(context, settings, id.clone(), order))
        .collect::<Result<_, _>>()?;
    let root = context.runs_folder()?.join("dry-run").join("trials");
    Ok(RayExecutor::plan(&ray(context, settings, &root), &jobs, context.now)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_named_so_that_ray_takes_it() {
        let name = name_of(Path::new("/srv/store/runs/2026-03-02-090000Z/sweep/trials"));
        assert_eq!(name, "2026-03-02-090000Z-sweep-trials");
        let long = name_of(&Path::new("/x").join("a.b ".repeat(40)).join("sweep/trials"));
        assert!(long.len() <= 60 && long.ends_with("-sweep-trials"), "{long}");
        assert!(long.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    }
}
