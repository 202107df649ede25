//! Objects on their way from a store into scratch files.
//!
//! An object is fetched once, whole, into a file without a name, and is read from there as any file is: what is hashed is what
//! is read. One thread fetches all objects of a delivery, a few parts at a time: first the end or the head of each, so that formats are soon
//! known, then the rest in the order in which it will be read. Whoever reads a part that has not arrived yet waits for it.

use crate::bucket::{Kind, StoreError, wait};
use crate::diagnostics::Diagnostic;
use crate::limits::{STORE_LOOK_BYTES, STORE_PART_BYTES, STORE_RESUMES_MAX, STORE_TRANSFERS};
use crate::location::{Location, ObjectUrl, Version};
use futures_util::StreamExt;
use object_store::{GetOptions, GetRange, ObjectStore};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An object that arrives in a file.
pub struct Arriving {
    object: ObjectUrl,
    version: Version,
    file: Arc<File>,
    /// Whether all of it is there: then nobody has to ask further.
    whole: AtomicBool,
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    parts: Vec<Part>,
    ended: Option<Ended>,
}

/// A part of an object, there up to `filled`.
#[derive(Clone, Copy)]
struct Part {
    start: u64,
    end: u64,
    filled: u64,
}

/// Why no more of an object will come.
#[derive(Clone)]
enum Ended {
    /// It is another version than the listed one.
    Changed,
    Failed(StoreError),
}

impl Arriving {
    /// An object of which nothing has arrived yet.
    pub fn new(object: &ObjectUrl, version: Version, scratch: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(scratch)?;
        file.set_len(version.bytes)?;
        let parts = parts(object.key().as_ref(), version.bytes);
        let state = Mutex::new(State { parts, ended: None });
        let whole = AtomicBool::new(version.bytes == 0);
        let (object, file) = (object.clone(), Arc::new(file));
        Ok(Self { object, version, file, whole, state, more: Condvar::new() })
    }

    /// The file that it arrives in.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.version.bytes
    }

    /// Waits until these bytes are there.
    pub fn wait(&self, start: u64, length: u64) -> io::Result<()> {
        let end = start.saturating_add(length);
        let arrived =
            |part: &Part| part.end <= start || part.start >= end || part.filled >= end.min(part.end);
        if self.whole.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut state = self.state();
        while !state.parts.iter().all(arrived) {
            match &state.ended {
                Some(Ended::Changed) => return Err(io::Error::other("changed while it was fetched")),
                Some(Ended::Failed(error)) => return Err(io::Error::other(error.reason.clone())),
                None => state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        Ok(())
    }

    /// Whether the store has another version by now.
    pub fn has_changed(&self) -> bool {
        matches!(self.state().ended, Some(Ended::Changed))
    }

    /// Why it could not be fetched.
    pub fn failure(&self) -> Option<Diagnostic> {
        match &self.state().ended {
            Some(Ended::Failed(error)) => Some(Location::Object(self.object.clone()).problem(error)),
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, ended: Ended) {
        self.state().ended.get_or_insert(ended);
        self.more.notify_all();
    }

    /// Fetches a part, again from where it broke off as long as more of it comes.
    async fn fetch(&self, number: usize, stop: &AtomicBool) {
        let mut in_vain = 0;
        loop {
            let before = self.state().parts[number].filled;
            let Err(error) = self.fetch_once(number, stop).await else { return };
            if self.state().ended.is_some() || stop.load(Ordering::Relaxed) {
                return;
            }
            let further = self.state().parts[number].filled > before;
            in_vain = if further { 0 } else { in_vain + 1 };
            match error.kind {
                Kind::Passing if in_vain < STORE_RESUMES_MAX => {
                    tokio::time::sleep(Duration::from_millis(200) * in_vain.pow(2)).await;
                }
                Kind::Changed | Kind::Missing => return self.end(Ended::Changed),
                _ => return self.end(Ended::Failed(error)),
            }
        }
    }

    async fn fetch_once(&self, number: usize, stop: &AtomicBool) -> Result<(), StoreError> {
        let Part { end, filled, .. } = self.state().parts[number];
        if filled == end {
            return Ok(());
        }
        let bucket = self.object.bucket()?;
        let options = GetOptions {
            if_match: self.version.etag.clone(),
            range: Some(GetRange::Bounded(filled..end)),
            ..GetOptions::default()
        };
        let answer = bucket.client.get_opts(self.object.key(), options).await;
        let answer = answer.map_err(|error| bucket.explain(&error))?;
        // A store that knows no conditions still says which version it sends.
        if answer.meta.size != self.version.bytes
            || self.version.etag.is_some() && answer.meta.e_tag != self.version.etag
        {
            self.end(Ended::Changed);
            return Err(StoreError::refused("changed".to_owned(), ""));
        }
        let mut chunks = answer.into_stream();
        let mut at = filled;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| bucket.explain(&error))?;
            if stop.load(Ordering::Relaxed) || at + chunk.len() as u64 > end {
                return Err(StoreError::refused("more than was asked for came".to_owned(), ""));
            }
            self.file.write_all_at(&chunk, at).map_err(|error| no_scratch(&error))?;
            at += chunk.len() as u64;
            self.arrived(number, at);
        }
        if at < end {
            let (kind, hint) = (Kind::Passing, "run again later");
            return Err(StoreError { kind, reason: "came with less than its size says".to_owned(), hint });
        }
        Ok(())
    }

    fn arrived(&self, number: usize, to: u64) {
        let mut state = self.state();
        state.parts[number].filled = to;
        if state.parts.iter().all(|part| part.filled == part.end) {
            self.whole.store(true, Ordering::Release);
        }
        drop(state);
        self.more.notify_all();
    }
}

