//! Documents behind links: whoever has the link needs no key, and gets the file as a download.

use super::{Entrance, STARTING, text};
use crate::invoicing::opened;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

/// Where documents are; [`LINK_PATH`](crate::invoicing::LINK_PATH) with the token of the link.
pub(super) const ROUTE: &str = "/invoice-documents/{token}";
/// What is said of every link that opens nothing, whatever is wrong with it.
const NO_LINK: &str = "this link opens nothing, or no more; ask GetInvoicePDF for another one\n";

/// Hands out the document of a link.
pub(super) async fn document(State(entrance): State<Entrance>, Path(token): Path<String>) -> Response {
    let Some(server) = entrance.0.get() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, format!("{STARTING}\n"));
    };
    // A link is no key, so it has its place among all requests and no rate of its own.
    let Some(_place) = server.limits.place() else {
        return text(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests are being answered; try again\n".to_owned(),
        );
    };
    match opened(&server.api, &token).await {
        Ok(Some((file, bytes))) => {
            tracing::info!(file = file.name, bytes = bytes.len(), "a document was handed out");
            download(&file.media_type, &file.name, bytes)
        }
        Ok(None) => text(StatusCode::FORBIDDEN, NO_LINK.to_owned()),
        Err(error) => {
            tracing::error!(?error, "a document could not be handed out");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the document cannot be read now; try again\n".to_owned())
        }
    }
}

/// A file that is saved, never shown in the server's own name.
fn download(media_type: &str, name: &str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    let disposition = format!("attachment; filename=\"{name}\"");
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition));
    let kind = HeaderValue::from_str(media_type);
    headers
        .insert(header::CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
