//! An issued invoice as a document: made of what is frozen whenever somebody asks, so that nothing but the data is kept.
//!
//! The same data give the same bytes, so a document that a customer has is the one that is made again. How pages look is the renderer's affair,
//! which the program brings along: this crate names no format of pages.

use crate::authorization::Caller;
use crate::desk::BackOffice;
use crate::document_format::{DocumentFormat, Renderer};
use crate::error::{Answer, Error, refused};
use crate::hash::hex;
use crate::outbox::Attachment;
use billing::account::AccountId;
use billing::invoice::Invoice;
use sha2::{Digest, Sha256};

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
