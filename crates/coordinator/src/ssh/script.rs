//! What is said to a node, and what it answers: small POSIX shell scripts, sent by stdin.
//!
//! Every script is one `{ … }`, so a connection that breaks half-way leaves a syntax error and not half a script.
//! An answer counts only between two marks that carry a number made for it, so neither a talkative `.bashrc` nor a
//! cut connection can be taken for one.

use std::{
    fmt::Write as _,
    hash::{BuildHasher, Hasher, RandomState},
};

use crate::{JobSpec, executor::OUTPUT};

use super::journal::Entry;

/// Functions of a round. A state folder holds `job.sh`, then `pid`, perhaps `stop`, and at last `exit`.
const ROUND: &str = include_str!("round.sh");

/// What the node knows of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nobody has begun to start it.
    Absent,
    /// Somebody has begun to start it.
    Claimed,
    /// It works.
    Alive,
    /// It ended with that exit code; `done` tells whether its marker is there.
    Exit { code: i32, done: bool },
    /// It could not be started.
    Refused(String),
    /// It was stopped before it began.
    Never,
    /// Its process is gone without an exit code.
    Gone,
}

/// What a round does with an attempt before it looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Starts it, unless somebody has.
    Start,
    /// Nothing.
    Look,
    /// Asks it to end.
    Terminate,
    /// Ends it.
    Kill,
}

/// Makes a name that nobody else makes.
pub(super) fn token() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// Writes `text` so that a shell reads it as one word.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Tells why the job cannot be put into a script, if so.
pub(super) fn unfit(spec: &JobSpec) -> Option<String> {
    let Some(program) = spec.program.to_str() else {
        return Some("the program's path is not UTF-8".to_owned());
    };
    let folder = spec.working_folder.as_ref().map(|folder| folder.to_str());
    let words = [Some(program), folder.unwrap_or(Some(""))].into_iter().flatten();
    let mut words =
        words.chain(spec.args.iter().map(String::as_str)).chain(spec.env.values().map(String::as_str));
    if words.any(|word| word.contains('\0')) || folder == Some(None) {
        return Some("an argument, variable or folder holds what a shell cannot be given".to_owned());
    }
    if program.is_empty() || program.starts_with('-') {
        return Some(format!("`{program}` is no name of a program"));
    }
    let named = |name: &String| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    spec.env.keys().find(|name| !named(name)).map(|name| format!("`{name}` is no name of a variable"))
}

/// The script that runs on the node as the head of the job's own process group, whoever is connected.
fn job_script(entry: &Entry) -> String {
    let spec = &entry.spec;
    let output = entry.output();
    let program = quote(&spec.program.to_string_lossy());
    let folder = spec.working_folder.as_ref().map_or(entry.folder.clone().into(), |f| f.to_string_lossy());
    let folder = quote(&folder);
    let mut script = format!("{{\nstate={}\n", quote(&entry.state_folder()));
    script.push_str(include_str!("job.sh"));
    let _ = writeln!(script, "cd -- {folder} || refuse \"cannot enter the folder \"{folder}");
    for (name, value) in &spec.env {
        let _ = writeln!(script, "export {name}={}", quote(&value.replace(OUTPUT, &output)));
    }
    if let Some(gpu) = entry.gpu {
        let _ = writeln!(script, "export CUDA_VISIBLE_DEVICES={gpu}");
    }
    let _ = writeln!(script, "command -v {program} >/dev/null || refuse \"no program \"{program}");
    let _ = write!(script, "( exec {program}");
    for argument in &spec.args {
        let _ = write!(script, " {}", quote(&argument.replace(OUTPUT, &output)));
    }
    // A job that was asked to end may leave children that were deaf to it; the group goes as a whole.
    script.push_str(" )\nseal \"code $?\"\n[ ! -e \"$state/stop\" ] || kill -s KILL 0\nexit 0\n}\n");
    script
}

/// One script for all that is wanted of a node now. It speaks only at its end: whoever hung up must not stop it.
pub(super) fn round<'a>(wishes: impl IntoIterator<Item = (&'a Entry, Wish)>) -> String {
    let mut script = ROUND.to_owned();
    for (index, (entry, wish)) in wishes.into_iter().enumerate() {
        let names = format!(
            "{index} {} {} {}",
            quote(&entry.job_folder()),
            quote(&entry.output()),
            quote(&entry.state_folder())
        );
        let _ = match wish {
            Wish::Start => writeln!(script, "start {names} {}", quote(&job_script(entry))),
            Wish::Look => Ok(()),
            Wish::Terminate => writeln!(script, "stop {names} TERM"),
            Wish::Kill => writeln!(script, "stop {names} KILL"),
        };
        let _ = writeln!(script, "look {names}");
    }
    script
}

/// Prints the answer of a [`round`].
pub(super) const ANSWER: &str = "printf '%s' \"$answer\"";

