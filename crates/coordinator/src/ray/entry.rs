//! What Ray is asked to run: an entry point that looks before it starts, and the request around it.

use std::{collections::BTreeMap, path::Path};

use super::{
    RaySettings,
    journal::{Files, Record},
    wire::{RuntimeEnv, SubmitRequest},
};
use crate::{JobSpec, executor::OUTPUT, task::hex_sha256};

/// File in an attempt's output folder that forbids it to start.
pub(super) const CANCEL: &str = ".cancel";

/// Exit code of an entry point that did not start its program...
pub(super) const REFUSED: i32 = 125;

/// ...and how its reason begins in Ray's log, where the program's own output never goes.
pub(super) const REASON: &str = "not started: ";

/// The reason when [`CANCEL`] was there.
pub(super) const CANCELLED: &str = "cancelled";

/// Makes the id that one attempt has at Ray, of the few characters that Ray can bear.
pub(super) fn submission_id(run: &str, job: &str, attempt: u32) -> String {
    if job.contains('.') {
        // Else `a.b` and `a_b` would be one.
        let mark = hex_sha256(job.as_bytes());
        return format!("{run}-{}-x{}-a{attempt}", job.replace('.', "_"), &mark[..8]);
    }
    format!("{run}-{job}-a{attempt}")
}

/// Builds the request for one attempt, or says why none can be built.
pub(super) fn submission(
    settings: &RaySettings,
    record: &Record,
    files: &Files,
) -> Result<SubmitRequest, String> {
    let spec = &record.spec;
    let output = text(&files.output)?;
    let env: BTreeMap<_, _> =
        spec.env.iter().map(|(name, value)| (name.clone(), value.replace(OUTPUT, output))).collect();
    if let Some(name) = env.keys().find(|name| !is_variable(name)) {
        return Err(format!("`{name}` is no name of an environment variable"));
    }
    // Ray expands `$NAME` in what it is given, so such values take the way through the shell.
    let (exported, env_vars): (BTreeMap<_, _>, _) =
        env.into_iter().partition(|(_, value)| value.contains('$'));
    let submission = SubmitRequest {
        entrypoint: entry_point(spec, output, text(&files.log)?, &exported)?,
        submission_id: record.submission_id.clone(),
        // Without any wish Ray would start the job on the head.
        entrypoint_num_cpus: spec.resources.cpus.unwrap_or(1.0),
        entrypoint_num_gpus: (spec.resources.gpus > 0).then(|| f64::from(spec.resources.gpus)),
        entrypoint_memory: spec.resources.memory,
        entrypoint_resources: settings.custom_resources.clone(),
        entrypoint_label_selector: settings.label_selector.clone(),
        runtime_env: RuntimeEnv { env_vars, working_dir: settings.working_dir.clone() },
        metadata: metadata(settings, record),
    };
    let values = &submission.runtime_env.env_vars;
    if values.values().chain([&submission.entrypoint]).any(|text| text.contains('\0')) {
        return Err("arguments and variables cannot hold NUL bytes".to_owned());
    }
    Ok(submission)
}

/// Says whose a submission is, so that an id used twice is noticed.
fn metadata(settings: &RaySettings, record: &Record) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("run".to_owned(), settings.run.clone()),
        ("job".to_owned(), record.spec.id.clone()),
        ("attempt".to_owned(), record.attempt.to_string()),
        ("created_at".to_owned(), record.created_at.to_string()),
    ])
}

/// Everything that a job wants of one node, by Ray's names.
pub(super) fn wanted(settings: &RaySettings, spec: &JobSpec) -> BTreeMap<String, f64> {
    let mut wanted = settings.custom_resources.clone();
    wanted.insert("CPU".to_owned(), spec.resources.cpus.unwrap_or(1.0));
    if spec.resources.gpus > 0 {
        wanted.insert("GPU".to_owned(), f64::from(spec.resources.gpus));
    }
    if let Some(memory) = spec.resources.memory {
        wanted.insert("memory".to_owned(), memory as f64);
    }
    wanted
}

