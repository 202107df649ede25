//! The command that makes documents of invoices.

use back_office::document_format::DocumentFormat;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
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
    #[arg(long, value_parser = format())]
    pub format: DocumentFormat,
    /// How a PDF looks: a TOML file with logo, colour, fonts and words.
    #[arg(long, value_name = "FILE")]
    pub design: Option<PathBuf>,
    /// Where the document goes; standard output by default.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Reads a format by its word.
pub fn format() -> impl TypedValueParser<Value = DocumentFormat> {
    let shown = DocumentFormat::ALL.map(|format| PossibleValue::new(format.word()).help(format.about()));
    let of = |word: String| DocumentFormat::ALL.into_iter().find(|format| format.word() == word);
    PossibleValuesParser::new(shown).try_map(move |word| of(word).ok_or("it is none of the formats"))
}
