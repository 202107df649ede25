//! How much the server takes at once, and how fast from one key.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A burst is what a key may send in this many seconds at its rate.
const BURST_SECONDS: u32 = 2;
/// After so many keys those that were not used for a while are forgotten.
const KEYS_REMEMBERED: usize = 10_000;

/// How many large bodies are kept at once: whose they are is known only when all of their bytes are there.
const LARGE_BODIES_MAX: usize = 4;
/// How long a large body waits for one of those before it to be done with.
const LARGE_BODY_WAIT_MAX: Duration = Duration::from_secs(5);

/// The limits of a server.
pub struct Limits {
    rate: DefaultKeyedRateLimiter<String>,
    places: Arc<Semaphore>,
    large_bodies: Arc<Semaphore>,
}

impl Limits {
    /// So many requests a second of a key, and so many at once of all.
    #[must_use]
    pub fn new(per_second: u32, at_once: usize) -> Self {
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let burst = per_second.saturating_mul(NonZeroU32::new(BURST_SECONDS).unwrap_or(NonZeroU32::MIN));
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            rate: RateLimiter::keyed(quota),
            places: Arc::new(Semaphore::new(at_once.max(1))),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES_MAX)),
        }
    }

    /// A place for one request; `None` where all are taken.
    #[must_use]
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// Room for one large body, for as long as its bytes are kept; `None` where none gets free in time.
    pub async fn large_body(&self) -> Option<OwnedSemaphorePermit> {
        let room = self.large_bodies.clone().acquire_owned();
        tokio::time::timeout(LARGE_BODY_WAIT_MAX, room).await.ok()?.ok()
    }

    /// Takes a request of a key.
    ///
    /// # Errors
    /// After how many seconds the key may ask again.
    pub fn take(&self, key: &str) -> Result<(), u32> {
        if self.rate.len() > KEYS_REMEMBERED {
            self.rate.retain_recent();
        }
        self.rate.check_key(&key.to_owned()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
        })
    }
}
