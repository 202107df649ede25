//! The door to a desk: the data directory, where nobody holds it, or a server. What is asked and answered is the same.

use super::data::Data;
use super::settings::Settings;
use crate::cli::desk::DeskArguments;
use crate::failure::Failure;
use anyhow::{Context, anyhow};
use aws_wire::errors::WireError;
use aws_wire::model::Operation;
use aws_wire::sigv4::{Received, SecretKey, Signer, body_sha256};
use back_office::clock::{Clock, machine_seconds};
use billing::account::AccountId;
use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;
use std::time::Duration;

/// How long a server may take to answer.
const ANSWER: Duration = Duration::from_secs(300);
/// The region in signatures to a server; it takes any.
const REGION: &str = "us-east-1";

/// A desk that can be asked.
pub enum Door {
    /// The data directory itself, as the operator.
    Data(Box<Data>, AccountId),
    /// A server, with a key.
    Server(Server),
}

/// A server and the key that it is asked with.
pub struct Server {
    endpoint: String,
    access_key_id: String,
    secret: SecretKey,
    client: reqwest::Client,
}

impl Door {
    /// Opens the door that the arguments name.
    pub async fn open(arguments: &DeskArguments) -> Result<Self, Failure> {
        if let Some(endpoint) = &arguments.endpoint {
            return Ok(Self::Server(Server::new(endpoint)?));
        }
        let settings = Settings::of(&arguments.place)?;
        let clock = arguments.now.as_deref().map(super::instant::instant).transpose()?;
        let clock = clock.map_or(Clock::Machine, Clock::Fixed);
        let data = Data::open(&settings, clock).await?;
        match data.payer(arguments.payer.as_deref()).await {
            Ok(payer) => Ok(Self::Data(Box::new(data), payer)),
            Err(failure) => {
                data.close().await;
                Err(failure)
            }
        }
    }

    /// Asks an operation of the desk's own service.
    pub async fn ask(&self, operation: &str, input: &Value) -> Result<Value, Failure> {
        self.ask_of(aws_api::proforma::SERVICE, operation, input).await
    }

    /// Asks an operation of a service that is asked in AWS's JSON, all of it in the body.
    pub async fn ask_of(&self, service: &str, operation: &str, input: &Value) -> Result<Value, Failure> {
        let body = serde_json::to_vec(input)?;
        let answer = match self {
            Self::Data(data, payer) => {
                let caller = data.desk().operator(payer, format!("command-{}", std::process::id()));
                let asked = data.api.ask(&caller, (service, operation), &body, None).await;
                asked.map_err(|error| refused(&error))?
            }
            Self::Server(server) => server.ask(service, operation, body).await?,
        };
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Prices what is queued, where no server does.
    pub async fn price_queued(&self) -> Result<(), Failure> {
        if let Self::Data(data, _) = self {
            while data
                .desk()
                .work_once()
                .await
                .map_err(|error| anyhow!("the month cannot be priced: {error:?}"))?
            {
                data.desk().remove_superseded().await;
            }
        }
        Ok(())
    }

    /// Writes down what was read, and lets the database go.
    pub async fn close(self) -> Result<(), Failure> {
        if let Self::Data(data, _) = self {
            let written = data.desk().flush_reads().await;
            data.close().await;
            written.map_err(|error| anyhow!("the audit could not be written: {error:?}"))?;
        }
        Ok(())
    }
}

impl Server {
    fn new(endpoint: &str) -> Result<Self, Failure> {
        let key = |name: &str| {
            std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                Failure::input(format!("{name} is not set"))
                    .hint("make a key with `proforma keys create`, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            })
        };
        // A second choice of the provider is no change.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            access_key_id: key("AWS_ACCESS_KEY_ID")?,
            secret: SecretKey::new(key("AWS_SECRET_ACCESS_KEY")?),
            client: reqwest::Client::builder().timeout(ANSWER).build()?,
        })
    }

    async fn ask(&self, service: &str, operation: &str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let model = aws_api::services::all().by_signing_name(service);
        let model = model.ok_or_else(|| anyhow!("there is no service `{service}`"))?;
        let found = model.operation(operation).filter(|operation| operation.method == "POST");
        let path = found.and_then(Operation::fixed_path);
        let path = path.ok_or_else(|| anyhow!("{service}:{operation} is not asked by its body alone"))?;
        let shown = &self.endpoint;
        let url = reqwest::Url::parse(&format!("{shown}{path}"))
            .map_err(|error| Failure::input(format!("endpoint `{shown}` is no URL: {error}")))?;
        let host = url.host_str().map(|host| match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        });
        let host = host.ok_or_else(|| Failure::input(format!("endpoint `{shown}` names no host")))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(&host)?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(model.protocol.content_type()));
        if let Some(prefix) = &model.target_prefix {
            headers.insert("x-amz-target", HeaderValue::from_str(&format!("{prefix}.{operation}"))?);
        }
        let signer = Signer {
            access_key_id: &self.access_key_id,
            secret: &self.secret,
            region: REGION,
            service,
            time_seconds: machine_seconds(),
        };
        let received = Received {
            method: "POST",
            raw_path: &path,
            raw_query: "",
            headers: &headers,
            body_sha256: body_sha256(&body),
        };
        let signature = signer.sign(&received)?;
        headers.extend(signature);
        let sent = self.client.post(url).headers(headers).body(body).send().await;
        let response = sent.with_context(|| format!("`{shown}` does not answer"))?;
        let status = response.status();
        let answer = response.bytes().await.with_context(|| format!("`{shown}` broke off"))?;
        if status.is_success() {
            return Ok(answer.to_vec());
        }
        let said: Value = serde_json::from_slice(&answer).unwrap_or(Value::Null);
        let message = said.get("Message").or_else(|| said.get("message")).and_then(Value::as_str);
        let message = message.unwrap_or("no reason was given");
        match status.is_client_error() {
            true => Err(Failure::input(message.to_owned())),
            false => Err(anyhow!("`{shown}` answers {status}: {message}").into()),
        }
    }
}

/// An operation's refusal as a command's failure.
fn refused(error: &WireError) -> Failure {
    match error.status.is_client_error() {
        true => Failure::inputs(error.message.split('\n').map(ToOwned::to_owned).collect()),
        false => anyhow!("{}", error.message).into(),
    }
}
