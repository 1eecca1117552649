//! A real SMTP server on loopback, and the mails that it took.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

const SERVER: &str = include_str!("mailbox.py");

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// In the clear and without a login, as on loopback.
    Plain,
    /// TLS after a greeting, then the login.
    StartTls,
    /// TLS from the first byte, then the login.
    Tls,
}

/// A running server; it ends with this value.
pub(crate) struct Mailbox {
    child: Child,
    orders: Option<ChildStdin>,
    /// What the server says, read at once so that it never waits to be heard.
    said: Receiver<Value>,
    /// What was said while something else was waited for.
    mails: Vec<Value>,
    security: Security,
    port: u64,
    folder: TempDir,
}

pub(crate) const USER: &str = "edge";
pub(crate) const PASSWORD: &str = "pa55 word";

impl Mailbox {
    /// Starts a server; none, with a visible line, where python3 has no aiosmtpd.
    pub(crate) fn open(security: Security) -> Option<Self> {
        if !has_aiosmtpd() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = certificate(&folder);
        let mode = match security {
            Security::Plain => "plain",
            Security::StartTls => "starttls",
            Security::Tls => "smtps",
        };
        let mut child = Command::new("python3")
            .args(["-c", SERVER, mode])
            .args([certificate, key])
            .args([USER, PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            lines.map_while(Result::ok).try_for_each(|line| say.send(serde_json::from_str(&line).unwrap()))
        });
        let mut mailbox = Self { child, orders, said, mails: Vec::new(), security, port: 0, folder };
        mailbox.port = mailbox.hear()["port"].as_u64().unwrap();
        Some(mailbox)
    }

    /// The address with this login; a server in the clear wants none.
    pub(crate) fn url(&self, user: &str, password: &str) -> String {
        let login = format!("{user}:{}", password.replace(' ', "%20"));
        match self.security {
            Security::Plain => format!("smtp://127.0.0.1:{}", self.port),
            Security::StartTls => format!("smtp://{login}@127.0.0.1:{}?tls=required", self.port),
            Security::Tls => format!("smtps://{login}@127.0.0.1:{}", self.port),
        }
    }

    /// The file with the authority that vouches for the server.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Makes the server wait at its next `step`.
    pub(crate) fn hold(&mut self, step: &str) {
        self.order(&format!("hold {step}"));
        while self.hear().get("holds").is_none() {}
    }

    /// Blocks until the server waits at the step.
    pub(crate) fn wait_until_held(&mut self) {
        while self.hear().get("at").is_none() {}
    }

    /// Lets the server go on.
    pub(crate) fn go_on(&mut self) {
        self.order("go");
    }

    /// Ends the server and returns every mail that it took.
    pub(crate) fn close(mut self) -> Vec<Value> {
        drop(self.orders.take());
        let rest: Vec<Value> = self.said.iter().collect();
        let all = std::mem::take(&mut self.mails).into_iter().chain(rest);
        all.filter(|line| line.get("structure").is_some()).collect()
    }

    fn order(&mut self, text: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{text}").unwrap();
    }

    fn hear(&mut self) -> Value {
        let said = self.said.recv_timeout(Duration::from_mins(2)).unwrap();
        self.mails.push(said.clone());
        said
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn has_aiosmtpd() -> bool {
    let has = Command::new("python3").args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
    if has.is_ok_and(|status| status.success()) {
        return true;
    }
    #[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
    let all = std::env::var("EDGE_TEST_ALL").is_ok_and(|value| value == "1");
    assert!(!all, "python3 has no aiosmtpd: pip install aiosmtpd");
    eprintln!(
        "skipped: python3 has no aiosmtpd (pip install aiosmtpd); EDGE_TEST_ALL=1 makes this a failure"
    );
    false
}

/// Writes an authority, and a certificate for the loopback address that it vouches for, with its key.
fn certificate(folder: &TempDir) -> (PathBuf, PathBuf) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&key, &authority).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write("authority.pem", authority.pem());
    (write("server.pem", server.pem()), write("server.key", key.serialize_pem()))
}
