//! Documents of invoices behind links that open by themselves and end after an hour, as a presigned URL does: whoever has one needs no key.
//!
//! What a link opens is sealed in it under the server's own key, so it can be neither read nor changed, and another server on the same database
//! opens it, too. It ends by the machine's clock, as signatures do.

use super::InvoicingRefusal;
use crate::Api;
use crate::call::{Call, json};
use aws_wire::page_token::PageTokens;
use back_office::clock::machine_seconds;
use back_office::document_format::DocumentFormat;
use back_office::error::{Answer, Error};
use back_office::invoice_files::{INVOICE, InvoiceFileRow};
use back_office::invoice_summaries::SummariesOf;
use billing::account::AccountId;
use serde::{Deserialize, Serialize};

/// Where documents are on the server; the token of the link follows.
pub const LINK_PATH: &str = "/invoice-documents/";
/// How long a link opens its document.
const LINK_SECONDS: i64 = 3_600;
/// What a link is sealed for.
const CONTEXT: &[&[u8]] = &[b"document of an invoice"];
/// How much of an invoice's id is in the name of a file.
const NAME_CHARACTERS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetInvoicePdf {
    invoice_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SupplementalDocument {
    document_type: String,
    document_id: String,
    document_url: String,
    document_url_expiration_date: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoicePdf {
    invoice_id: String,
    document_url: String,
    document_url_expiration_date: i64,
    supplemental_documents: Vec<SupplementalDocument>,
}

#[derive(Serialize)]
struct InvoicePdfOut {
    #[serde(rename = "InvoicePDF")]
    invoice_pdf: InvoicePdf,
}

/// `GetInvoicePDF`
pub(super) async fn get_pdf(call: &Call<'_>) -> Answer<Vec<u8>> {
    let GetInvoicePdf { invoice_id } = call.read()?;
    let payer = &call.caller.payer;
    let origin =
        call.origin.ok_or(Error::Unavailable("a link needs a server: start one with `proforma serve`"))?;
    // What is attached is of AWS's invoices, which are the payer's affair: a customer has what was issued to it.
    let files = match call.caller.sees_payer() {
        true => call.desk.invoice_files(payer, &invoice_id).await?,
        false => Vec::new(),
    };
    let until = machine_seconds().saturating_add(LINK_SECONDS);
    let linked = |file: &InvoiceFileRow| LinkedFile::kept(payer, file, until);
    // What the operator has issued is its own document, whatever somebody has attached under that number.
    let is_issued = call.desk.has_issued(call.caller, &invoice_id).await?;
    let invoice = match files.iter().find(|file| file.kind == INVOICE) {
        _ if is_issued => LinkedFile::issued(payer, &invoice_id, until),
        Some(file) => linked(file),
        None => return Err(without_document(call, &invoice_id, files.is_empty()).await?.into()),
    };
    let supplement = |file: InvoiceFileRow| -> Answer<SupplementalDocument> {
        Ok(SupplementalDocument {
            document_url: link(call, origin, &linked(&file))?,
            document_url_expiration_date: until,
            document_type: file.kind,
            document_id: file.document_id,
        })
    };
    let supplements = files.into_iter().filter(|file| file.kind != INVOICE);
    let invoice_pdf = InvoicePdf {
        document_url: link(call, origin, &invoice)?,
        document_url_expiration_date: until,
        supplemental_documents: supplements.map(supplement).collect::<Answer<_>>()?,
        invoice_id,
    };
    json(&InvoicePdfOut { invoice_pdf })
}

/// Why an invoice has no document. A customer is not told which invoices AWS has sent the payer.
async fn without_document(call: &Call<'_>, invoice_id: &str, has_no_file: bool) -> Answer<InvoicingRefusal> {
    let is_known = call.caller.sees_payer()
        && !(has_no_file && super::summaries::all(call, SummariesOf::Invoice(invoice_id)).await?.is_empty());
    let message = match is_known {
        false => format!("there is no invoice `{invoice_id}`"),
        true => format!(
            "invoice `{invoice_id}` has no document here; attach the one that AWS has delivered with `proforma invoice attach`"
        ),
    };
    Ok(InvoicingRefusal::NotFound { name: invoice_id.to_owned(), message })
}

/// Where the bytes of a link come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Content {
    /// A file that is kept, by its hash.
    Kept(String),
    /// The operator's own invoice of that number, as PDF: made when the link is opened.
    Issued(String),
}

/// What a link opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedFile {
    payer: String,
    content: Content,
    /// Such as `application/pdf`.
    pub media_type: String,
    /// What the file is called where it is saved: letters, digits, `-`, `_` and a dot.
    pub name: String,
    /// Until when, in seconds since 1970-01-01T00:00:00Z.
    until: i64,
}

