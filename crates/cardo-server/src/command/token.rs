use crate::auth::new_token;
use crate::cli::TokenArgs;
use crate::command::Failure;
use crate::command::say::say;
use crate::config::{Right, TokenConfig};

pub(super) fn run(args: &TokenArgs) -> Result<(), Failure> {
    let (token, sha256) = new_token();
    let tenants = (!args.tenants.is_empty()).then(|| args.tenants.clone());
    let entry =
        TokenConfig { name: args.name.clone(), sha256, rights: Right::from(args.rights), tenants };
    let entry = toml::to_string(&entry).map_err(Failure::run)?;
    say(format_args!(
        "The token, shown this once; its bearer sends it as `Authorization: Bearer …`:\n\n\
         {token}\n\nFor the configuration file:\n\n[[auth.tokens]]\n{entry}"
    ))
}
