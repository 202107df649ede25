//! Turns: of whoever makes the same thing at the same time, one does, and the others wait for what it makes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Who makes what, by its name.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<BTreeMap<String, Lock>>);

/// A turn: while it is held, nobody else has one of the same name.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    name: &'a str,
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for a turn. Whoever stops waiting leaves nothing behind.
    pub async fn of<'a>(&'a self, name: &'a str) -> Turn<'a> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.entry(name.to_owned()).or_default().clone()
        };
        let mut turn = Turn { turns: self, name, held: None };
        turn.held = Some(lock.lock_owned().await);
        turn
    }

    /// How many names are held or waited for.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // The next one in turn may go on before the name is looked at: it is counted, since it has the lock.
        drop(self.held.take());
        let mut locks = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.get(self.name).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Turns are taken one after the other, and nothing of them stays.

    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    /// Whether a future is not done at once.
    async fn waits(future: std::pin::Pin<&mut impl Future>) -> bool {
        let mut future = future;
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn whoever_waits_keeps_its_turn() {
        let turns = Turns::default();
        let first = turns.of("run").await;
        let mut second = pin!(turns.of("run"));
        assert!(waits(second.as_mut()).await);
        drop(first);
        // The second one is still waiting for the same lock: a third may not pass it by with a new one.
        let mut third = pin!(turns.of("run"));
        assert!(waits(third.as_mut()).await);
        drop(second.await);
        drop(third.await);
        assert_eq!(turns.count(), 0);
    }

    #[tokio::test]
    async fn whoever_stops_waiting_leaves_nothing() {
        let turns = Turns::default();
        let first = turns.of("run").await;
        {
            let mut second = pin!(turns.of("run"));
            assert!(waits(second.as_mut()).await);
            drop(first);
        }
        assert_eq!(turns.count(), 0);
    }
}
