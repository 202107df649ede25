//! The folders of runs: how long they stay, and what removes them.
//!
//! What a period shows, what a closed period is sealed with and what an adjustment was made by stays for good. Of what was superseded, the last few
//! runs of each period stay, to be compared with. Everything else goes: older runs, what a run has left that failed or had nothing new, and what a
//! process has left that was killed.
//!
//! The row of a run says first that its files are removed, and then they are: whoever is killed between the two leaves a folder that no row names, which
//! goes the next time. Who reads a folder holds [`Reading`] from before it looks for the row until it has read the last file; who removes some has the
//! lock alone. The lock is of the file system: a backup is another process.
//!
//! What is only tried out, and copies of cost files that are not finished, are named nowhere: they go when a process begins to work in the directory and
//! no other one does. Each holds [`Working`] as long as it works.

use crate::clock::machine_milliseconds;
use crate::data_directory::{self, COST_FILES, DOCUMENTS, PAYERS, RUN_FOLDERS_LOCK, SCRATCH, WORKING_LOCK};
use crate::desk::BackOffice;
use crate::disk::on_disk;
use crate::error::{Answer, Error};
use billing::account::AccountId;
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use store::RunFiles;

/// How many superseded runs of a period keep their files, where nobody says otherwise.
pub const SUPERSEDED_RUNS: usize = 5;
/// How often, and how long, somebody who wants to read looks whether folders are still being removed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_secs(30);

