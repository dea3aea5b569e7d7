//! What a command says to its user.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};

use crate::command::Failure;

/// Writes to standard output. A reader that has heard enough and went away, such as `head`, is
/// no failure; a full disk is one.
pub(crate) fn say(text: Arguments<'_>) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::run(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The same for a server, which goes on whether somebody reads or not.
pub(crate) fn mention(text: Arguments<'_>) {
    let _ = say(text);
}

/// Says on standard error why a command failed, where somebody reads it.
pub(super) fn complain(text: Arguments<'_>) {
    let _ = writeln!(stderr().lock(), "cardo: {text}");
}
