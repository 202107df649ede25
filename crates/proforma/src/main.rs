//! The program: all of it is in the library beside, which tests can call too.

use std::process::ExitCode;

fn main() -> ExitCode {
    proforma::program()
}
