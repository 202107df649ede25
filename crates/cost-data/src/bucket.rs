//! One bucket of an object store that speaks S3: its client, and what its refusals mean.
//!
//! Credentials, region and endpoint come from the standard environment variables of AWS and from nowhere else: without them nobody asks
//! the metadata service of a cloud, which would take minutes to say nothing. One runtime serves all clients, whoever
//! waits on it drives it: connections are shared between threads, and no thread is started for them.

use crate::limits::{STORE_CONNECT_SECONDS, STORE_RETRIES_MAX, STORE_RETRY_SECONDS, STORE_SILENCE_SECONDS};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use std::collections::BTreeMap;
use std::env;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Why an object store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What it comes to.
    pub kind: Kind,
    /// The reason, to stand after the name of the place.
    pub reason: String,
    /// The way out.
    pub hint: &'static str,
}

/// What a refusal comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The object is not there.
    Missing,
    /// The object is not the version that was asked for.
    Changed,
    /// The object is there already.
    Exists,
    /// The store does not do this.
    Unsupported,
    /// Asking again would give the same answer.
    Refused,
    /// Asking again may help.
    Passing,
}

const HINT_ACCESS: &str =
    "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and what they are allowed to do";
const HINT_CREDENTIALS: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where they are temporary; \
     `aws configure export-credentials --format env` prints them";
const HINT_PLACE: &str = "check the name, AWS_REGION and AWS_ENDPOINT_URL";
const HINT_REACH: &str = "check AWS_ENDPOINT_URL, AWS_REGION and the network";
const HINT_LATER: &str = "run again later";

/// A client of one bucket.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    endpoint: String,
    pub client: AmazonS3,
}

static BUCKETS: Mutex<BTreeMap<String, Arc<Bucket>>> = Mutex::new(BTreeMap::new());
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Waits for something that a store is asked for.
pub fn wait<T>(work: impl Future<Output = T>) -> Result<T, StoreError> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.block_on(work));
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| refused(format!("cannot be asked for: {error}"), ""))?;
    Ok(RUNTIME.get_or_init(|| runtime).block_on(work))
}

impl Bucket {
    /// The client of a bucket; one per bucket and process.
    pub fn of(name: &str) -> Result<Arc<Self>, StoreError> {
        let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = buckets.get(name) {
            return Ok(Arc::clone(known));
        }
        let bucket = Arc::new(Self::connect(name)?);
        buckets.insert(name.to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }

    fn connect(name: &str) -> Result<Self, StoreError> {
        let variable = |names: &[&str]| {
            names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.trim().is_empty()))
        };
        let key = variable(&["AWS_ACCESS_KEY_ID"]);
        let (Some(key), Some(secret)) = (key, variable(&["AWS_SECRET_ACCESS_KEY"])) else {
            return Err(refused("there are no credentials to read it with".to_owned(), HINT_CREDENTIALS));
        };
        // Whoever chose a provider before has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let region =
            variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        if let Some(url) = endpoint.as_ref().filter(|url| !is_web_address(url)) {
            return Err(refused(
                format!("the endpoint `{url}` is not an http:// or https:// address"),
                HINT_REACH,
            ));
        }
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(&region)
            .with_access_key_id(key)
            .with_secret_access_key(secret)
            // What is written is named by its hash or read again; the signature need not hash it once more.
            .with_unsigned_payload(endpoint.as_ref().is_none_or(|url| url.starts_with("https://")))
            // One by one: not every store that speaks S3 takes lists of what to delete.
            .with_disable_bulk_delete(true)
            .with_retry(retry())
            .with_client_options(options(endpoint.as_deref()));
        if let Some(token) = variable(&["AWS_SESSION_TOKEN"]) {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = &endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        let client = builder.build().map_err(|error| refused(innermost(&error), HINT_REACH))?;
        let endpoint = endpoint.unwrap_or_else(|| format!("Amazon S3 in {region}"));
        Ok(Self { name: name.to_owned(), endpoint, client })
    }

    /// What an error of the store means.
    pub fn explain(&self, error: &object_store::Error) -> StoreError {
        use object_store::Error;
        let text = chain(error);
        let code = between(&text, "<Code>", "</Code>");
        let (name, endpoint) = (&self.name, &self.endpoint);
        let told = between(&text, "<Message>", "</Message>").or(code).map(str::to_owned);
        let told = told.unwrap_or_else(|| innermost(error));
        let of = |kind, reason: String, hint| StoreError { kind, reason, hint };
        match (error, code) {
            (_, Some("NoSuchBucket")) => {
                of(Kind::Refused, format!("there is no bucket `{name}` at {endpoint}"), HINT_PLACE)
            }
            (Error::Precondition { .. } | Error::NotModified { .. }, _) => {
                of(Kind::Changed, "is not the version that was listed".to_owned(), HINT_LATER)
            }
            (Error::AlreadyExists { .. }, _) => of(Kind::Exists, "is there already".to_owned(), ""),
            (Error::NotImplemented { .. }, _) | (_, Some("NotImplemented")) => {
                of(Kind::Unsupported, format!("{endpoint} does not do this: {told}"), HINT_REACH)
            }
            (Error::NotFound { .. }, _) => of(Kind::Missing, "is not there".to_owned(), HINT_PLACE),
            (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, code) => {
                let code = code.unwrap_or("403");
                of(Kind::Refused, format!("access is denied by {endpoint} ({code})"), HINT_ACCESS)
            }
            (_, Some("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired")) => {
                of(Kind::Refused, format!("access is denied by {endpoint}: {told}"), HINT_ACCESS)
            }
            (_, Some("SlowDown" | "ServiceUnavailable" | "InternalError")) => of(
                Kind::Passing,
                format!("{endpoint} asks to slow down, again and again: {told}"),
                HINT_LATER,
            ),
            (_, Some(code)) => of(Kind::Refused, format!("{endpoint} answers {code}: {told}"), HINT_PLACE),
            (_, None) => of(Kind::Passing, format!("{endpoint} gives no good answer: {told}"), HINT_REACH),
        }
    }
}

impl StoreError {
    /// Something that asking again does not change.
    pub fn refused(reason: String, hint: &'static str) -> Self {
        Self { kind: Kind::Refused, reason, hint }
    }
}

fn refused(reason: String, hint: &'static str) -> StoreError {
    StoreError::refused(reason, hint)
}

fn is_web_address(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Patient with a store that throttles, and soon done with one that is not there.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 3.,
        },
        max_retries: STORE_RETRIES_MAX,
        retry_timeout: Duration::from_secs(STORE_RETRY_SECONDS),
    }
}

fn options(endpoint: Option<&str>) -> ClientOptions {
    ClientOptions::new()
        // Only where somebody wrote `http://`.
        .with_allow_http(endpoint.is_some_and(|url| url.starts_with("http://")))
        // A large part may take long, but it may not stand still.
        .with_timeout_disabled()
        .with_read_timeout(Duration::from_secs(STORE_SILENCE_SECONDS))
        .with_connect_timeout(Duration::from_secs(STORE_CONNECT_SECONDS))
        .with_http1_only()
}

/// The texts of an error and of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The last cause: what went wrong and not what was tried.
fn innermost(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}
