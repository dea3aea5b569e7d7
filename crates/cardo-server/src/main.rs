//! The `cardo` command.

fn main() {}
