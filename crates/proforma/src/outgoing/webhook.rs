//! Webhooks: a letter as JSON, signed, to a receiver that may be asked.
//!
//! A receiver knows a request by its signature (HMAC-SHA-256 over the time and the body), and a repeated one by its `Idempotency-Key`. Nothing that it
//! answers is read but the status, and nowhere that it points to is gone.

use super::addresses::Allowed;
use anyhow::Context;
use back_office::outbox::courier::{Courier, Delivery, Handover, Parcel, Undelivered};
use billing::instant::instant_text;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use serde_json::json;
use sha2::Sha256;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a receiver may take to answer.
const ANSWER: Duration = Duration::from_secs(15);
/// The port of a receiver that the operator has not named.
const HTTPS: u16 = 443;

/// What asks receivers.
pub struct Webhooks {
    client: Client,
    allowed: Allowed,
}

impl Webhooks {
    /// Asks receivers that are on the public internet, or that the operator has named.
    ///
    /// # Errors
    /// Where the system's certificates cannot be read.
    pub fn new(allowed: Allowed) -> anyhow::Result<Self> {
        // A second choice of the provider is no change.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(ANSWER)
            .redirect(redirect::Policy::none())
            // A proxy would look names up by itself, past what is looked at here.
            .no_proxy()
            .dns_resolver(Arc::new(Guarded(allowed.clone())))
            .user_agent(concat!("proforma/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("requests to webhooks cannot be set up")?;
        Ok(Self { client, allowed })
    }

    /// The URL of a receiver, if a request may go there.
    fn receiver(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("the receiver is no URL: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        if self.allowed.names(host) {
            return Ok(url);
        }
        if url.scheme() != "https" || url.port_or_known_default() != Some(HTTPS) {
            return Err(format!(
                "receiver `{host}` is not asked by https at port {HTTPS}; the operator can allow it with --webhook-allow"
            ));
        }
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        if address.is_some_and(|address| !self.allowed.may(host, address)) {
            return Err(not_public(host));
        }
        Ok(url)
    }
}

fn not_public(host: &str) -> String {
    format!("receiver `{host}` is not on the public internet; the operator can allow it with --webhook-allow")
}

impl Courier for Webhooks {
    /// A request is never unconfirmed: a receiver knows a second one by its `Idempotency-Key`.
    fn deliver<'a>(&'a self, parcel: &'a Parcel, _: &'a Handover) -> Delivery<'a> {
        Box::pin(async move {
            // The operator may allow it one day.
            let url = self.receiver(&parcel.recipient).map_err(Undelivered::Later)?;
            let body = body(parcel);
            let request = self
                .client
                .post(url)
                .header("content-type", "application/json")
                .header("idempotency-key", &parcel.delivery)
                .header("x-proforma-kind", &parcel.kind)
                .header("x-proforma-signature", signature(&parcel.secret, parcel.now, &body))
                .body(body);
            let answer = request.send().await.map_err(|error| {
                Undelivered::Later(format!("{:#}", anyhow::Error::new(error.without_url())))
            })?;
            match answer.status() {
                status if status.is_success() => Ok(()),
                status if status.is_redirection() => Err(Undelivered::Later(format!(
                    "the receiver answers {status}; name the place that it points to"
                ))),
                status => Err(Undelivered::Later(format!("the receiver answers {status}"))),
            }
        })
    }
}

/// Looks names up once, for the connection that is made then, and answers addresses only to which a request may go.
struct Guarded(Allowed);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, host) = (self.0.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if found.iter().any(|address| !allowed.may(&host, address.ip())) {
                return Err(not_public(&host).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What a receiver is sent.
fn body(parcel: &Parcel) -> String {
    let letter = &parcel.letter;
    let facts: Vec<_> =
        letter.facts.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "id": parcel.delivery,
        "payer": parcel.payer.as_str(),
        "kind": parcel.kind,
        "key": parcel.key,
        "written": instant_text(parcel.written_at),
        "subject": letter.title,
        "paragraphs": letter.paragraphs,
        "facts": facts,
    })
    .to_string()
}

/// `t=SECONDS,v1=HEX`: the HMAC-SHA-256 of the time, a full stop and the body, under the payer's secret.
fn signature(secret: &str, now: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{now}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={hex}")
}

#[cfg(test)]
mod tests {
    //! Which receivers are asked, and how they know who asks.

    use super::*;

    #[test]
    fn a_receiver_is_public_or_named() {
        let webhooks = Webhooks::new(Allowed::default()).unwrap();
        assert!(webhooks.receiver("https://hooks.example.com/x").is_ok());
        for refused in [
            "http://hooks.example.com/x",
            "https://hooks.example.com:8443/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
        ] {
            assert!(webhooks.receiver(refused).is_err(), "{refused}");
        }
        let allowed = Allowed::parse(&["127.0.0.0/8".to_owned(), "hooks.internal".to_owned()]).unwrap();
        let webhooks = Webhooks::new(allowed).unwrap();
        for named in ["http://127.0.0.1:8080/", "https://2130706433:1/", "http://hooks.internal:99/"] {
            assert!(webhooks.receiver(named).is_ok(), "{named}");
        }
    }

    #[test]
    fn a_signature_is_of_the_time_and_the_body() {
        // printf '1.{}' | openssl dgst -sha256 -hmac secret
        let known = "1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908";
        assert_eq!(signature("secret", 1, "{}"), format!("t=1,v1={known}"));
        assert_ne!(signature("secret", 1, "{}"), signature("secret", 2, "{}"));
        assert_ne!(signature("secret", 1, "{}"), signature("other", 1, "{}"));
    }
}
