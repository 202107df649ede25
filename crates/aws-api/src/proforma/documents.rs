//! Documents of the operator's issued invoices. A customer gets those of its own.

use crate::call::{Call, field, json};
use back_office::document_format::DocumentFormat;
use back_office::error::Answer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    invoice_number: String,
    format: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    document: String,
    file_name: String,
    media_type: &'static str,
    sha256: String,
}

/// `GetInvoiceDocument`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let Asked { invoice_number, format } = call.read()?;
    let format = DocumentFormat::named(&format)
        .ok_or_else(|| field("Format", &format!("`{format}` is no format of documents")))?;
    let document = call.desk.invoice_document(call.caller, &invoice_number, format).await?;
    json(&Made {
        document: STANDARD.encode(&document.bytes),
        sha256: document.sha256,
        file_name: document.name,
        media_type: format.media_type(),
    })
}
