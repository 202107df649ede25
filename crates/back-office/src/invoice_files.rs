//! Files that belong to an invoice, such as the PDF that AWS has delivered: kept by their content in the data directory, and handed out by links that
//! end after a while.

use crate::data_directory;
use crate::desk::{BackOffice, WriteRequest};
use crate::disk::on_disk;
use crate::error::{Answer, Error};
use crate::hash::hex;
use crate::invoicing::InvoicingRefusal;
use crate::vault::new_request_id;
use billing::account::AccountId;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

pub use store::InvoiceFileRow;

/// How many bytes a file has at most.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The file that is the invoice itself.
pub const INVOICE: &str = "INVOICE";
/// The types of supplemental documents, by their names in the API.
pub const SUPPLEMENTS: [&str; 4] = ["GOVERNMENT_INVOICE", "TAX_E_INVOICE", "PAYMENT_RECEIPT", "SUPPLEMENT"];

/// A file that somebody attaches to an invoice.
#[derive(Debug, Clone)]
pub struct NewInvoiceFile {
    /// The invoice.
    pub invoice_id: String,
    /// [`INVOICE`], or one of [`SUPPLEMENTS`].
    pub kind: String,
    /// Which of its kind; empty of the invoice itself.
    pub document_id: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl BackOffice {
    /// Attaches a file to an invoice, in place of the one of the same kind and id; its hash. Its bytes are on the disk before its row is.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where the file is empty or too large, the invoice is no PDF, or is one that was issued here.
    pub async fn attach_invoice_file(
        &self,
        request: &WriteRequest<'_>,
        new: NewInvoiceFile,
    ) -> Answer<String> {
        let payer = &request.caller.payer;
        check(&new)?;
        if new.kind == INVOICE && self.has_issued(request.caller, &new.invoice_id).await? {
            let message = format!(
                "`{}` is an invoice that was issued here, whose document nobody replaces; attach what belongs to it with `--type SUPPLEMENT --id NAME` (`DocumentType`, `DocumentId`)",
                new.invoice_id
            );
            return Err(InvoicingRefusal::field("InvoiceId", message).into());
        }
        let media_type = media_type(&new.bytes);
        let NewInvoiceFile { invoice_id, kind, document_id, bytes } = new;
        let (sha256, size_bytes) = (hex(&Sha256::digest(&bytes)), bytes.len() as u64);
        let folder = data_directory::documents(&self.0.options.data, payer);
        let path = folder.join(&sha256);
        let unfinished = new_request_id().map_err(Error::internal)?;
        on_disk(move || keep(&folder, &path, &unfinished, &bytes)).await.map_err(Error::internal)?;
        let row = &InvoiceFileRow {
            invoice_id,
            kind,
            document_id,
            version: 0,
            sha256,
            size_bytes,
            media_type: media_type.to_owned(),
            attached_at_s: request.caller.now,
            attached_by: request.caller.principal.clone(),
        };
        self.once(request, |mut write, _| async move {
            let there = write.invoice_files(&row.invoice_id).await?;
            let is_same = |of: &&InvoiceFileRow| (&of.kind, &of.document_id) == (&row.kind, &row.document_id);
            let last = there.iter().find(is_same);
            if last.is_none_or(|last| last.sha256 != row.sha256) {
                let version = last.map_or(0, |last| last.version) + 1;
                write.put_invoice_file(InvoiceFileRow { version, ..row.clone() }).await?;
            }
            Ok((write, row.sha256.clone()))
        })
        .await
    }

    /// The files of an invoice, the invoice itself first.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn invoice_files(&self, payer: &AccountId, invoice_id: &str) -> Answer<Vec<InvoiceFileRow>> {
        self.0.store.invoice_files(payer, invoice_id).await.map_err(Error::internal)
    }

    /// The bytes of a file by its hash.
    ///
    /// # Errors
    /// [`Error::Internal`] where it cannot be read, or is not what its name says.
    pub async fn file_bytes(&self, payer: &AccountId, sha256: &str) -> Answer<Vec<u8>> {
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(Error::internal("not the name of a document"));
        }
        let path = data_directory::documents(&self.0.options.data, payer).join(sha256);
        let bytes = on_disk(move || fs::read(path)).await.map_err(Error::internal)?;
        match hex(&Sha256::digest(&bytes)) == sha256 {
            true => Ok(bytes),
            false => Err(Error::internal(format!("document {sha256} is not as it was written"))),
        }
    }
}

/// Whether a file may be attached as what it is said to be.
fn check(new: &NewInvoiceFile) -> Result<(), InvoicingRefusal> {
    if new.bytes.is_empty() || new.bytes.len() > FILE_BYTES_MAX {
        let message = format!("{} bytes; a document has 1 to {FILE_BYTES_MAX}", new.bytes.len());
        return Err(InvoicingRefusal::field("Document", message));
    }
    if new.kind == INVOICE {
        if !new.document_id.is_empty() {
            return Err(InvoicingRefusal::field("DocumentId", "only a supplemental document has an id"));
        }
        if media_type(&new.bytes) != "application/pdf" {
            return Err(InvoicingRefusal::field(
                "Document",
                "the document of an invoice is a PDF; this is none",
            ));
        }
    } else if new.document_id.is_empty() {
        return Err(InvoicingRefusal::field("DocumentId", "a supplemental document needs an id"));
    }
    Ok(())
}

/// What a file is, by how it begins: who attaches it is not asked.
fn media_type(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"%PDF-") {
        "application/pdf"
    } else if bytes.starts_with(b"<?xml") || bytes.starts_with(b"\xef\xbb\xbf<?xml") {
        "application/xml"
    } else {
        "application/octet-stream"
    }
}

/// Writes a file under its name: whole and on the disk, or not there. What is there already is the same.
fn keep(folder: &Path, path: &Path, unfinished: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if path.exists() {
        return Ok(());
    }
    // Others may write the same file: each under a name of its own, which a backup leaves out, and which goes when the next process begins.
    let temporary = folder.join(format!(".{unfinished}"));
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}
