use crate::cli::ServeArgs;
use crate::command::Failure;
use crate::config::show;

pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let effective = args.settings().resolve().map_err(Failure::usage)?;
    print!("{}", show(&effective));
    Ok(())
}
