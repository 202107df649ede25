//! A request that has arrived: authenticated, routed, allowed, validated.

use super::arrival::Arrived;
use super::{Answered, PERIOD_HEADER, Server, Success, unavailable, unknown};
use crate::{
    AWS_BODY_BYTES_MAX, BODY_BYTES_MAX, billing_conductor, billing_views, budgets, cost_explorer,
    data_exports, errors, invoicing, organizations, report_definitions, sts,
};
use aws_wire::errors::WireError;
use aws_wire::json::{self, Value};
use aws_wire::model::{Labels, Operation, RouteError, Service};
use aws_wire::protocol::Protocol;
use aws_wire::query;
use aws_wire::sigv4::{Claim, Expected, Presented, Received, SecretKey, SignatureError};
use back_office::authorization::Caller;
use back_office::clock::machine_seconds;
use billing::period::BillingPeriod;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};

impl Server {
    /// Answers a request, whatever it is.
    pub(super) async fn answered(&self, parts: &Parts, arrived: &Arrived, request_id: &str) -> Answered {
        // Only now: whoever sends slowly takes no place from those who have sent.
        let Some(_place) = self.limits.place() else {
            return Answered::unrouted(unavailable("too many requests are being answered; try again"));
        };
        let received = Received {
            method: parts.method.as_str(),
            raw_path: parts.uri.path(),
            raw_query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body_sha256: arrived.sha256,
        };
        let guessed = guessed_protocol(parts);
        let presented = match Presented::read(&received) {
            Ok(presented) => presented,
            Err(error) => return refused(guessed, &error),
        };
        let service = presented.service().and_then(|name| self.api.services.by_signing_name(name));
        let Some(service) = service else {
            let name = presented.service().unwrap_or_default().to_owned();
            return Answered { protocol: guessed, ..Answered::unrouted(unknown(&name)) };
        };
        let mut answered =
            Answered { protocol: service.protocol, ..Answered::unrouted(WireError::internal()) };
        let expected = Expected {
            service: &service.signing_name,
            regions: None,
            now_seconds: machine_seconds(),
            window_seconds: self.options.signature_window_seconds,
        };
        let is_signed = |name: &str| presented.signed_headers().iter().any(|signed| signed == name);
        if parts.headers.contains_key(PERIOD_HEADER) && !is_signed(PERIOD_HEADER) {
            return refused(service.protocol, &SignatureError::HeaderNotSigned(PERIOD_HEADER.to_owned()));
        }
        let claim = match presented.check(&expected) {
            Ok(claim) => claim,
            Err(error) => return refused(service.protocol, &error),
        };
        answered.access_key_id = claim.access_key_id().to_owned();
        let caller = match self.authenticated(&claim, &received, service.protocol, request_id).await {
            Ok(caller) => caller,
            Err(error) => {
                answered.result = Err(error);
                return answered;
            }
        };
        if let Err(seconds) = self.limits.take(claim.access_key_id()) {
            answered.result = Err(WireError::throttled(seconds));
            return answered;
        }
        self.api.desk.note_used(claim.access_key_id());
        let Some(body) = &arrived.bytes else {
            // The key was not known when the body began, or could not be looked up; or others had the room.
            answered.result = Err(unavailable("the body was not kept; try again"));
            return answered;
        };
        self.performed(service, &caller, parts, body, request_id, &mut answered).await;
        answered
    }

    /// Who asks: the principal of the key, if the signature is the key's.
    async fn authenticated(
        &self,
        claim: &Claim,
        received: &Received<'_>,
        protocol: Protocol,
        request_id: &str,
    ) -> Result<Caller, WireError> {
        let known = self.api.desk.key(claim.access_key_id()).await;
        let known = known.map_err(|cause| {
            tracing::error!(?cause, "a key could not be looked up");
            unavailable("access keys cannot be looked up now; try again")
        })?;
        let Some(key) = known.filter(|key| key.is_active) else {
            return Err(WireError::signature(&claim.refuse_unknown_key(received), protocol));
        };
        let secret = SecretKey::new(key.secret.to_string());
        claim.verify(received, &secret).map_err(|error| WireError::signature(&error, protocol))?;
        Ok(Caller {
            payer: key.payer,
            principal: key.principal,
            principal_since_ms: key.principal_since_ms,
            access_key_id: claim.access_key_id().to_owned(),
            role: key.role,
            scope: key.scope,
            request_id: request_id.to_owned(),
            now: self.api.desk.now(),
        })
    }

    /// Routes, allows, validates and performs.
    async fn performed(
        &self,
        service: &Service,
        caller: &Caller,
        parts: &Parts,
        body: &[u8],
        request_id: &str,
        answered: &mut Answered,
    ) {
        let form = match service.protocol {
            Protocol::Query if parts.method == http::Method::GET => {
                query::parse_query_string(parts.uri.query().unwrap_or_default()).unwrap_or_default()
            }
            Protocol::Query => query::parse_form(&String::from_utf8_lossy(body)).unwrap_or_default(),
            _ => Vec::new(),
        };
        let (operation, labels) = match route(service, parts, &form) {
            Ok(routed) => routed,
            Err(error) => {
                answered.result = Err(error);
                return;
            }
        };
        answered.operation = format!("{}:{}", service.signing_name, operation.name);
        let asked = Asked { service, operation, labels: &labels, parts, body };
        answered.result = self.asked(caller, &asked, request_id).await;
    }

