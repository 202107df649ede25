//! Chores of the repository: `cargo run -p xtask -- SUBCOMMAND`. The rules of the house are the tests of `tidy`.

use std::process::ExitCode;

#[cfg(test)]
mod tidy;

/// Every subcommand with what it does.
const SUBCOMMANDS: &[(&str, &str)] = &[];

fn main() -> ExitCode {
    let asked = std::env::args().nth(1);
    eprint!("{}", usage(asked.as_deref()));
    ExitCode::from(2)
}

fn usage(asked: Option<&str>) -> String {
    let mut text = asked.map_or_else(String::new, |name| format!("xtask: no subcommand `{name}`\n\n"));
    text.push_str("usage: cargo run -p xtask -- SUBCOMMAND\n");
    for (name, purpose) in SUBCOMMANDS {
        text.push_str(&format!("  {name:<16} {purpose}\n"));
    }
    text.push_str("\nThe rules of this repository are tests: cargo test -p xtask\n");
    text
}
