//! The jobs file: which script runs where, with which arguments.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use coordinator::{JobSpec, Node, Placement, executor::OUTPUT};
use serde::Deserialize;
use serde_json::Value;

/// Flags whose value is a path that a script writes to.
const OUTPUT_FLAGS: [&str; 4] = ["--out", "--output", "--output-dir", "-o"];

/// One job and where it goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) spec: JobSpec,
    pub(super) placement: Placement,
}

impl Job {
    pub(super) fn node(&self) -> String {
        self.placement.node.clone().unwrap_or_default()
    }

    pub(super) fn gpu(&self) -> String {
        self.placement.gpu.map_or_else(|| "–".to_owned(), |gpu| gpu.to_string())
    }
}

/// One entry as it is written.
#[derive(Debug, Deserialize)]
struct Entry {
    job_id: String,
    script: String,
    #[serde(default)]
    args: Vec<Value>,
    node: String,
    #[serde(default)]
    gpu_id: Option<u32>,
}

/// Reads the file; the problem names the job.
pub(super) fn read(text: &str, nodes: &[Node], preserve_paths: bool) -> Result<Vec<Job>, String> {
    let entries: Vec<Value> =
        serde_json::from_str(text).map_err(|error| format!("no list of jobs: {error}"))?;
    let mut seen = BTreeSet::new();
    let mut jobs = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let number = index + 1;
        if entry.get("script").is_none() {
            return Err(format!(
                "job {number} has no `script`, as in files of an older format: name the script that its node runs, \
                 {{\"job_id\": ..., \"script\": \"train.sh\", \"args\": [...], \"node\": ..., \"gpu_id\": ...}}"
            ));
        }
        let entry: Entry = serde_json::from_value(entry).map_err(|error| format!("job {number}: {error}"))?;
        if !seen.insert(entry.job_id.clone()) {
            return Err(format!("two jobs are called `{}`: give each an id of its own", entry.job_id));
        }
        let id = entry.job_id.clone();
        jobs.push(job(entry, nodes, preserve_paths).map_err(|problem| format!("job `{id}`: {problem}"))?);
    }
    if jobs.is_empty() { Err("there is no job in it".to_owned()) } else { Ok(jobs) }
}

fn job(entry: Entry, nodes: &[Node], preserve_paths: bool) -> Result<Job, String> {
    let node = nodes.iter().find(|node| node.name == entry.node || node.label() == entry.node);
    let node = node.ok_or_else(|| {
        let known: Vec<String> = nodes.iter().map(Node::label).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!("node `{}` is not described in [[sweep.ssh.nodes]], which has {known}", entry.node)
    })?;
    let script = within(Path::new(&node.folder), &entry.script)
        .ok_or_else(|| format!("script `{}` lies outside the node's folder {}", entry.script, node.folder))?;
    let args = entry.args.iter().map(text).collect::<Result<Vec<String>, String>>()?;
    let args = if preserve_paths { args } else { into_output(args)? };
    let interpreter = match script.extension().and_then(|extension| extension.to_str()) {
        Some("py") => Some("python3"),
        Some("sh") => Some("sh"),
        _ => None,
    };
    let spec = match interpreter {
        Some(interpreter) => JobSpec::new(entry.job_id, interpreter).args([script.display().to_string()]),
        None => JobSpec::new(entry.job_id, &script),
    };
    let mut spec = spec.args(args).env("EDGE_OUTPUT", OUTPUT);
    spec.working_folder = Some(PathBuf::from(&node.folder));
    let placement = Placement { node: Some(node.label()), gpu: entry.gpu_id };
    Ok(Job { spec, placement })
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        other => Err(format!("`{other}` is no argument: write texts and numbers")),
    }
}

/// Joins a path to a folder that it must not leave.
fn within(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let inner = path.strip_prefix(folder).unwrap_or(path);
    let stays = inner.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (stays && inner.components().next().is_some()).then(|| folder.join(inner))
}

