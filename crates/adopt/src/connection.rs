//! Clients of AWS: credentials, region and endpoint as every AWS tool finds them, TLS by rustls with ring.

use crate::failure::{ATTEMPTS_MAX, PATIENT_ATTEMPTS_MAX, chain, explained, refused};
use anyhow::Context;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_billingconductor::config::{HttpClient, ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use std::time::Duration;

/// Where the Billing Conductor is, whatever the region of the rest.
const REGION: &str = "us-east-1";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a request is sent before its error is told.
#[must_use]
pub fn retry(attempts: u32) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(attempts)
}

/// A client of the service of a crate, at a connection's place, which sends a request so often at most.
macro_rules! client {
    ($sdk:ident, $connection:expr, $attempts:expr) => {{
        let config = $sdk::config::Builder::from(&$connection.config).retry_config(retry($attempts));
        let config = match &$connection.endpoint {
            Some(endpoint) => config.endpoint_url(endpoint),
            None => config,
        };
        $sdk::Client::from_conf(config.build())
    }};
}

/// A place that answers AWS's API, and the credentials to ask it.
pub struct Connection {
    config: SdkConfig,
    endpoint: Option<String>,
    attempts: u32,
}

impl Connection {
    /// The same, which the Billing Conductor may tell to slow down more often.
    #[must_use]
    pub fn patient(self) -> Self {
        Self { attempts: PATIENT_ATTEMPTS_MAX, ..self }
    }

    /// Finds credentials. They are asked for once: a credential process may want a person each time.
    ///
    /// # Errors
    /// None are found, or their source does not give any.
    pub async fn new(endpoint: Option<String>) -> anyhow::Result<Self> {
        Self::of_profile(endpoint, None).await
    }

    /// Finds the credentials of a profile, or those that every AWS tool finds.
    ///
    /// # Errors
    /// None are found, or their source does not give any.
    pub async fn of_profile(endpoint: Option<String>, profile: Option<&str>) -> anyhow::Result<Self> {
        let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else(Region::new(REGION));
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let config = loader
            .http_client(http_client())
            .region(region)
            .retry_config(retry(ATTEMPTS_MAX))
            .timeout_config(timeouts)
            .load()
            .await;
        let provider = config.credentials_provider().context("no source of credentials is configured")?;
        let credentials = provider.provide_credentials().await.map_err(|error| {
            refused(format!(
                "no AWS credentials; log in (`aws sso login`), choose a profile (AWS_PROFILE), or set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY ({})",
                chain(&error)
            ))
        })?;
        let config =
            config.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        Ok(Self { config, endpoint, attempts: ATTEMPTS_MAX })
    }

    /// A client of AWS Organizations. Of a large organization some thousand things are asked, so that being told to slow down is part of it.
    #[must_use]
    pub fn organizations(&self) -> aws_sdk_organizations::Client {
        client!(aws_sdk_organizations, self, PATIENT_ATTEMPTS_MAX)
    }

    /// A client of the Billing Conductor. Of a large payer some thousand cost reports are asked for, as fast as it lets.
    #[must_use]
    pub fn billing_conductor(&self) -> aws_sdk_billingconductor::Client {
        client!(aws_sdk_billingconductor, self, self.attempts)
    }

    /// A client of Cost Explorer, which tells its callers to slow down as a matter of course.
    #[must_use]
    pub fn cost_explorer(&self) -> aws_sdk_costexplorer::Client {
        client!(aws_sdk_costexplorer, self, PATIENT_ATTEMPTS_MAX)
    }

    /// The account whose credentials these are.
    ///
    /// # Errors
    /// STS does not say.
    pub async fn caller_account(&self) -> anyhow::Result<String> {
        let identity = client!(aws_sdk_sts, self, ATTEMPTS_MAX).get_caller_identity().send().await;
        let identity = identity.map_err(|error| explained("GetCallerIdentity", error))?;
        identity.account.context("GetCallerIdentity: the answer names no account")
    }
}

/// HTTP over rustls with ring, through the proxy that the environment names: what the SDK does by itself, but for aws-lc.
fn http_client() -> impl HttpClient + 'static {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
    })
}
