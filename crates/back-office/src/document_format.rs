//! What makes the documents of issued invoices, and the files of saved reports.

use crate::saved_reports::ReportFormat;
use billing::invoice::Invoice;
use billing::saved_report::ReportTable;
use std::fmt;
use std::sync::Arc;

pub use invoice_file::format::DocumentFormat;

type RenderReport = dyn Fn(&ReportTable, ReportFormat) -> Result<Vec<u8>, String> + Send + Sync;
type Render = dyn Fn(&Invoice, DocumentFormat) -> Result<Vec<u8>, String> + Send + Sync;

/// What makes documents; in words what is wrong where one cannot be made. It blocks, and is called off the threads that answer requests.
#[derive(Clone)]
pub struct Renderer {
    invoice: Arc<Render>,
    report: Arc<RenderReport>,
}

impl Renderer {
    /// One that does as two functions say: of invoices, and of reports in all formats but JSON.
    pub fn new(
        invoice: impl Fn(&Invoice, DocumentFormat) -> Result<Vec<u8>, String> + Send + Sync + 'static,
        report: impl Fn(&ReportTable, ReportFormat) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        Self { invoice: Arc::new(invoice), report: Arc::new(report) }
    }

    /// The document of an invoice.
    pub(crate) fn invoice(&self, invoice: &Invoice, format: DocumentFormat) -> Result<Vec<u8>, String> {
        (self.invoice)(invoice, format)
    }

    /// The file of a report.
    pub(crate) fn report(&self, report: &ReportTable, format: ReportFormat) -> Result<Vec<u8>, String> {
        (self.report)(report, format)
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}
