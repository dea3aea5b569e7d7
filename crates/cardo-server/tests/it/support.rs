//! Starts the real binary and talks to it as a client would.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a server may take to say where it listens, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command of `cardo` with an environment of its own.
pub(crate) fn cardo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardo"));
    clean_environment(&mut command);
    command.args(args);
    command
}

/// Takes away settings of the shell that runs the tests.
pub(crate) fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARDO_") {
            command.env_remove(name);
        }
    }
}

/// Runs a command to its end.
pub(crate) fn output(mut command: Command) -> Output {
    command.stdin(Stdio::null()).output().expect("cardo starts")
}

/// What a process said on standard error.
pub(crate) fn error_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server that runs; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Host and port.
    pub(crate) address: String,
}

impl Server {
    /// Serves a data directory on a free port of loopback.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(data: &Path, args: &[&str]) -> Self {
        let mut command = cardo(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
        command.arg("--data").arg(data).args(args);
        Self::spawn(command)
    }

    /// Starts a command that serves, and waits until it says where.
    pub(crate) fn spawn(command: Command) -> Self {
        Self::spawn_with_log(command, Stdio::inherit())
    }

    /// The same with a place for its log.
    pub(crate) fn spawn_with_log(mut command: Command, log: Stdio) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("cardo starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut server = Self { child, stdout, address: String::new() };
        let line = server.line_with("listens on http");
        let (_, address) = line.split_once("://").expect("a URL follows");
        address.trim().clone_into(&mut server.address);
        server
    }

    /// Waits for a line of its output that holds a text.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.stdout.read_line(&mut line).expect("its output can be read");
            assert!(read > 0, "cardo ended before it said {text:?}: {:?}", self.child.wait());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(&self.address)
    }

    /// One request over a connection of its own.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        self.connect().send(method, path, &[], body).expect("the server answers")
    }

    /// The JSON document at a path.
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Creates an entity of type `Sample` with these attributes.
    pub(crate) fn create(&self, id: &str, attributes: &str) {
        let answer = self.send("POST", ENTITIES, Some(&entity(id, attributes)));
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Ends it without warning.
    pub(crate) fn kill_now(&self) {
        self.signal("KILL");
    }

    /// Ends it without warning and waits until it is gone.
    pub(crate) fn end_now(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// Sends SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        self.signal("TERM");
    }

    /// Every shell has `kill`; not every system has it as a program.
    fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &script]).status();
        assert!(status.expect("a shell runs").success());
    }

    /// Asks it to stop, waits, and checks that it ended well; what it said meanwhile.
    pub(crate) fn stop(mut self) -> String {
        self.ask_to_stop();
        self.wait()
    }

    /// Waits for its end and checks that it was a good one.
    pub(crate) fn wait(&mut self) -> String {
        let status = self.wait_for_end();
        assert!(status.success(), "cardo ended with {status}");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("its output can be read");
        rest
    }

    /// Waits for its end and tells which it was.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "cardo does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const ENTITIES: &str = "/ngsi-ld/v1/entities";

/// An entity of type `Sample`; `attributes` are members such as `"a": 1`, concise.
pub(crate) fn entity(id: &str, attributes: &str) -> String {
    format!("{{\"id\": \"{id}\", \"type\": \"Sample\", {attributes}}}")
}

/// Where an entity is.
pub(crate) fn path_of(id: &str) -> String {
    format!("{ENTITIES}/{id}")
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time is set");
        stream.set_nodelay(true).expect("an option is set");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// One request and its answer; an error where the connection breaks before the answer is whole.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> std::io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
        if let Some(body) = body {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                head.push_str("Content-Type: application/json\r\n");
            }
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        self.write((head + body.unwrap_or("")).as_bytes())?;
        self.read()
    }

    /// Reads the next answer.
    pub(crate) fn read(&mut self) -> std::io::Result<Answer> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{status_line:?} is no status line"));
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if let Some(length) = answer.header("content-length") {
            answer.body.resize(length.parse().expect("a length"), 0);
            self.stream.read_exact(&mut answer.body)?;
        } else if answer.header("transfer-encoding").is_some() {
            self.read_chunks(&mut answer.body)?;
        }
        Ok(answer)
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> std::io::Result<()> {
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).expect("the length of a chunk");
            let start = body.len();
            body.resize(start + length, 0);
            self.stream.read_exact(&mut body[start..])?;
            self.line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}