impl LinkedFile {
    fn kept(payer: &AccountId, file: &InvoiceFileRow, until: i64) -> Self {
        Self {
            payer: payer.to_string(),
            content: Content::Kept(file.sha256.clone()),
            media_type: file.media_type.clone(),
            name: name_of(file),
            until,
        }
    }

    fn issued(payer: &AccountId, number: &str, until: i64) -> Self {
        Self {
            payer: payer.to_string(),
            content: Content::Issued(number.to_owned()),
            media_type: DocumentFormat::Pdf.media_type().to_owned(),
            name: DocumentFormat::Pdf.file_name(number),
            until,
        }
    }
}

/// The link that opens a file until its instant.
fn link(call: &Call<'_>, origin: &str, file: &LinkedFile) -> Answer<String> {
    Ok(format!("{origin}{LINK_PATH}{}", sealed(call.pages, file)?))
}

/// The token of such a link.
fn sealed(pages: &PageTokens, linked: &LinkedFile) -> Answer<String> {
    let text = serde_json::to_vec(linked).map_err(Error::internal)?;
    pages.seal(&text, CONTEXT).map_err(Error::internal)
}

/// A name that no file system and no header takes for anything else.
fn name_of(file: &InvoiceFileRow) -> String {
    let text = match file.kind.as_str() {
        INVOICE => file.invoice_id.clone(),
        kind => format!("{}-{kind}-{}", file.invoice_id, file.document_id),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    let name: String = text.chars().take(NAME_CHARACTERS_MAX).map(plain).collect();
    let ending = match file.media_type.as_str() {
        "application/pdf" => "pdf",
        "application/xml" => "xml",
        _ => "bin",
    };
    format!("invoice-{name}.{ending}")
}

/// The file that a token opens now, with its bytes; `None` where it opens none, or no more.
///
/// # Errors
/// [`Error::Internal`] where the file cannot be read.
pub async fn opened(api: &Api, token: &str) -> Answer<Option<(LinkedFile, Vec<u8>)>> {
    let Some(linked) = unsealed(&api.pages, token, machine_seconds()) else { return Ok(None) };
    let payer = AccountId::parse(&linked.payer).ok_or_else(|| Error::internal(linked.payer.clone()))?;
    let bytes = match &linked.content {
        Content::Kept(sha256) => api.desk.file_bytes(&payer, sha256).await?,
        Content::Issued(number) => api.desk.linked_document(&payer, number).await?.bytes,
    };
    Ok(Some((linked, bytes)))
}

/// What a token opens at an instant.
fn unsealed(pages: &PageTokens, token: &str, now: i64) -> Option<LinkedFile> {
    let text = pages.open(token, CONTEXT).ok()?;
    let linked: LinkedFile = serde_json::from_slice(&text).ok()?;
    (now < linked.until).then_some(linked)
}

#[cfg(test)]
mod tests {
    //! What opens, until when.

    use super::*;

    fn file(kind: &str, document_id: &str, media_type: &str) -> InvoiceFileRow {
        InvoiceFileRow {
            invoice_id: "2026/é\"1".to_owned(),
            kind: kind.to_owned(),
            document_id: document_id.to_owned(),
            version: 1,
            sha256: "0".repeat(64),
            size_bytes: 1,
            media_type: media_type.to_owned(),
            attached_at_s: 0,
            attached_by: "root".to_owned(),
        }
    }

    #[test]
    fn a_link_ends_with_its_hour() {
        let pages = PageTokens::new(&[7; 32]);
        let payer = AccountId::parse("999999999999").unwrap();
        let linked = LinkedFile::kept(&payer, &file(INVOICE, "", "application/pdf"), 3_600);
        let token = sealed(&pages, &linked).unwrap();
        assert_eq!(unsealed(&pages, &token, 3_599).unwrap().payer, payer.as_str());
        assert_eq!(unsealed(&pages, &token, 3_600), None);
        assert_eq!(unsealed(&PageTokens::new(&[8; 32]), &token, 0), None, "another server's");
        let page = pages.seal(token.as_bytes(), &[b"999999999999", b"ListInvoiceUnits"]).unwrap();
        assert_eq!(unsealed(&pages, &page, 0), None, "a page token is no link");
    }

    #[test]
    fn a_name_is_taken_for_nothing_else() {
        assert_eq!(name_of(&file(INVOICE, "", "application/pdf")), "invoice-2026___1.pdf");
        let other = file("SUPPLEMENT", "../x", "application/octet-stream");
        assert_eq!(name_of(&other), "invoice-2026___1-SUPPLEMENT-___x.bin");
    }
}
