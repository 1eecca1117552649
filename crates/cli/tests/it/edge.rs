//! A folder of its own per test, the binary, and what it answered.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// Settings that make a night short: one small network, few games' worth of epochs.
pub(crate) const SMALL: &str = "[model]\nhidden = 8\nheads = 2\nlayers = 1\nfan_out = 4\nensemble = 1\nepochs = 1\n\
                                [sweep]\ntrials = 1\nepochs = 1\n";

pub(crate) struct Edge {
    folder: TempDir,
}

/// Exit code and both streams.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Answer {
    /// Asserts a clean end and returns what was printed.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Asserts one line on stderr that names `thing`, and the exit code.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, things: &[&str]) {
        let last = self.stderr.lines().last().unwrap_or_default();
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        assert!(last.starts_with("edge: "), "{}", self.stderr);
        for thing in things {
            assert!(last.contains(thing), "`{thing}` is not named in: {last}");
        }
    }
}

impl Edge {
    /// A folder with this edge.toml.
    pub(crate) fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("edge.toml"), settings).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The command, run in the folder, with nothing of this process's environment that could change an answer.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edge"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in [
            "SMTP_URL",
            "SMTP_FROM",
            "SMTP_TO",
            "PREDICT_URL",
            "MODEL_URI",
            "EDGE_SERVE_TOKEN",
            "EDGE_CONFIG",
        ] {
            command.env_remove(name);
        }
        command.env("COLUMNS", "80");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        self.command(arguments).output().unwrap().into()
    }

    /// Every file of the store but the runs, by path.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let root = self.path("edge-store");
        let mut files = BTreeMap::new();
        collect(&root, &root, &mut files);
        files.retain(|path, _| !path.starts_with("runs/"));
        files
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// The folder of real lines and results; none, with a visible line, on a machine without it.
///
/// With `EDGE_TEST_ALL=1` its absence is a failure.
#[expect(clippy::disallowed_methods, reason = "tests read their own switches")]
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
pub(crate) fn shared_data(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var("EDGE_SHARED_DATA").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder.canonicalize().unwrap());
    }
    assert!(
        std::env::var("EDGE_TEST_ALL").map_or(true, |all| all != "1"),
        "no real data at {}: set EDGE_SHARED_DATA",
        folder.display()
    );
    eprintln!("skipped: {test} needs real lines and results, set EDGE_SHARED_DATA to their folder");
    None
}
