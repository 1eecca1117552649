//! `edge jobs run`: scripts of a jobs file on nodes reached by ssh, their results gathered here.

mod file;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use coordinator::{Executor as _, JobSpec, JobState, SshExecutor, marker::MARKER};
use serde::{Deserialize, Serialize};

use self::file::Job;
use crate::{
    args::{JobsCommand, JobsRunArgs},
    context::{Context, say},
    exit::{Status, Usage},
    table::{counted, table},
};

/// What became of a job.
#[derive(Debug, Serialize)]
struct Ended {
    job_id: String,
    node: String,
    gpu_id: Option<u32>,
    done: bool,
    why: Option<String>,
    output: Option<String>,
}

impl Ended {
    fn of(job: &Job, why: Option<String>, output: Option<&Path>) -> Self {
        Self {
            job_id: job.spec.id.clone(),
            node: job.node(),
            gpu_id: job.placement.gpu,
            done: why.is_none(),
            why,
            output: output.map(|folder| folder.display().to_string()),
        }
    }
}

/// What is kept of a job that is done, so that the same file run again leaves it alone.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    spec: JobSpec,
    output: PathBuf,
}

fn note(job: &Job, folder: &Path) -> PathBuf {
    folder.join(&job.spec.id).join("done.json")
}

fn note_done(job: &Job, folder: &Path, output: &Path) -> anyhow::Result<()> {
    let done = Done { spec: job.spec.clone(), output: output.to_owned() };
    let (path, part) = (note(job, folder), note(job, folder).with_extension("part"));
    let written = std::fs::write(&part, serde_json::to_vec_pretty(&done)?);
    let written = written.and_then(|()| std::fs::rename(&part, &path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Finds a job that is done, as long as it is the same and its output is there.
fn done_before(job: &Job, folder: &Path) -> Option<Ended> {
    let done: Done = serde_json::from_slice(&std::fs::read(note(job, folder)).ok()?).ok()?;
    let holds = done.spec == job.spec && done.output.join(MARKER).is_file();
    holds.then(|| Ended::of(job, None, Some(&done.output)))
}

pub(crate) fn run(command: JobsCommand, context: &Context) -> anyhow::Result<Status> {
    let JobsCommand::Run(args) = command;
    let file = args.jobs_file.display();
    let text = std::fs::read_to_string(&args.jobs_file).with_context(|| format!("cannot read {file}"))?;
    let nodes = &context.settings.sweep.ssh.nodes;
    let jobs = file::read(&text, nodes, args.preserve_paths)
        .map_err(|problem| Usage(format!("{file}: {problem}")))?;
    if args.dry_run { plan(&jobs, &args, context) } else { drive(&jobs, &args, context) }
}

fn plan(jobs: &[Job], args: &JobsRunArgs, context: &Context) -> anyhow::Result<Status> {
    if args.json {
        let specs: Vec<_> = jobs.iter().map(|job| (&job.spec, &job.placement)).collect();
        context.print_json(&specs)?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["job", "node", ">gpu", "what"]);
    for job in jobs {
        let what =
            std::iter::once(job.spec.program.display().to_string()).chain(job.spec.args.iter().cloned());
        shown.add_row([job.spec.id.clone(), job.node(), job.gpu(), what.collect::<Vec<_>>().join(" ")]);
    }
    context.print(&shown.to_string())?;
    Ok(Status::Done)
}

fn drive(jobs: &[Job], args: &JobsRunArgs, context: &Context) -> anyhow::Result<Status> {
    let mut executor = SshExecutor::new(&args.output_dir, context.settings.sweep.ssh.nodes.clone())?;
    let mut ended: Vec<Ended> = jobs.iter().filter_map(|job| done_before(job, &args.output_dir)).collect();
    if !ended.is_empty() {
        say(&format!("  {} done before", counted(ended.len(), "job")));
    }
    let is_open = |job: &&Job| !ended.iter().any(|ended| ended.job_id == job.spec.id);
    let mut open: Vec<&Job> = jobs.iter().filter(is_open).collect();
    for job in &open {
        executor.submit_on(job.spec.clone(), job.placement.clone())?;
    }
    while !open.is_empty() {
        let mut still = Vec::new();
        for job in open {
            let state = executor.poll(&job.spec.id)?;
            if !state.is_final() {
                still.push(job);
                continue;
            }
            let why = match state {
                JobState::Failed(failure) => Some(failure.to_string()),
                JobState::Done => None,
                other => Some(format!("{other:?}").to_lowercase()),
            };
            let mark = if why.is_none() { "✓" } else { "✗" };
            let left = jobs.len() - ended.len() - 1;
            let told = why.as_deref().unwrap_or("done");
            say(&format!("  {mark} {:16} {told} ({left} to go)", job.spec.id));
            let output = why.is_none().then(|| executor.output(&job.spec.id)).transpose()?;
            if let Some(folder) = &output {
                note_done(job, &args.output_dir, folder)?;
            }
            ended.push(Ended::of(job, why, output.as_deref()));
        }
        open = still;
        std::thread::sleep(Duration::from_millis(50));
    }
    let failed = ended.iter().filter(|job| !job.done).count();
    ended.sort_by_key(|ended| jobs.iter().position(|job| job.spec.id == ended.job_id));
    report(&ended, args, context)?;
    say(&format!("edge: {} done, {failed} not", counted(ended.len() - failed, "job")));
    Ok(match failed {
        0 => Status::Done,
        all if all == ended.len() => Status::Failed,
        _ => Status::Partial,
    })
}

fn report(ended: &[Ended], args: &JobsRunArgs, context: &Context) -> anyhow::Result<()> {
    if args.json {
        return context.print_json(&ended);
    }
    let mut shown = table(&["job", "node", ">gpu", "result"]);
    for job in ended {
        let result = job.why.clone().or_else(|| job.output.clone()).unwrap_or_default();
        let gpu = job.gpu_id.map_or_else(|| "–".to_owned(), |gpu| gpu.to_string());
        shown.add_row([job.job_id.clone(), job.node.clone(), gpu, result]);
    }
    context.print(&shown.to_string())
}
