//! An issued invoice as a document.
//!
//! Its page is made once, when it is issued, and kept: another design, other fonts or another program would make another page of the same data, and
//! what a customer has does not change. E-invoices and tables have no look; they are made of the frozen data whenever somebody asks. How pages look is
//! the renderer's affair, which the program brings along: this crate names no format of pages.

use crate::authorization::Caller;
use crate::desk::BackOffice;
use crate::document_format::DocumentFormat;
use crate::error::{Answer, Error, refused};
use crate::hash::hex;
use crate::outbox::Attachment;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use billing::account::AccountId;
use billing::invoice::Invoice;
use sha2::{Digest, Sha256};
use store::IssuedPageRow;

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
            DocumentFormat::Pdf => match self.kept_page(&caller.payer, number).await? {
                Some(page) => page,
                None => self.rendered(view.document, format).await?,
            },
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

    /// The page of a document that is to be issued; `None` where this desk makes none.
    ///
    /// # Errors
    /// [`Error::Refused`] where it cannot be made: the sentence says what it lacks.
    pub(crate) async fn page(&self, document: Invoice) -> Answer<Option<Vec<u8>>> {
        match self.0.options.renderer {
            Some(_) => self.rendered(document, DocumentFormat::Pdf).await.map(Some),
            None => Ok(None),
        }
    }

    /// The page that was kept when a document was issued, held to its hash.
    async fn kept_page(&self, payer: &AccountId, number: &str) -> Answer<Option<Vec<u8>>> {
        let row = self.0.store.issued_page(payer, number).await.map_err(Error::internal)?;
        let Some(row) = row else { return Ok(None) };
        match page_bytes(&row) {
            Some(page) => Ok(Some(page)),
            None => Err(Error::internal(format!("the page of `{number}` is not the one that was issued"))),
        }
    }

    async fn rendered(&self, invoice: Invoice, format: DocumentFormat) -> Answer<Vec<u8>> {
        let Some(renderer) = self.0.options.renderer.clone() else {
            return Err(Error::Unavailable("documents are not made here"));
        };
        let made = tokio::task::spawn_blocking(move || renderer.invoice(&invoice, format)).await;
        made.map_err(Error::internal)?.map_err(refused)
    }
}

/// The bytes of a kept page; `None` where they are not those that were kept.
#[must_use]
pub fn page_bytes(row: &IssuedPageRow) -> Option<Vec<u8>> {
    let page = STANDARD.decode(&row.pdf).ok()?;
    (hex(&Sha256::digest(&page)) == row.sha256).then_some(page)
}

/// The page of a document as it is kept.
pub(crate) fn page_row(number: &str, page: &[u8]) -> IssuedPageRow {
    IssuedPageRow {
        invoice: number.to_owned(),
        sha256: hex(&Sha256::digest(page)),
        pdf: STANDARD.encode(page),
    }
}
