//! The command that makes documents of invoices.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub const RENDER_EXAMPLES: &str = "\
The data are JSON in the shape of docs/documents.md, which has the keys of the design too.

Examples:
  proforma invoice render --data invoice.json --format pdf --design design.toml --out invoice.pdf
  proforma invoice render --data invoice.json --format ubl --out invoice.xml

Exit status: 0 done, 2 the input is not right (nothing was written), 1 anything else.";

#[derive(Debug, Args)]
pub struct RenderArguments {
    /// The invoice's data.
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// What to make of them.
    #[arg(long, value_enum)]
    pub format: DocumentFormat,
    /// How a PDF looks: a TOML file with logo, colour, fonts and words.
    #[arg(long, value_name = "FILE")]
    pub design: Option<PathBuf>,
    /// Where the document goes; standard output by default.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A format that an invoice can be had in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DocumentFormat {
    /// PDF/A-3 with Factur-X in it
    Pdf,
    /// UBL 2.1, Peppol BIS Billing 3.0
    Ubl,
    /// Cross Industry Invoice, Factur-X of the profile EN 16931
    FacturX,
    /// The lines as CSV
    Csv,
    /// The lines as a spreadsheet
    Xlsx,
    /// The data themselves
    Json,
}
