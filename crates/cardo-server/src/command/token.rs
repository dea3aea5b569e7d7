use crate::auth::new_token;
use crate::cli::TokenArgs;
use crate::command::Failure;
use crate::config::{Right, TokenConfig};

pub(super) fn run(args: &TokenArgs) -> Result<(), Failure> {
    let (token, sha256) = new_token();
    let tenants = (!args.tenants.is_empty()).then(|| args.tenants.clone());
    let entry =
        TokenConfig { name: args.name.clone(), sha256, rights: Right::from(args.rights), tenants };
    let entry = toml::to_string(&entry).map_err(Failure::run)?;
    println!("The token, shown this once; its bearer sends it as `Authorization: Bearer …`:\n");
    println!("{token}\n");
    println!("For the configuration file:\n");
    print!("[[auth.tokens]]\n{entry}");
    Ok(())
}