/// As long as it is held, no folder of a run is removed.
#[derive(Debug)]
pub struct Reading(#[expect(dead_code, reason = "the lock holds as long as the file is open")] File);

/// Waits until no folder is being removed, and keeps it so.
///
/// # Errors
/// Of the file system.
pub fn reading(data: &Path) -> io::Result<Reading> {
    let file = open_lock(data, RUN_FOLDERS_LOCK)?;
    file.lock_shared()?;
    Ok(Reading(file))
}

/// The same without a thread that waits: as many may wait as want to. `None` where it takes too long.
async fn reading_soon(data: &Path) -> io::Result<Option<Reading>> {
    let data = data.to_owned();
    let file = on_disk(move || open_lock(&data, RUN_FOLDERS_LOCK)).await?;
    let until = Instant::now() + WAIT_MAX;
    loop {
        match file.try_lock_shared() {
            Ok(()) => return Ok(Some(Reading(file))),
            Err(TryLockError::WouldBlock) if Instant::now() < until => tokio::time::sleep(LOOK_AGAIN).await,
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// As long as it is held, nothing that is unfinished is removed.
#[derive(Debug)]
pub struct Working(#[expect(dead_code, reason = "the lock holds as long as the file is open")] File);

/// Begins to work in a data directory. Where nobody else does, what others have left unfinished is removed first.
///
/// # Errors
/// Of the file system, about the lock; what cannot be removed is in the way of nobody, and stays.
pub fn working(data: &Path) -> io::Result<Working> {
    let file = open_lock(data, WORKING_LOCK)?;
    match file.try_lock() {
        Ok(()) => {
            if let Err(error) = remove_unfinished(data) {
                tracing::warn!(%error, "unfinished files could not be removed");
            }
            // Between this and the next line another process may begin, and remove in its turn: nothing is there yet that is ours.
            file.unlock()?;
        }
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    file.lock_shared()?;
    Ok(Working(file))
}

fn open_lock(data: &Path, name: &str) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(data.join(name))
}

impl BackOffice {
    /// Keeps the folders of runs as they are while some are read.
    pub(crate) async fn reading(&self) -> Answer<Reading> {
        let locked = reading_soon(&self.0.options.data).await.map_err(Error::internal)?;
        locked.ok_or(Error::Unavailable("folders of runs are being removed; try again"))
    }

    /// Removes the folders that nothing needs any more; `false` where some are being read, or something went wrong, so that it is to be tried again.
    pub async fn remove_superseded(&self) -> bool {
        let data = self.0.options.data.clone();
        let opened = on_disk(move || open_lock(&data, RUN_FOLDERS_LOCK)).await;
        let lock = match opened.map(|file| (file.try_lock(), file)) {
            Ok((Ok(()), lock)) => lock,
            Ok((Err(TryLockError::WouldBlock), _)) => return false,
            Ok((Err(TryLockError::Error(error)), _)) | Err(error) => {
                tracing::warn!(%error, "folders of runs could not be locked to be removed");
                return false;
            }
        };
        let removed = self.remove_of_all().await;
        drop(lock);
        match removed {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(?error, "superseded runs could not be removed; they are tried again");
                false
            }
        }
    }

    async fn remove_of_all(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            self.remove_of(&payer.payer).await?;
        }
        Ok(())
    }

    async fn remove_of(&self, payer: &AccountId) -> Answer<()> {
        let store = &self.0.store;
        let root = data_directory::runs(payer);
        // In this order: a folder that is there is of a run that is begun, or that has ended by the time its row is read.
        let folder = self.folder(&root);
        let there = on_disk(move || listed(&folder)).await.map_err(Error::internal)?;
        let begun = store.begun_runs(payer).await.map_err(Error::internal)?;
        let mut kept = store.runs_with_files(payer).await.map_err(Error::internal)?;
        // What no row names goes first: a full disk has to have room for the rows that come.
        let mut gone: Vec<String> = there
            .iter()
            .map(|name| format!("{root}/{name}"))
            .filter(|name| !is_named(name, &kept, &begun))
            .collect();
        self.remove(payer, &gone).await?;
        gone.clear();
        for run in superseded(&mut kept, self.0.options.superseded_runs) {
            let noted = store.note_files_removed(payer, &run.run, machine_milliseconds()).await;
            if noted.map_err(Error::internal)? {
                gone.push(run.done.folder);
            }
        }
        self.remove(payer, &gone).await
    }

    async fn remove(&self, payer: &AccountId, names: &[String]) -> Answer<()> {
        if names.is_empty() {
            return Ok(());
        }
        let folders: Vec<_> = names.iter().map(|name| self.folder(name)).collect();
        let removed = on_disk(move || folders.iter().try_for_each(|folder| remove_folder(folder))).await;
        removed.map_err(Error::internal)?;
        tracing::info!(%payer, count = names.len(), "folders of runs were removed that nothing needs");
        Ok(())
    }
}

/// Those runs whose files nothing needs, but the last ones of each period.
fn superseded(runs: &mut Vec<RunFiles>, kept_max: usize) -> Vec<RunFiles> {
    runs.retain(|run| !run.is_needed);
    let (mut period, mut seen) = (None, 0);
    let mut old = Vec::new();
    for run in runs.drain(..) {
        if period.replace(run.period) != Some(run.period) {
            seen = 0;
        }
        seen += 1;
        if seen > kept_max {
            old.push(run);
        }
    }
    old
}

/// Whether a folder is a run's that has its files, or may be about to be.
fn is_named(name: &str, kept: &[RunFiles], begun: &BTreeSet<String>) -> bool {
    // `RUN-ATTEMPT`, or `.RUN-ATTEMPT.partial-NUMBER` before it is whole.
    let last = name.rsplit('/').next().unwrap_or_default();
    let run = last.trim_start_matches('.').split('-').next().unwrap_or_default();
    begun.contains(run) || kept.iter().any(|run| run.done.folder == name)
}

/// The folders of runs below that of a payer's, as `PERIOD/NAME`.
fn listed(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for period in names(root)? {
        found.extend(names(&root.join(&period))?.into_iter().map(|name| format!("{period}/{name}")));
    }
    Ok(found)
}

/// The names in a folder; none where it is not there.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Removes a folder, which may be gone already. Files that other runs have too stay theirs.
fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn remove_unfinished(data: &Path) -> io::Result<()> {
    remove_folder(&data.join(SCRATCH))?;
    for payer in names(&data.join(PAYERS))? {
        for folder in [COST_FILES, DOCUMENTS] {
            let kept = data.join(PAYERS).join(&payer).join(folder);
            for name in names(&kept)?.into_iter().filter(|name| name.starts_with('.')) {
                fs::remove_file(kept.join(name))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
