//! `proforma invoice render`: an invoice's data becomes a document.

use super::design::read;
use crate::cli::documents::RenderArguments;
use crate::failure::Failure;
use anyhow::Context as _;
use billing::invoice::check::problems;
use std::io::Write as _;

/// Renders into the file, or to standard output.
///
/// # Errors
/// Data that are no invoice, a design that cannot be used, a document that cannot be made of them; a file that cannot be read or written.
pub fn render(arguments: &RenderArguments) -> Result<(), Failure> {
    let shown = arguments.data.display();
    let json = std::fs::read(&arguments.data).with_context(|| format!("reading `{shown}`"))?;
    let invoice = invoice_file::document::read(&json)
        .map_err(|error| Failure::input(error.to_string()).about(&shown.to_string()))?;
    let problems = problems(&invoice);
    if !problems.is_empty() {
        let problems = problems.iter().map(ToString::to_string).collect();
        return Err(Failure::inputs(problems).about(&shown.to_string()));
    }
    let design =
        arguments.design.as_deref().map(read).transpose().map_err(Failure::input)?.unwrap_or_default();
    let document = documents::render(&invoice, &design, arguments.format)
        .map_err(|error| Failure::input(error.to_string()))?;
    match &arguments.out {
        Some(path) => {
            std::fs::write(path, document).with_context(|| format!("writing `{}`", path.display()))?
        }
        None => std::io::stdout().lock().write_all(&document).context("writing to standard output")?,
    }
    Ok(())
}