    async fn asked(
        &self,
        caller: &Caller,
        asked: &Asked<'_>,
        request_id: &str,
    ) -> Result<Success, WireError> {
        let Asked { service, operation, .. } = *asked;
        self.api.authorize(caller, service, operation).await?;
        let period = period_of(&asked.parts.headers)?;
        let input = asked.input()?;
        let api = self.api.at(&self.origin(&asked.parts.headers));
        let bytes = api.perform(caller, service, operation, &input, period).await?;
        if service.protocol == Protocol::Query {
            return Ok(Success::Whole(sts::xml(caller, request_id)));
        }
        Ok(Success::Bytes(StatusCode::from_u16(operation.status).unwrap_or(StatusCode::OK), bytes))
    }
}

impl Server {
    /// How whoever asks reaches the server: as the operator says, or else where the request was sent to, which its signature covers.
    fn origin(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.options.public_url {
            return url.clone();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        format!("{}://{host}", self.options.scheme)
    }
}

/// The protocol of a request that is not known to be of a service: by what it looks like.
fn guessed_protocol(parts: &Parts) -> Protocol {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default();
    [Protocol::AwsJson10, Protocol::AwsJson11, Protocol::Query]
        .into_iter()
        .find(|protocol| protocol.takes(Some(kind)))
        .unwrap_or(Protocol::RestJson)
}

/// A routed request.
struct Asked<'a> {
    service: &'a Service,
    operation: &'a Operation,
    labels: &'a Labels,
    parts: &'a Parts,
    body: &'a [u8],
}

impl Asked<'_> {
    /// The input, parsed and held to the model.
    fn input(&self) -> Result<Value, WireError> {
        let Self { service, operation, labels, parts, body } = *self;
        // What the one operation of that protocol takes is its name, by which it was routed.
        if service.protocol == Protocol::Query {
            return Ok(Value::Map(Default::default()));
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !body.is_empty() && !service.protocol.takes(kind) {
            return Err(WireError::unsupported_media_type(service.protocol));
        }
        let of_aws = [
            billing_conductor::SERVICE,
            billing_views::SERVICE,
            budgets::SERVICE,
            cost_explorer::SERVICE,
            data_exports::SERVICE,
            invoicing::SERVICE,
            organizations::SERVICE,
            report_definitions::SERVICE,
        ];
        let is_of_aws = of_aws.contains(&service.signing_name.as_str());
        let most = if is_of_aws { AWS_BODY_BYTES_MAX } else { BODY_BYTES_MAX };
        if body.len() > most {
            return Err(WireError::request_too_large(most as u64));
        }
        let value = match body.is_empty() {
            true => None,
            false => {
                let parsed = json::parse(body, json::Limits::of_size(most));
                Some(parsed.map_err(|error| errors::unparsable(service, &error))?)
            }
        };
        let pairs = query::parse_query_string(parts.uri.query().unwrap_or_default());
        let pairs = pairs.map_err(|error| WireError::serialization(error.to_string()))?;
        let input = service.input(operation, labels, &pairs, &parts.headers, value);
        input.map_err(|problems| errors::invalid_fields(service, problems))
    }
}

fn route<'s>(
    service: &'s Service,
    parts: &Parts,
    form: &[(String, String)],
) -> Result<(&'s Operation, Labels), WireError> {
    let header = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let given = |name: &str| form.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    if service.protocol == Protocol::Query {
        let (action, version) = (given("Action"), given("Version"));
        // A service of the query protocol knows its operations by name and version.
        let routed = service.route(parts.method.as_str(), parts.uri.path(), action).ok();
        return routed.filter(|_| version.is_none_or(|version| version == sts::VERSION)).ok_or_else(|| {
            let (action, version) = (action.unwrap_or_default(), version.unwrap_or(sts::VERSION));
            let message = format!("could not find operation `{action}` for version `{version}`");
            WireError::new(StatusCode::BAD_REQUEST, "InvalidAction", message)
        });
    }
    service.route(parts.method.as_str(), parts.uri.path(), header).map_err(|error| match error {
        RouteError::UnknownOperation(what) if service.signing_name == billing_conductor::SERVICE => {
            errors::unknown_path(&what)
        }
        error => WireError::unknown_operation(&error),
    })
}

/// The period from which on the operator wants a write to hold.
fn period_of(headers: &HeaderMap) -> Result<Option<BillingPeriod>, WireError> {
    let Some(value) = headers.get(PERIOD_HEADER) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let period = BillingPeriod::parse(text);
    period.map(Some).map_err(|error| errors::bad_period(&error.to_string()))
}

fn refused(protocol: Protocol, error: &SignatureError) -> Answered {
    Answered { protocol, ..Answered::unrouted(WireError::signature(error, protocol)) }
}