/// Puts the paths that a script writes to into the output folder of its attempt.
fn into_output(args: Vec<String>) -> Result<Vec<String>, String> {
    let inside = |path: &str| -> Result<String, String> {
        let path = Path::new(path);
        let names = path.components().filter(|part| !matches!(part, Component::RootDir | Component::CurDir));
        let inner: PathBuf = names.collect();
        if inner.components().any(|part| part == Component::ParentDir) {
            return Err(format!("the output path `{}` leaves its folder", path.display()));
        }
        let inner = inner.display().to_string();
        Ok(if inner.is_empty() { OUTPUT.to_owned() } else { format!("{OUTPUT}/{inner}") })
    };
    let mut rewritten: Vec<String> = Vec::new();
    for arg in args {
        let after_flag = rewritten.last().is_some_and(|last| OUTPUT_FLAGS.contains(&last.as_str()));
        let joined = arg.split_once('=').filter(|(flag, _)| OUTPUT_FLAGS.contains(flag));
        rewritten.push(match joined {
            _ if after_flag => inside(&arg)?,
            Some((flag, path)) => format!("{flag}={}", inside(path)?),
            None => arg,
        });
    }
    Ok(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(entry: &str) -> Result<Job, String> {
        let nodes = [Node::new("gpu-1", "/srv/work").gpus([0]), Node::new("gpu-1", "/srv/work").port(2222)];
        read(&format!("[{entry}]"), &nodes, false).map(|mut jobs| jobs.remove(0))
    }

    #[test]
    fn output_paths_go_into_the_output_folder_and_others_stay() {
        let args = r#"["--data", "/data/x.csv", "--out", "/results/a/model.pt", "--output=b", "-o", ".", "--seed", 7]"#;
        let job = read_one(&format!(
            r#"{{"job_id": "a", "script": "train.py", "args": {args}, "node": "gpu-1:2222"}}"#
        ))
        .unwrap();
        let expected = [
            "/srv/work/train.py",
            "--data",
            "/data/x.csv",
            "--out",
            "{output}/results/a/model.pt",
            "--output={output}/b",
            "-o",
            "{output}",
            "--seed",
            "7",
        ];
        assert_eq!(
            (job.spec.program, job.spec.args),
            (PathBuf::from("python3"), expected.map(str::to_owned).to_vec())
        );
        assert_eq!(job.placement.node.as_deref(), Some("gpu-1:2222"));
    }

    #[test]
    fn what_cannot_be_run_is_refused_by_name() {
        for (entry, named) in [
            (r#"{"job_id": "a", "command": "x", "node": "gpu-1"}"#, "`script`"),
            (r#"{"job_id": "a", "script": "x", "node": "gpu-9"}"#, "gpu-9"),
            (r#"{"job_id": "a", "script": "../x", "node": "gpu-1"}"#, "../x"),
            (r#"{"job_id": "a", "script": "/etc/x", "node": "gpu-1"}"#, "/etc/x"),
            (r#"{"job_id": "a", "script": "", "node": "gpu-1"}"#, "outside"),
            (r#"{"job_id": "a", "script": "x", "node": "gpu-1", "args": ["--out", "../up"]}"#, "../up"),
            (r#"{"job_id": "a", "script": "x", "node": "gpu-1", "args": [[1]]}"#, "[1]"),
            (
                r#"{"job_id": "a", "script": "x", "node": "gpu-1"}, {"job_id": "a", "script": "x", "node": "gpu-1"}"#,
                "two jobs",
            ),
            ("", "no job"),
            ("3", "job 1"),
        ] {
            let problem = read_one(entry).unwrap_err();
            assert!(problem.contains(named), "{entry}: {problem}");
        }
        assert!(read_one(r#"{"job_id": "a", "script": "/srv/work/sub/x", "node": "gpu-1"}"#).is_ok());
    }
}
