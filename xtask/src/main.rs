//! Chores of the repository: `cargo run -p xtask -- SUBCOMMAND`. The rules of the house are the tests of `tidy`.

use std::process::ExitCode;

mod bench_invoices;
mod bench_matching;
mod client_models;
mod demo_month;
mod models;
mod price_classes;
mod serve_load;
#[cfg(test)]
mod tidy;

/// What a subcommand does with the arguments after its name.
type Action = fn(&[String]) -> Result<(), String>;

/// Every subcommand with what it does.
const SUBCOMMANDS: &[(&str, &str, Action)] = &[
    (
        "bench-invoices",
        ": times issuing and rendering 300 invoices of 60 lines, made ones",
        bench_invoices::run,
    ),
    (
        "bench-matching",
        ": times finding the purchase orders of 10,000 invoices, made ones",
        bench_matching::run,
    ),
    (
        "client-models",
        "[--check]: writes clients/botocore from the server's own models, or says whether it is up to date",
        client_models::run,
    ),
    ("demo-month", "[--check]: writes fixtures/demo/cost, or says whether it is up to date", demo_month::run),
    (
        "models",
        "BOTOCORE_DATA [--check]: writes crates/aws-api/models from botocore's, or says whether they are up to date",
        models::run,
    ),
    ("price-classes", "[CLASSES [RULES]]: times pricing alone, on a made cube", price_classes::run),
    (
        "serve-load",
        "HOST:PORT CONNECTIONS SECONDS|COUNTx LABEL METHOD PATH [BODY]: asks a server, and says how fast it answers",
        serve_load::run,
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = arguments.first().map(String::as_str);
    let Some((.., action)) = SUBCOMMANDS.iter().find(|(name, ..)| Some(*name) == asked) else {
        eprint!("{}", usage(asked));
        return ExitCode::from(2);
    };
    match action(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(asked: Option<&str>) -> String {
    let mut text = asked.map_or_else(String::new, |name| format!("xtask: no subcommand `{name}`\n\n"));
    text.push_str("usage: cargo run -p xtask -- SUBCOMMAND\n");
    for (name, purpose, _) in SUBCOMMANDS {
        text.push_str(&format!("  {name:<16} {purpose}\n"));
    }
    text.push_str("\nThe rules of this repository are tests: cargo test -p xtask\n");
    text
}
