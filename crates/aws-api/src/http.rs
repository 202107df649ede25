//! The HTTP server: bytes in, an authenticated and routed request to [`Api::perform`], bytes out.
//!
//! One port for all services. A request is read to its end under limits, its signature is checked over what came, it is routed by the service
//! that it was signed for, allowed or denied, and only then looked at: whoever may not ask learns nothing about what would be asked.

mod arrival;
mod documents;
mod limits;
mod metrics;
mod request;

use crate::errors::unavailable;
use crate::{Api, errors};
use aws_wire::errors::WireError;
use aws_wire::protocol::{self, Protocol};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use back_office::vault::new_request_id;
use http::{HeaderValue, StatusCode, header};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub use limits::Limits;
pub use metrics::Metrics;

/// The header by which an operator says for which earlier period a write is.
pub const PERIOD_HEADER: &str = "x-proforma-billing-period";
/// How long an answer may take, from when its request has arrived.
const ANSWER: Duration = Duration::from_secs(120);

/// How the server is set up.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// How far a signature's time may be from the machine's clock, in seconds.
    pub signature_window_seconds: i64,
    /// Requests a second that a key may send in the long run.
    pub rate_per_second: u32,
    /// Requests that are answered at once.
    pub concurrency: usize,
    /// How long the body of a request may take to arrive; the answer has its own time after that.
    pub arrival: Duration,
    /// How clients reach the server, such as `https://desk.example`: links begin with it. `None` is wherever a request was sent to.
    pub public_url: Option<String>,
    /// `http` or `https`, as the server itself speaks.
    pub scheme: &'static str,
}

/// What a handler has.
#[derive(Clone)]
struct Server {
    api: Api,
    options: Arc<ServerOptions>,
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    health: Arc<dyn Health>,
}

/// What the server is asked about itself.
pub trait Health: Send + Sync + 'static {
    /// Why the server cannot answer requests now; `None` where it can.
    fn problem(&self) -> std::pin::Pin<Box<dyn Future<Output = Option<String>> + Send + '_>>;
}

/// A server that listens from its start on, and answers requests once its database is open and migrated.
#[derive(Clone, Default)]
pub struct Entrance(Arc<OnceLock<Server>>);

impl Entrance {
    /// Lets requests in. A second call changes nothing.
    pub fn open(&self, api: Api, options: ServerOptions, health: Arc<dyn Health>) {
        let limits = Arc::new(Limits::new(options.rate_per_second, options.concurrency));
        let metrics = Arc::new(Metrics::default());
        self.0.get_or_init(|| Server { api, options: Arc::new(options), limits, metrics, health });
    }

    /// The routes of the server.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics_text))
            .route(documents::ROUTE, get(documents::document))
            .fallback(any(answer))
            .with_state(self.clone())
    }
}

/// What is said before the database is open.
const STARTING: &str = "the server starts: its database is opened and migrated";

async fn ready(State(entrance): State<Entrance>) -> Response {
    let Some(server) = entrance.0.get() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, format!("{STARTING}\n"));
    };
    match server.health.problem().await {
        None => text(StatusCode::OK, "ready\n".to_owned()),
        Some(problem) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}

async fn metrics_text(State(entrance): State<Entrance>) -> Response {
    let Some(server) = entrance.0.get() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, format!("{STARTING}\n"));
    };
    let mut response = text(StatusCode::OK, server.metrics.text());
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn text(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Answers a request of an AWS client.
async fn answer(State(entrance): State<Entrance>, request: Request) -> Response {
    let started = Instant::now();
    // Without random bytes requests are still told apart by when they came.
    let request_id = new_request_id().unwrap_or_else(|_| format!("{:x}", started.elapsed().as_nanos()));
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let Some(server) = entrance.0.get() else {
        let (parts, body) = unavailable(STARTING).render(Protocol::RestJson, &request_id).into_parts();
        return Response::from_parts(parts, Body::from(body));
    };
    let Answered { protocol, operation, access_key_id, result } =
        server.clone().seen_through(request, request_id.clone()).await;
    let error = result.as_ref().err().map_or_else(String::new, |error| error.code.clone());
    let response = match result {
        Ok(Success::Bytes(status, body)) => success(protocol, status, &request_id, body),
        Ok(Success::Whole(response)) => response,
        Err(error) => error.render(protocol, &request_id),
    };
    let status = response.status().as_u16();
    server.metrics.answered(&operation, status, started.elapsed());
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(request_id, operation, key = access_key_id, status, error, took_ms, "answered");
    let (parts, body) = response.into_parts();
    let mut response = Response::from_parts(parts, Body::from(body));
    let headers = response.headers_mut();
    // What one caller was told is nobody else's to be told.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_chunked {
        // Where the request ends two readers may not agree on: what follows on the connection is nobody's.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Server {
    /// Takes a request in, and answers it in a task of its own: a client that hangs up, or does not wait, leaves no write half made, in the
    /// database but unknown to the readers. The task is told when nobody waits any more.
    async fn seen_through(self, request: Request, request_id: String) -> Answered {
        let (parts, body) = request.into_parts();
        let body = match self.arrived(&parts.headers, body).await {
            Ok(body) => body,
            Err(error) => return Answered::unrouted(error),
        };
        let (_connected, client) = back_office::client::connected();
        let answering = async move { self.answered(&parts, &body, &request_id).await };
        let task = tokio::spawn(client.served(answering));
        match tokio::time::timeout(ANSWER, task).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(cause)) => {
                tracing::error!(%cause, "a request was given up");
                Answered::unrouted(WireError::internal())
            }
            Err(_) => Answered::unrouted(unavailable("the answer took too long")),
        }
    }
}

/// What came of a request.
struct Answered {
    protocol: Protocol,
    /// The operation, as IAM names it; empty where the request asks for none.
    operation: String,
    access_key_id: String,
    result: Result<Success, WireError>,
}

enum Success {
    Bytes(StatusCode, Vec<u8>),
    Whole(http::Response<Vec<u8>>),
}

impl Answered {
    fn unrouted(error: WireError) -> Self {
        Self {
            protocol: Protocol::RestJson,
            operation: String::new(),
            access_key_id: String::new(),
            result: Err(error),
        }
    }
}

fn success(
    protocol: Protocol,
    status: StatusCode,
    request_id: &str,
    body: Vec<u8>,
) -> http::Response<Vec<u8>> {
    let is_empty = status == StatusCode::NO_CONTENT;
    let mut response = http::Response::new(if is_empty { Vec::new() } else { body });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !is_empty {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(protocol.content_type()));
    }
    let id = HeaderValue::from_str(request_id).unwrap_or(HeaderValue::from_static("invalid"));
    headers.insert(protocol::REQUEST_ID, id);
    response
}

fn unknown(what: &str) -> WireError {
    errors::unknown_operation(what)
}
