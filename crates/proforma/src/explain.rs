//! `proforma explain`: the arithmetic of an amount, down to a row of a cost file. For the operator: it shows AWS cost.

mod arithmetic;
mod line;
mod product;

use crate::cli::ExplainArguments;
use crate::failure::Failure;
use crate::run_folder;

/// Explains a product of a billing group, or a line.
pub fn explain(arguments: &ExplainArguments) -> Result<(), Failure> {
    let run = run_folder::open(&arguments.run)?;
    match (&arguments.line, &arguments.group, &arguments.product) {
        (Some(id), ..) => line::explain(arguments, &run, id),
        (None, Some(group), Some(product)) => product::explain(arguments, &run, group, product),
        _ => Err(Failure::input("nothing to explain").hint("give --group and --product, or --line")),
    }
}
