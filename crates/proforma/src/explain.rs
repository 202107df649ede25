//! `proforma explain`: the arithmetic of an amount, down to a row of a cost file. For the operator: it shows AWS cost.

mod arithmetic;
mod line;
mod product;

use crate::cli::{ExplainArguments, TextFormat};
use crate::failure::Failure;
use crate::guard;
use crate::pricing::Rated;
use crate::run_folder::{self, RunFolder};
use crate::terminal::{print, to_json};
use billing::margin_guard::findings;

/// Explains a product of a billing group, or a line.
pub fn explain(arguments: &ExplainArguments) -> Result<(), Failure> {
    let mut run = run_folder::open(&arguments.run)?;
    if arguments.guard {
        return tell_guard(arguments, run);
    }
    match (&arguments.line, &arguments.group, &arguments.product) {
        (Some(id), ..) => line::explain(arguments, &mut run, id),
        (None, Some(group), Some(product)) => product::explain(arguments, &mut run, group, product),
        _ => Err(Failure::input("nothing to explain").hint("give --group and --product, --line, or --guard")),
    }
}

/// What the margin guard finds in a run.
fn tell_guard(arguments: &ExplainArguments, mut run: RunFolder) -> Result<(), Failure> {
    let Rated { card, charges, derived } = run.rate()?;
    let findings = findings(&run.cube, &run.book, &card, &charges, &derived)?;
    match arguments.output {
        TextFormat::Json => print(&to_json(&guard::content(&run.book, &findings))?)?,
        TextFormat::Text => print(&guard::text(&run.book, &findings))?,
    }
    Ok(())
}
