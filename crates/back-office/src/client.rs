//! Whether the client of a request is still there. What writes goes on without it; what only makes it wait for its turn does not.

use std::future::pending;
use tokio::sync::watch;

tokio::task_local! {
    static CLIENT: watch::Receiver<()>;
}

/// Held as long as the client is there.
#[derive(Debug)]
pub struct Connected(#[expect(dead_code, reason = "its end is what is told")] watch::Sender<()>);

/// What a request knows of its client.
#[derive(Debug)]
pub struct Client(watch::Receiver<()>);

/// A client that is there until the first of both is dropped.
#[must_use]
pub fn connected() -> (Connected, Client) {
    let (here, there) = watch::channel(());
    (Connected(here), Client(there))
}

impl Client {
    /// Does something for the client.
    pub async fn served<T>(self, work: impl Future<Output = T>) -> T {
        CLIENT.scope(self.0, work).await
    }
}

/// Waits until the client of this request is gone; for ever where nobody is known to have asked.
pub(crate) async fn gone() {
    match CLIENT.try_with(Clone::clone) {
        Ok(mut client) => while client.changed().await.is_ok() {},
        Err(_) => pending().await,
    }
}
