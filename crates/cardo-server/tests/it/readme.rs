//! The commands of README.md run as they stand, in their order, and print what it says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use crate::support::{Server, cardo, clean_environment, error_text};

/// What stands above a block that the test leaves out, with the reason.
const LEFT_OUT: &str = "<!-- not run: ";

/// How long a block may take, in seconds.
const PATIENCE: &str = "120";

/// A fenced block.
struct Block {
    language: String,
    text: String,
    /// The line of the page that it begins at.
    line: usize,
    is_left_out: bool,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    let mut above = "";
    while let Some((line, begin)) = lines.next() {
        if let Some(language) = begin.strip_prefix("```") {
            let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            blocks.push(Block {
                language: language.to_owned(),
                text: text.flat_map(|line| [line, "\n"]).collect(),
                line: line + 1,
                is_left_out: above.starts_with(LEFT_OUT),
            });
        }
        above = begin;
    }
    blocks
}

/// The servers that the page has started, each with the address that the page knows it by.
#[derive(Default)]
struct Servers(Vec<(String, Server)>);

impl Servers {
    /// Starts what a block starts, if it is a server, on a free port.
    fn start(&mut self, block: &Block, folder: &Path) -> bool {
        let words: Vec<&str> = block.text.split_whitespace().collect();
        let ["cardo", command @ ("demo" | "serve"), arguments @ ..] = words.as_slice() else {
            return false;
        };
        let at = arguments.iter().position(|word| *word == "--listen");
        let known = at.map_or("127.0.0.1:8787", |at| arguments[at + 1]);
        let kept = arguments
            .iter()
            .enumerate()
            .filter(|(place, _)| at.is_none_or(|at| *place != at && *place != at + 1));
        let mut process = cardo(&[command, "--listen", "127.0.0.1:0", "--log-level", "warn"]);
        process.args(kept.map(|(_, word)| word)).current_dir(folder);
        let mut server = Server::spawn(process);
        if *command == "demo" {
            server.line_with("Ready after");
        }
        self.0.push((known.to_owned(), server));
        true
    }

    /// A text of the page with the addresses that the servers have here.
    fn addressed(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (known, server)| text.replace(known, &server.address))
    }
}

/// Runs a block of commands; what it printed.
fn run(block: &Block, script: &str, folder: &Path) -> String {
    let mut command = Command::new("timeout");
    clean_environment(&mut command);
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    let path = std::env::var("PATH").expect("there is a path");
    command.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    command.args([PATIENCE, "sh", "-eu", "-c", script]).current_dir(folder);
    let output = command.output().expect("a shell starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let place = format!("README.md, line {}", block.line);
    assert!(output.status.success(), "{place}:\n{script}\n{said}\n{}", error_text(&output));
    said
}

/// Whether each line stands in what was printed, in this order; `…` is anything within a line.
fn check(expected: &Block, said: &str) {
    let mut rest = said;
    for line in expected.text.lines() {
        for piece in line.split('…') {
            let place = format!("README.md, line {}", expected.line);
            let Some(at) = rest.find(piece) else {
                panic!("{place}: {line:?} is not in what was printed, or not there:\n{said}");
            };
            rest = &rest[at + piece.len()..];
        }
    }
}

fn is_missing(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    assert!(
        is_there || std::env::var_os("CI").is_none(),
        "{program} is missing; .ci/test installs it"
    );
    if !is_there {
        eprintln!("not shown: {program} is missing");
    }
    !is_there
}

#[test]
fn the_commands_of_the_readme_run_in_their_order_and_print_what_it_says() {
    if ["curl", "node", "ogr2ogr", "timeout"].into_iter().any(is_missing) {
        return;
    }
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let folder = tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_cardo"), folder.join("bin/cardo")).unwrap();
    let mut servers = Servers::default();
    let mut said = String::new();
    let mut shown = 0;
    for block in blocks(&page).iter().filter(|block| !block.is_left_out) {
        match block.language.as_str() {
            "sh" if servers.start(block, folder) => said.clear(),
            "sh" => said = run(block, &servers.addressed(&block.text), folder),
            "text" => {
                check(block, &said);
                shown += 1;
            }
            other => panic!("README.md, line {}: a block of {other:?}", block.line),
        }
    }
    assert!(shown >= 8 && servers.0.len() == 2, "{shown} answers, {} servers", servers.0.len());
}