/// Prints the log of an attempt.
pub(super) fn log(entry: &Entry) -> String {
    format!("cat {}", quote(&format!("{}.log", entry.output())))
}

/// Prints a tar archive of an attempt's log and, with `output`, its output folder.
pub(super) fn archive(entry: &Entry, output: bool) -> String {
    let name = format!("attempt-{}", entry.number);
    let folder = if output { name.as_str() } else { "" };
    format!(
        "cd -- {} && {{ [ -e {name}.log ] || : > {name}.log; }} && tar -cf - {name}.log {folder}",
        quote(&entry.job_folder())
    )
}

/// Wraps a script: `work` is done first, then what `speak` prints goes between the marks of `token`.
pub(super) fn framed(work: &str, speak: &str, token: &str) -> String {
    let (begin, end) = (begin_mark(token), end_mark(token));
    format!(
        "{{\nexec 2>/dev/null\n{work}\nprintf '\\n%s\\n' '{}'\n{{ {speak}; }}\nprintf '%s%s\\n' '{end}' \"$?\"\nexit 0\n}}\n",
        begin.trim()
    )
}

/// The line before an answer.
pub(super) fn begin_mark(token: &str) -> String {
    format!("\nbegin-{token}\n")
}

/// What follows an answer; the exit code of what printed it comes next.
fn end_mark(token: &str) -> String {
    format!("end-{token} ")
}

/// Takes the answer out of all that was printed, if it is whole; with the exit code of what printed it.
pub(super) fn unframed<'a>(printed: &'a [u8], token: &str) -> Option<(&'a [u8], i32)> {
    let begin = begin_mark(token);
    let answer = &printed[find(printed, begin.as_bytes())? + begin.len()..];
    let (end, code) = ending(answer, token)?;
    Some((&answer[..end], code))
}

/// Finds where the end mark begins, and the exit code in it.
pub(super) fn ending(bytes: &[u8], token: &str) -> Option<(usize, i32)> {
    let mark = end_mark(token);
    let at = find(bytes, mark.as_bytes())?;
    let code = bytes[at + mark.len()..].split_inclusive(|byte| *byte == b'\n').next()?;
    // Without its line end the number may lack digits.
    let code = std::str::from_utf8(code).ok()?.strip_suffix('\n')?.parse().ok()?;
    Some((at, code))
}

/// Finds where `part` begins.
pub(super) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Reads the answer of a round: what is known of each of `count` attempts.
pub(super) fn seen(answer: &[u8], count: usize) -> Option<Vec<Seen>> {
    let text = String::from_utf8_lossy(answer);
    let mut seen: Vec<Option<Seen>> = vec![None; count];
    for line in text.lines() {
        let (index, words) = line.split_once(' ')?;
        let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
        let what = match word {
            "absent" => Seen::Absent,
            "claimed" => Seen::Claimed,
            "alive" => Seen::Alive,
            "gone" => Seen::Gone,
            "never" => Seen::Never,
            "refused" => Seen::Refused(rest.to_owned()),
            "done" | "bare" => Seen::Exit { code: rest.parse().ok()?, done: word == "done" },
            _ => return None,
        };
        // The first word on an attempt counts: a start that failed is followed by a look.
        seen.get_mut(index.parse::<usize>().ok()?)?.get_or_insert(what);
    }
    seen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_counts() {
        let printed = b"welcome!\n\nbegin-7\n0 alive\nend-7 0\n";
        assert_eq!(unframed(printed, "7"), Some((b"0 alive\n".as_slice(), 0)));
        assert_eq!(unframed(b"\nbegin-7\nend-7 127\n", "7"), Some((b"".as_slice(), 127)));
        assert_eq!(unframed(b"\nbegin-7\n1 alive\nend-7 0\nbye!\n", "7"), Some((b"1 alive\n".as_slice(), 0)));
        assert_eq!(unframed(&printed[..printed.len() - 1], "7"), None);
        assert_eq!(unframed(b"\nbegin-7\n0 alive\nend-8 0\n", "7"), None);
    }

    #[test]
    fn an_answer_names_every_attempt() {
        let answer = b"1 done 0\n0 refused no disk\n0 absent\n";
        let known = vec![Seen::Refused("no disk".into()), Seen::Exit { code: 0, done: true }];
        assert_eq!(seen(answer, 2), Some(known));
        assert_eq!(seen(answer, 3), None);
        assert_eq!(seen(b"0 dozing\n", 1), None);
    }

    #[test]
    fn what_no_shell_can_be_given_is_told() {
        let job = || JobSpec::new("job", "sh");
        assert_eq!(unfit(&job().args(["it's $HOME\n"]).env("A_1", "x y")), None);
        assert!(unfit(&job().args(["\0"])).is_some());
        assert!(unfit(&job().env("A-1", "x")).is_some());
        assert!(unfit(&JobSpec::new("job", "-c")).is_some());
    }
}
