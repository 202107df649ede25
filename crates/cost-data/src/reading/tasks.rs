//! The work on a delivery in pieces, and the threads that take them: for every pass over the lines, whatever it makes of them.

use super::{Content, OpenFile, Opened};
use crate::diagnostics::Diagnostic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A piece of work that one thread does alone.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    /// The lines of a row group of a Parquet file.
    RowGroup(usize, usize),
    /// The lines of a CSV file.
    Csv(usize),
    /// The hash of a file.
    Hash(usize),
}

impl Task {
    /// All pieces, in the order of the files.
    pub fn all(opened: &Opened) -> Vec<Self> {
        let of_file = |(number, file): (usize, &OpenFile)| {
            let lines: Vec<Self> = match &file.content {
                Content::Parquet(parquet) => {
                    (0..parquet.row_groups()).map(|group| Self::RowGroup(number, group)).collect()
                }
                Content::Csv => vec![Self::Csv(number)],
            };
            lines.into_iter().chain([Self::Hash(number)])
        };
        opened.files.iter().enumerate().flat_map(of_file).collect()
    }

    /// The file that it is on.
    pub const fn file(self) -> usize {
        let (Self::RowGroup(file, _) | Self::Csv(file) | Self::Hash(file)) = self;
        file
    }
}

impl OpenFile {
    /// The SHA-256 of the file's content; `None` if it was told to stop.
    pub fn sha256(&self, stop: impl Fn() -> bool) -> Result<Option<[u8; 32]>, Diagnostic> {
        let unread = |error| Diagnostic::file(&self.found.name, format!("cannot be read: {error}"));
        self.source.sha256(stop).map_err(unread)
    }
}

/// Runs work in threads, each by its number, and `meanwhile` a few times a second; `None` when a thread panicked.
pub(crate) fn in_threads<T: Send>(
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
    meanwhile: impl Fn(),
) -> Option<Vec<T>> {
    let finished = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (work, finished) = (&work, &finished);
        let counted = move |number| {
            let made = work(number);
            finished.fetch_add(1, Ordering::Relaxed);
            made
        };
        let handles: Vec<_> = (0..threads).map(|number| scope.spawn(move || counted(number))).collect();
        while finished.load(Ordering::Relaxed) < threads && handles.iter().any(|handle| !handle.is_finished())
        {
            meanwhile();
            thread::park_timeout(Duration::from_millis(50));
        }
        // A thread that panicked has already said why; what is left must not pass for complete.
        handles.into_iter().map(|handle| handle.join().ok()).collect()
    })
}
