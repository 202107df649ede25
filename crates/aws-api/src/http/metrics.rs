//! What the server counts of itself, for Prometheus. Labels are operations and statuses: nothing that a customer has named.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// The bounds of the histogram of times, in seconds.
const BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    operation: String,
    status: u32,
}

/// The counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<Of, Counter>,
    seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("proforma");
        let requests = Family::default();
        let seconds = Histogram::new(BOUNDS);
        registry.register("requests", "Requests that were answered", requests.clone());
        registry.register("request_seconds", "How long answers took", seconds.clone());
        Self { registry, requests, seconds }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, operation: &str, status: u16, took: Duration) {
        let operation = if operation.is_empty() { "none" } else { operation }.to_owned();
        self.requests.get_or_create(&Of { operation, status: u32::from(status) }).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// The counters as Prometheus reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
