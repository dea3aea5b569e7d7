//! Builds the page with npm and Vite and writes a table of its files for `include_bytes!`.
//!
//! It needs Node.js of 20.19 or later with npm. `npm ci` runs when the lock file is newer than what
//! was installed; the page itself lands in `OUT_DIR`, so nothing but `web/node_modules` is written
//! beside the sources.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

use sha2::{Digest, Sha256};

/// What the page is made of; a change of anything else does not build it anew.
const SOURCES: [&str; 7] = [
    "src",
    "build",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
];

/// The oldest Node.js that Vite runs on.
const NODE: (u32, u32) = (20, 19);

fn main() {
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("web");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo:rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo:rerun-if-changed=web/{source}");
    }
    check_node();
    install(&web);
    let dist = out.join("dist");
    run(npm(&web).args(["run", "--silent", "build", "--", "--outDir"]).arg(&dist));
    let table = table(&dist);
    fs::write(out.join("files.rs"), table).unwrap_or_else(|error| fail(&format!("{error}")));
}

fn check_node() {
    let found = Command::new("node").arg("--version").output();
    let said = found.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let version = said.unwrap_or_default();
    let mut numbers =
        version.trim_start_matches('v').split('.').map_while(|part| part.parse().ok());
    let is_enough = match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= NODE,
        _ => false,
    };
    if is_enough {
        return;
    }
    let found = if version.is_empty() { "none was found" } else { &version };
    fail(&format!(
        "the console is built with Node.js {}.{} or later, and {found}.\n\
         On Debian 13 and Ubuntu 25.04: apt install nodejs npm\n\
         Elsewhere: https://nodejs.org/en/download",
        NODE.0, NODE.1
    ));
}

/// Installs the packages of the lock file where that was not done since it changed.
fn install(web: &Path) {
    let time = |path: PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let lock = time(web.join("package-lock.json"));
    let installed = time(web.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < lock {
        run(npm(web).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]));
    }
}

fn npm(web: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(web);
    npm
}

fn run(command: &mut Command) {
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => fail(&format!(
            "{command:?} failed\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => fail(&format!("{command:?} cannot be run: {error} (npm comes with Node.js)")),
    }
}

fn fail(message: &str) -> ! {
    eprintln!("cardo-console: {message}");
    exit(1);
}

/// The files as Rust: name, tag, bytes as they are, and bytes by coding where that is smaller.
fn table(dist: &Path) -> String {
    let mut names = Vec::new();
    walk(dist, dist, &mut names);
    names.sort();
    let mut table = String::from("const FILES: &[File] = &[\n");
    for name in names.iter().filter(|name| !is_coded(name)) {
        let path = dist.join(name);
        let bytes = fs::read(&path).unwrap_or_else(|error| fail(&format!("{name}: {error}")));
        let digest = Sha256::digest(&bytes);
        let tag = digest[..12].iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let coded = |extension: &str| {
            let coded = names.contains(&format!("{name}.{extension}"));
            let path = dist.join(format!("{name}.{extension}"));
            if coded { format!("Some({})", include(&path)) } else { "None".to_owned() }
        };
        let (plain, br, gz) = (include(&path), coded("br"), coded("gz"));
        let _ = writeln!(
            table,
            "    File {{ name: {name:?}, tag: {tag:?}, plain: {plain}, br: {br}, gz: {gz} }},"
        );
    }
    table.push_str("];\n");
    table
}

/// The bytes of a file, as Rust.
fn include(path: &Path) -> String {
    format!("include_bytes!({:?})", path.to_string_lossy())
}

fn is_coded(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "br" || extension == "gz")
}

fn walk(root: &Path, folder: &Path, names: &mut Vec<String>) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| fail(&format!("{}: {error}", folder.display())));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(root, &path, names);
        } else if let Ok(name) = path.strip_prefix(root) {
            names.push(name.to_string_lossy().replace('\\', "/"));
        }
    }
}