fn no_scratch(error: &io::Error) -> StoreError {
    let hint = "objects are kept in a scratch file while they are read; give a folder with room with TMPDIR, or with --scratch";
    StoreError::refused(format!("cannot be kept while it is read: {error}"), hint)
}

/// How an object is fetched: what is looked at first, then the rest in order. The footer of a Parquet file is at its end.
fn parts(name: &str, bytes: u64) -> Vec<Part> {
    let part = |start, end| Part { start, end, filled: start };
    if bytes <= 2 * STORE_LOOK_BYTES {
        return if bytes == 0 { Vec::new() } else { vec![part(0, bytes)] };
    }
    let at_end = name.ends_with(".parquet");
    let (look, rest) = match at_end {
        true => (part(bytes - STORE_LOOK_BYTES, bytes), 0..bytes - STORE_LOOK_BYTES),
        false => (part(0, STORE_LOOK_BYTES), STORE_LOOK_BYTES..bytes),
    };
    let mut parts = vec![look];
    let mut start = rest.start;
    while start < rest.end {
        let end = rest.end.min(start.saturating_add(STORE_PART_BYTES));
        parts.push(part(start, end));
        start = end;
    }
    parts
}

/// The thread that fetches; it stops when this is dropped.
pub struct Fetching(Arc<AtomicBool>);

impl Fetching {
    /// Begins to fetch these objects.
    pub fn begin(objects: Vec<Arc<Arriving>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        if !objects.is_empty() {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || fetch_all(&objects, &stop));
        }
        Self(stop)
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn fetch_all(objects: &[Arc<Arriving>], stop: &AtomicBool) {
    let numbers = |object: &Arc<Arriving>| 0..object.state().parts.len();
    let first = objects.iter().flat_map(|object| numbers(object).take(1).map(move |part| (object, part)));
    let rest = objects.iter().flat_map(|object| numbers(object).skip(1).map(move |part| (object, part)));
    let jobs: Vec<_> = first.chain(rest).collect();
    let work =
        futures_util::stream::iter(jobs).for_each_concurrent(STORE_TRANSFERS, |(object, part)| async move {
            if !stop.load(Ordering::Relaxed) {
                object.fetch(part, stop).await;
            }
        });
    let done = catch_unwind(AssertUnwindSafe(|| wait(work)));
    let failed =
        || StoreError::refused("the thread that fetches it failed; a fault of the program".to_owned(), "");
    if let Some(error) = done.map_or_else(|_| Some(failed()), Result::err) {
        objects.iter().for_each(|object| object.end(Ended::Failed(error.clone())));
    }
}
