//! Makes the files of `fixtures/helsinki` from public data.
//!
//! ```text
//! cargo run -p cardo-testkit --bin make-fixtures -- --samples DIR --out fixtures/helsinki
//! ```

use std::{path::PathBuf, process::ExitCode};

use cardo_testkit::fixtures;

const USAGE: &str = "usage: make-fixtures --samples DIR --out DIR";

fn main() -> ExitCode {
    let Some((samples, out)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let made = fixtures::make(&samples).and_then(|made| {
        for fixture in &made {
            fixture.write(&out)?;
            println!("{:>9} bytes  {}", fixture.bytes.len(), fixture.name);
        }
        Ok(())
    });
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
