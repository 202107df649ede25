//! An issued invoice as a document: made of what is frozen whenever somebody asks, so that nothing but the data is kept.
//!
//! The same data give the same bytes, so a document that a customer has is the one that is made again. How pages look is the renderer's affair,
//! which the program brings along: this crate names no format of pages.

use crate::authorization::Caller;
use crate::desk::BackOffice;
use crate::error::{Answer, Error, refused};
use crate::hash::hex;
use crate::outbox::Attachment;
use billing::account::AccountId;
use billing::invoice::Invoice;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// How much of an invoice's number is in the name of a file.
const NAME_CHARACTERS_MAX: usize = 100;

/// A format that an issued invoice can be had in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// PDF/A-3 with Factur-X in it.
    Pdf,
    /// UBL 2.1 by the rules of Peppol BIS Billing 3.0.
    Ubl,
    /// The Cross Industry Invoice of Factur-X.
    FacturX,
    /// The lines as CSV.
    Csv,
    /// The lines as a spreadsheet.
    Xlsx,
    /// The data, word for word as they were issued.
    Json,
}

impl DocumentFormat {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Pdf, Self::Ubl, Self::FacturX, Self::Csv, Self::Xlsx, Self::Json];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Ubl => "UBL",
            Self::FacturX => "FACTUR_X",
            Self::Csv => "CSV",
            Self::Xlsx => "XLSX",
            Self::Json => "JSON",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// What its bytes are, as HTTP and mail say it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Ubl | Self::FacturX => "application/xml",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Json => "application/json",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Ubl => "ubl.xml",
            Self::FacturX => "factur-x.xml",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
        }
    }

    /// What the document of an invoice is called where it is saved: letters, digits, `-`, `_` and dots, so that no file system and no header takes
    /// it for anything else.
    #[must_use]
    pub fn file_name(self, number: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let name: String = number.chars().take(NAME_CHARACTERS_MAX).map(plain).collect();
        format!("invoice-{name}.{}", self.ending())
    }
}

type Render = dyn Fn(&Invoice, DocumentFormat) -> Result<Vec<u8>, String> + Send + Sync;

/// What makes documents; in words what is wrong where one cannot be made. It blocks, and is called off the threads that answer requests.
#[derive(Clone)]
pub struct Renderer(Arc<Render>);

impl Renderer {
    /// One that does as a function says.
    pub fn new(
        render: impl Fn(&Invoice, DocumentFormat) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}

/// A document of an issued invoice.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it is.
    pub format: DocumentFormat,
    /// What it is called where it is saved.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

impl From<Document> for Attachment {
    fn from(document: Document) -> Self {
        let media_type = document.format.media_type().to_owned();
        Self { name: document.name, media_type, bytes: document.bytes }
    }
}

impl BackOffice {
    /// An invoice or credit note that the caller may see, as a document.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is none that the caller may see, or where it cannot be had in the format: the sentence says what it lacks.
    pub async fn invoice_document(
        &self,
        caller: &Caller,
        number: &str,
        format: DocumentFormat,
    ) -> Answer<Document> {
        let view = self.invoice(caller, number).await?;
        let name = format.file_name(number);
        let bytes = match format {
            DocumentFormat::Json => view.row.document.into_bytes(),
            _ => self.rendered(view.document, format).await?,
        };
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(Document { format, name, bytes, sha256 })
    }

    /// An issued document for whoever holds a link to it: who may have the link was asked when it was made.
    ///
    /// # Errors
    /// As [`Self::invoice_document`].
    pub async fn linked_document(&self, payer: &AccountId, number: &str) -> Answer<Document> {
        self.invoice_document(&self.operator(payer, String::new()), number, DocumentFormat::Pdf).await
    }

    /// Whether there is an issued document that the caller may see.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn has_issued(&self, caller: &Caller, number: &str) -> Answer<bool> {
        match self.invoice(caller, number).await {
            Ok(_) => Ok(true),
            Err(Error::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn rendered(&self, invoice: Invoice, format: DocumentFormat) -> Answer<Vec<u8>> {
        let Some(Renderer(render)) = self.0.options.renderer.clone() else {
            return Err(Error::Unavailable("documents are not made here"));
        };
        let made = tokio::task::spawn_blocking(move || render(&invoice, format)).await;
        made.map_err(Error::internal)?.map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    //! Names of files.

    use super::*;

    #[test]
    fn a_name_is_taken_for_nothing_else() {
        assert_eq!(DocumentFormat::Pdf.file_name("INV-2026-0001"), "invoice-INV-2026-0001.pdf");
        assert_eq!(DocumentFormat::Ubl.file_name("../é\"\r\n1"), "invoice-_______1.ubl.xml");
        let long = DocumentFormat::Csv.file_name(&"9".repeat(400));
        assert_eq!(long.len(), "invoice-.csv".len() + NAME_CHARACTERS_MAX);
    }

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in DocumentFormat::ALL {
            assert_eq!(DocumentFormat::named(format.name()), Some(format));
        }
        assert_eq!(DocumentFormat::named("pdf"), None);
    }
}
