//! What each command does.

mod config;
mod conform;
mod context;
mod demo;
mod ingest;
mod say;
mod serve;
mod token;
mod try_out;

use std::fmt::Display;
use std::process::ExitCode;

pub(crate) use say::mention;

use crate::cli::{Cli, Command};

/// Wrong settings or arguments.
const USAGE: u8 = 2;

/// A command that did not do what it was asked: what to say and how to exit.
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The settings or arguments are wrong.
    pub(crate) fn usage(error: impl Display) -> Self {
        Self { message: error.to_string(), code: USAGE }
    }

    /// It went wrong under way.
    pub(crate) fn run(error: impl Display) -> Self {
        Self { message: error.to_string(), code: 1 }
    }
}

/// Runs a command to its end.
pub fn execute(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Ingest(args) => ingest::run(&args),
        Command::Context(command) => context::run(&command),
        Command::Config(args) => config::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Conform(args) => conform::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::complain(format_args!("{}", failure.message));
            ExitCode::from(failure.code)
        }
    }
}
