//! One open file, read by position.
//!
//! A file is opened once: what is hashed is what is read, even if the path is given a new file meanwhile. Reads name their
//! position, so threads share the file without sharing a cursor.

use crate::fetch::Arriving;
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

/// How much is hashed at once.
const HASH_BUFFER_BYTES: usize = 1 << 20;

/// An open regular file, as it was when it was opened.
#[derive(Clone)]
pub struct Source {
    file: Arc<File>,
    bytes: u64,
    modified: (i64, i64),
    /// Where the file comes from, when it is an object of a store: what is read may still be on its way.
    arriving: Option<Arc<Arriving>>,
}

impl Source {
    /// Opens a regular file.
    pub fn open(path: &Path) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot be read: {error}");
        // Asking first: opening a pipe would wait for somebody to write.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err("is not a regular file".to_owned());
        }
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Ok(Self { file: Arc::new(file), bytes: metadata.len(), modified, arriving: None })
    }

    /// An object, in the file that it arrives in.
    pub fn arriving(object: Arc<Arriving>) -> Self {
        Self { file: object.file(), bytes: object.bytes(), modified: (0, 0), arriving: Some(object) }
    }

    /// Waits until these bytes are there.
    fn wait(&self, start: u64, length: usize) -> io::Result<()> {
        self.arriving.as_ref().map_or(Ok(()), |object| object.wait(start, length as u64))
    }

    /// The size when it was opened.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether somebody wrote into the file since it was opened.
    pub fn has_changed(&self) -> bool {
        if let Some(object) = &self.arriving {
            return object.has_changed();
        }
        self.file
            .metadata()
            .map_or(true, |now| (now.len(), (now.mtime(), now.mtime_nsec())) != (self.bytes, self.modified))
    }

    /// The first bytes of the file, at most `count`.
    pub fn head(&self, count: usize) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.reader().take(count as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    /// The SHA-256 of the content; `None` when `give_up` said so on the way.
    pub fn sha256(&self, give_up: impl Fn() -> bool) -> io::Result<Option<[u8; 32]>> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; HASH_BUFFER_BYTES];
        let mut reader = self.reader();
        while !give_up() {
            match reader.read(&mut buffer)? {
                0 => return Ok(Some(hash.finalize().into())),
                count => hash.update(&buffer[..count]),
            }
        }
        Ok(None)
    }

    /// A reader of its own position, from the start.
    pub fn reader(&self) -> SourceReader {
        SourceReader { source: self.clone(), position: 0 }
    }
}

/// Reads a [`Source`] from a position on.
pub struct SourceReader {
    source: Source,
    position: u64,
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.source.bytes.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        self.source.wait(self.position, wanted)?;
        let count = self.source.file.read_at(&mut buffer[..wanted], self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SourceReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.source.bytes.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position =
            position.ok_or_else(|| io::Error::other("a position before the start of the file"))?;
        Ok(self.position)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Source {
    type T = BufReader<SourceReader>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(SourceReader { source: self.clone(), position: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.bytes) {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} are beyond the end of the file"
            )));
        }
        self.wait(start, length)?;
        // Into capacity that nobody has filled with zeros before.
        let mut buffer = Vec::with_capacity(length);
        while buffer.len() < length {
            let position = start + buffer.len() as u64;
            match pread(&self.file, spare_capacity(&mut buffer), position) {
                Ok(0) => {
                    return Err(ParquetError::EOF("the file became shorter while it was read".to_owned()));
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        buffer.truncate(length);
        Ok(buffer.into())
    }
}
