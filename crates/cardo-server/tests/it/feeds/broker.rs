//! A real mosquitto, started and stopped by the test.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::until;

pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl Broker {
    pub(crate) fn start() -> Self {
        Self::start_with("allow_anonymous true\n", |_| ())
    }

    /// The same with settings of its own, which may name files that `prepare` puts into its folder.
    pub(crate) fn start_with(settings: &str, prepare: impl Fn(&Path)) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let place = folder.path().display();
        // Whoever starts it stays who they are, so that it may write into the folder.
        let config = format!(
            "user root\nlistener {port} 127.0.0.1\npersistence true\npersistence_location {place}/\n\
             max_queued_messages 0\n{}",
            settings.replace("{folder}", &place.to_string())
        );
        std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let mut broker = Self { port, folder, process: None };
        broker.run();
        broker
    }

    /// One that is reached over TLS, by the user `cardo` with the password `hush`; `cert.pem` is its own authority.
    pub(crate) fn secured() -> Self {
        let made = |folder: &Path| {
            let run = |program: &str, arguments: &[&str]| {
                let mut command = Command::new(program);
                command
                    .args(arguments)
                    .current_dir(folder)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                assert!(
                    command.status().unwrap_or_else(|_| panic!("{program} is installed")).success()
                );
            };
            let key = [
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ];
            let names = [
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ];
            run(
                "openssl",
                &[&key[..], &names[..], &["-keyout", "key.pem", "-out", "cert.pem"]].concat(),
            );
            run("mosquitto_passwd", &["-c", "-b", "users", "cardo", "hush"]);
        };
        let settings = "certfile {folder}/cert.pem\nkeyfile {folder}/key.pem\nallow_anonymous false\npassword_file {folder}/users\n";
        Self::start_with(settings, made)
    }

    pub(crate) fn folder_path(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Starts it again on the same port with what it has kept.
    pub(crate) fn run(&mut self) {
        let program = ["/usr/sbin/mosquitto", "mosquitto"];
        let config = self.folder.path().join("mosquitto.conf");
        let start = |program: &&str| {
            let mut command = Command::new(program);
            command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().ok()
        };
        let process = program.iter().find_map(start);
        self.process = Some(process.expect("mosquitto is installed: .ci/test does it"));
        let port = self.port;
        until("the broker", || TcpStream::connect(("127.0.0.1", port)).is_ok(), String::new);
    }

    /// Stops it in order, so that it keeps its sessions.
    pub(crate) fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let script = format!("kill -TERM {}", process.id());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
        process.wait().unwrap();
    }

    pub(crate) fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn publisher(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-q", "1", "-p", &self.port.to_string()]);
        command.args(arguments).stdout(Stdio::null());
        command
    }

    /// Publishes; when this returns the broker has it.
    pub(crate) fn publish(&self, topic: &str, payload: &str) {
        let status = self.publisher(&["-t", topic, "-m", payload]).status();
        assert!(status.expect("mosquitto_pub is installed: .ci/test does it").success());
    }

    pub(crate) fn publish_with(&self, arguments: &[&str]) {
        assert!(self.publisher(arguments).status().unwrap().success());
    }

    /// Publishes each line to one topic.
    pub(crate) fn publish_lines(&self, topic: &str, lines: &[String]) {
        let mut publisher =
            self.publisher(&["-t", topic, "-l"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = publisher.stdin.take().unwrap();
        for line in lines {
            writeln!(input, "{line}").unwrap();
        }
        drop(input);
        assert!(publisher.wait().unwrap().success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
