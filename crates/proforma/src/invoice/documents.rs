//! `proforma invoice render`: an invoice's data becomes a document.

use crate::cli::documents::{DocumentFormat, RenderArguments};
use crate::failure::Failure;
use anyhow::Context as _;
use billing::invoice::check::problems;
use documents::design::Settings;
use documents::{Design, Format};
use std::io::Write as _;
use std::path::Path;

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
    let design = arguments.design.as_deref().map(design).transpose()?.unwrap_or_default();
    let document = documents::render(&invoice, &design, format(arguments.format))
        .map_err(|error| Failure::input(error.to_string()))?;
    match &arguments.out {
        Some(path) => {
            std::fs::write(path, document).with_context(|| format!("writing `{}`", path.display()))?
        }
        None => std::io::stdout().lock().write_all(&document).context("writing to standard output")?,
    }
    Ok(())
}

fn design(path: &Path) -> Result<Design, Failure> {
    let shown = path.display().to_string();
    let wrong = |problem: String| Failure::input(problem).about(&shown);
    let text = std::fs::read_to_string(path).with_context(|| format!("reading `{shown}`"))?;
    let settings: Settings = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    settings.design(folder).map_err(|error| wrong(error.to_string()))
}

const fn format(format: DocumentFormat) -> Format {
    match format {
        DocumentFormat::Pdf => Format::Pdf,
        DocumentFormat::Ubl => Format::Ubl,
        DocumentFormat::FacturX => Format::FacturX,
        DocumentFormat::Csv => Format::Csv,
        DocumentFormat::Xlsx => Format::Xlsx,
        DocumentFormat::Json => Format::Json,
    }
}
