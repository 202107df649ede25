//! How the documents of issued invoices look, and what makes them for the billing desk.

use back_office::document_format::Renderer;
use back_office::saved_reports::ReportFormat;
use documents::Design;
use documents::design::Settings;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The operator's design: read when the first document is made, and kept from then on, so that a running server's documents look alike.
#[derive(Debug, Clone, Default)]
pub struct InvoiceDesign {
    file: Option<PathBuf>,
    read: Arc<OnceLock<Result<Design, String>>>,
}

impl InvoiceDesign {
    /// The design of a file; the default one where there is none.
    pub fn of(file: Option<PathBuf>) -> Self {
        Self { file, read: Arc::default() }
    }

    /// The design.
    ///
    /// # Errors
    /// What is wrong with the file, with its name.
    pub fn design(&self) -> Result<&Design, String> {
        let read = self.read.get_or_init(|| self.file.as_deref().map_or_else(|| Ok(Design::default()), read));
        read.as_ref().map_err(Clone::clone)
    }

    /// What makes documents that look like it.
    pub fn renderer(&self) -> Renderer {
        let (of_invoices, of_reports) = (self.clone(), self.clone());
        Renderer::new(
            move |invoice, format| {
                let design = of_invoices.told()?;
                documents::render(invoice, design, format).map_err(|error| error.to_string())
            },
            move |report, format| {
                let format = match format {
                    ReportFormat::Csv => documents::ReportFormat::Csv,
                    ReportFormat::Xlsx => documents::ReportFormat::Xlsx,
                    ReportFormat::Pdf => documents::ReportFormat::Pdf,
                    ReportFormat::Json => return Err("JSON is no document".to_owned()),
                };
                documents::render_report(report, of_reports.told()?, format)
                    .map_err(|error| error.to_string())
            },
        )
    }

    /// The design, for whoever has asked for a document. A customer, too, is told what its invoice lacks; where the design is, is the operator's own affair.
    fn told(&self) -> Result<&Design, String> {
        self.design().map_err(|problem| {
            tracing::error!(problem, "documents cannot be made");
            "the design of invoices cannot be used; the log says why".to_owned()
        })
    }
}

/// Reads a design; files that it names are looked for in its own folder.
///
/// # Errors
/// What is wrong with it, with its name.
pub(super) fn read(path: &Path) -> Result<Design, String> {
    let wrong = |problem: String| format!("design `{}`: {problem}", path.display());
    let text = fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let settings: Settings =
        toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    settings.design(folder).map_err(|error| wrong(error.to_string()))
}
