//! Real ssh servers on loopback addresses, one per node, as any user.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use coordinator::Node;
use rustix::process::{Pid, Signal, kill_process};

const SSHD: &str = "/usr/sbin/sshd";

/// A few servers with one host key and one key that is let in.
pub(crate) struct Fleet {
    folder: tempfile::TempDir,
    pub(crate) servers: Vec<Server>,
}

pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) config: PathBuf,
    process: Option<Child>,
}

impl Fleet {
    /// Starts so many servers; none, with a visible line, where there is no sshd.
    ///
    /// With `EDGE_TEST_ALL=1` its absence is a failure.
    #[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
    #[expect(clippy::print_stderr, reason = "a skip must be seen")]
    pub(crate) fn start(count: u8) -> Option<Self> {
        if !Path::new(SSHD).exists() {
            let all = std::env::var("EDGE_TEST_ALL").is_ok_and(|value| value == "1");
            assert!(!all, "no {SSHD}: install openssh-server");
            eprintln!("skipped: no {SSHD} (install openssh-server); EDGE_TEST_ALL=1 makes this a failure");
            return None;
        }
        // Only needed, and only possible, as root.
        let _ = fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        for key in ["host_key", "id_key", "other_key"] {
            make_key(&folder.path().join(key));
        }
        fs::copy(folder.path().join("id_key.pub"), folder.path().join("authorized_keys")).unwrap();
        let mut fleet = Self { folder, servers: Vec::new() };
        for number in 0..count {
            let server = fleet.server(&format!("127.0.0.{}", number + 2));
            fleet.servers.push(server);
        }
        let known = |key: &str| -> String {
            let key = fs::read_to_string(fleet.path(&format!("{key}.pub"))).unwrap();
            let line = |server: &Server| format!("[{}]:{} {key}", server.address, server.port);
            fleet.servers.iter().map(line).collect()
        };
        fs::write(fleet.path("known_hosts"), known("host_key")).unwrap();
        fs::write(fleet.path("wrong_hosts"), known("other_key")).unwrap();
        fleet.servers.iter_mut().for_each(Server::start);
        Some(fleet)
    }

    fn server(&self, address: &str) -> Server {
        let port = TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port();
        let at = self.folder.path().display();
        let config = self.path(&format!("{address}.conf"));
        // The level of the shell keeps bash from reading the user's .bashrc, which may take long.
        let text = format!(
            "Port {port}\nListenAddress {address}\nHostKey {at}/host_key\nPidFile {at}/{address}.pid\n\
             AuthorizedKeysFile {at}/authorized_keys\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nSetEnv SHLVL=3\n"
        );
        // Newer servers shut out who is cut off often; older ones do not know the word.
        fs::write(&config, format!("{text}PerSourcePenalties no\n")).unwrap();
        let mut check = Command::new(SSHD);
        check.arg("-t").arg("-f").arg(&config).stderr(Stdio::null());
        if !check.status().unwrap().success() {
            fs::write(&config, text).unwrap();
        }
        fs::create_dir(self.path(address)).unwrap();
        Server { address: address.to_owned(), port, config, process: None }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The node that a server is; its work folder has the name of its address, and a space in it.
    pub(crate) fn node(&self, server: usize) -> Node {
        let server = &self.servers[server];
        let folder = self.path(&server.address).join("work folder");
        fs::create_dir_all(&folder).unwrap();
        Node::new(&server.address, folder.display().to_string())
            .port(server.port)
            .identity_file(self.path("id_key"))
            .known_hosts_file(self.path("known_hosts"))
    }

    pub(crate) fn nodes(&self) -> Vec<Node> {
        (0..self.servers.len()).map(|server| self.node(server)).collect()
    }
}

impl Server {
    pub(crate) fn start(&mut self) {
        let mut command = Command::new(SSHD);
        command.arg("-D").arg("-f").arg(&self.config).stdin(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        let began = Instant::now();
        while TcpStream::connect((self.address.as_str(), self.port)).is_err() {
            assert!(began.elapsed() < Duration::from_mins(1), "sshd does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the server and all its connections.
    pub(crate) fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let connections = children(process.id());
        process.kill().unwrap();
        process.wait().unwrap();
        connections.into_iter().for_each(kill);
    }

    /// Cuts all its connections; returns how many there were.
    pub(crate) fn cut(&self) -> usize {
        let connections = self.process.as_ref().map(|process| children(process.id())).unwrap_or_default();
        connections.iter().copied().for_each(kill);
        connections.len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(made.unwrap().success());
}

fn kill(process: Pid) {
    // It may have ended by itself.
    let _ = kill_process(process, Signal::KILL);
}

fn children(parent: u32) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.ok()?;
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name in parentheses: state, parent.
        let of: u32 = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        (of == parent).then(|| Pid::from_raw(id)).flatten()
    });
    processes.collect()
}
