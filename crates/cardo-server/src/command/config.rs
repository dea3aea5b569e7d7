use crate::cli::ServeArgs;
use crate::command::Failure;
use crate::command::say::say;
use crate::config::show;

pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let effective = args.settings().resolve().map_err(Failure::usage)?;
    say(format_args!("{}", show(&effective)))
}
