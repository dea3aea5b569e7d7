//! Makes the folders `helsinki` and `cql2` of `fixtures` from public data.
//!
//! ```text
//! cargo run -p cardo-testkit --bin make-fixtures -- --samples DIR --out fixtures
//! ```

use std::{path::PathBuf, process::ExitCode};

use cardo_testkit::fixtures::{self, Fixture};

const USAGE: &str = "usage: make-fixtures --samples DIR --out DIR";

fn main() -> ExitCode {
    let Some((samples, out)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let write = |folder: &str, made: Vec<Fixture>| {
        for fixture in &made {
            fixture.write(&out.join(folder))?;
            println!("{:>9} bytes  {folder}/{}", fixture.bytes.len(), fixture.name);
        }
        Ok(())
    };
    let made = fixtures::make(&samples)
        .and_then(|made| write("helsinki", made))
        .and_then(|()| fixtures::make_cql2(&samples))
        .and_then(|made| write("cql2", made));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Option<(PathBuf, PathBuf)> {
    let (mut samples, mut out) = (None, None);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(flag) = arguments.next() {
        let value = Some(PathBuf::from(arguments.next()?));
        match flag.to_str()? {
            "--samples" => samples = value,
            "--out" => out = value,
            _ => return None,
        }
    }
    Some((samples?, out?))
}
