//! Work on the disk, off the threads that answer requests: a disk that is slow, or gone, holds up who asked and nobody else.

use std::io;

/// Does some work that waits for the disk.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