/// Writes the one shell command that Ray starts.
///
/// It is one line (but for line ends in the job's own words), so that no line of Ray's log except our reason begins
/// with [`REASON`].
fn entry_point(
    spec: &JobSpec,
    output: &str,
    log: &str,
    exported: &BTreeMap<String, String>,
) -> Result<String, String> {
    let program = text(&spec.program)?;
    let mut steps = vec![
        format!("refuse() {{ echo; echo \"{REASON}$1\"; exit {REFUSED}; }}"),
        // Ray may start a job long after it was told to stop it.
        format!("[ ! -e {} ] || refuse {CANCELLED}", quote(&format!("{output}/{CANCEL}"))),
        format!(
            "true >{} || refuse {}",
            quote(log),
            quote(&format!(
                "this node cannot write {log}: the output root must be one folder here and there"
            ))
        ),
    ];
    if let Some(folder) = &spec.working_folder {
        let folder = text(folder)?;
        let reason = format!("this node has no folder {folder}");
        steps.push(format!("cd {} || refuse {}", quote(folder), quote(&reason)));
    }
    steps.push(format!(
        "command -v {} >/dev/null || refuse {}",
        quote(program),
        quote(&format!("this node has no program {program}"))
    ));
    steps.extend(exported.iter().map(|(name, value)| format!("export {name}={}", quote(value))));
    let words = spec.args.iter().map(|arg| quote(&arg.replace(OUTPUT, output)));
    let command: Vec<_> = std::iter::once(quote(program)).chain(words).collect();
    // The program takes the shell's place, so that signals and its exit code are its own.
    steps.push(format!("exec {} </dev/null >{} 2>&1", command.join(" "), quote(log)));
    Ok(steps.join("; "))
}

/// Quotes a word for a POSIX shell, whatever is in it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_reads_a_quoted_word_as_it_was(word in "[^\0]{0,20}", other in r#"[ '"$`\\\n*?!#~&|;()<>-]{0,12}"#) {
            let script = format!("printf '%s.%s' {} {}", quote(&word), quote(&other));
            let said = Command::new("sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8(said.stdout).unwrap(), format!("{word}.{other}"));
        }
    }

    #[test]
    fn ids_at_ray_are_plain_and_never_shared() {
        assert_eq!(submission_id("s1", "trial-0", 2), "s1-trial-0-a2");
        let dotted = submission_id("s1", "a.b", 1);
        assert!(dotted.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{dotted}");
        assert_ne!(dotted, submission_id("s1", "a_b", 1));
        assert_ne!(dotted, submission_id("s1", "a.b", 2));
    }

    fn refusal(spec: JobSpec, spoil: impl Fn(&Files)) -> String {
        let root = tempfile::tempdir().unwrap();
        let files = Files::of(root.path(), &spec.id, 1);
        std::fs::create_dir_all(&files.output).unwrap();
        spoil(&files);
        let record = Record::new(spec, 1, "id".to_owned(), Timestamp::UNIX_EPOCH);
        let settings = RaySettings::new("http://127.0.0.1:8265", "s1", root.path());
        let script = submission(&settings, &record, &files).unwrap().entrypoint;
        let said = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(said.status.code(), Some(REFUSED));
        let said = String::from_utf8(said.stdout).unwrap();
        let reason = said.lines().find_map(|line| line.strip_prefix(REASON)).unwrap();
        reason.replace(&root.path().display().to_string(), "ROOT")
    }

    #[test]
    fn an_entry_point_that_cannot_start_its_program_says_why() {
        let touch = |files: &Files| std::fs::write(files.output.join(CANCEL), "").unwrap();
        assert_eq!(refusal(JobSpec::new("job", "true"), touch), CANCELLED);
        let remove = |files: &Files| std::fs::remove_dir_all(files.output.parent().unwrap()).unwrap();
        insta::assert_snapshot!(refusal(JobSpec::new("job", "true"), remove),
            @"this node cannot write ROOT/job/attempt-1.log: the output root must be one folder here and there");
        let absent = JobSpec::new("job", "/nowhere/it's");
        assert_eq!(refusal(absent, |_| ()), "this node has no program /nowhere/it's");
        let mut nowhere = JobSpec::new("job", "true");
        nowhere.working_folder = Some("/no where".into());
        assert_eq!(refusal(nowhere, |_| ()), "this node has no folder /no where");
    }

    #[test]
    fn what_no_process_can_be_given_is_refused_here() {
        let files = Files::of(Path::new("/out"), "job", 1);
        let refused = |spec: JobSpec| {
            let record = Record::new(spec, 1, "id".to_owned(), Timestamp::UNIX_EPOCH);
            submission(&RaySettings::new("http://127.0.0.1:8265", "s1", "/out"), &record, &files).unwrap_err()
        };
        let job = || JobSpec::new("job", "true");
        assert_eq!(refused(job().args(["\0"])), "arguments and variables cannot hold NUL bytes");
        assert_eq!(refused(job().env("A=B", "c")), "`A=B` is no name of an environment variable");
    }
}
