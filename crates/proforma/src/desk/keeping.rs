//! Keeping a desk: migration, backup and restore, verification, a new master key.

use super::data::{
    Data, Lock, NEW_KEY, close, make_private, master_key_path, open_store, take_in_log, write_key,
};
use super::output;
use super::settings::Settings;
use crate::cli::desk::{
    BackupArguments, DataArguments, DeskOutput, RestoreArguments, RotateMasterArguments, VerifyArguments,
};
use crate::engine::{CostEngine, file_sha256};
use crate::failure::Failure;
use anyhow::{Context, anyhow};
use back_office::audit_chain::Chain;
use back_office::clock::Clock;
use back_office::data_directory::{self, MASTER_KEY, PAYERS};
use back_office::engine::Engine;
use back_office::invoice_documents::page_bytes;
use back_office::invoices::books;
use back_office::run_folders::{Reading, reading};
use back_office::vault::MasterKey;
use billing::account::AccountId;
use serde_json::json;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;
use store::{InvoiceFilter, Store};

/// The rows in a backup.
const ROWS: &str = "rows.jsonl";
/// How many entries of the audit, or runs, are read at once.
const PAGE: usize = 1_000;
/// How long a server that writes the audit is given before it is looked at again.
const AUDIT_PAUSE: Duration = Duration::from_millis(300);

fn with_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

/// `proforma migrate`
pub fn migrate(arguments: &DataArguments) -> Result<(), Failure> {
    with_runtime(async {
        let settings = Settings::of(arguments)?;
        make_private(&settings.data)?;
        let mut lock = if settings.database.is_none() { Some(Lock::take(&settings.data)?) } else { None };
        let store = open_store(&settings).await?;
        lock.iter_mut().for_each(Lock::will_close);
        let migrated = store.migrate().await.map_err(|error| Failure::input(error.to_string()));
        close(&store, lock.as_mut()).await;
        let migrated = migrated?;
        output::facts(&[("From", json!(migrated.from)), ("To", json!(migrated.to))], DeskOutput::Table)
    })
}

/// Opens the database, and keeps the folders of runs as they are.
async fn open_to_read(settings: &Settings) -> Result<(Store, Reading), Failure> {
    let store = open_store(settings).await?;
    match reading(&settings.data) {
        Ok(reading) => Ok((store, reading)),
        Err(error) => {
            store.close().await;
            Err(anyhow!("the folders of runs cannot be locked: {error}").into())
        }
    }
}

/// `proforma backup`: the rows of one moment, then the folders that they name, which never change. A server may go on serving meanwhile.
pub fn backup(arguments: &BackupArguments) -> Result<(), Failure> {
    with_runtime(async {
        let settings = Settings::of(&arguments.place)?;
        let to = &arguments.to;
        if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Failure::input(format!("`{}` is not empty", to.display()))
                .hint("give an absent or empty folder"));
        }
        make_private(to)?;
        take_in_log(&settings).await?;
        // The folders that the rows name stay until they are copied.
        let (store, _reading) = open_to_read(&settings).await?;
        let copied = store.backup(&to.join(ROWS)).await.map_err(|error| Failure::input(error.to_string()));
        store.close().await;
        let copied = copied?;
        let files = copy_tree(&settings.data.join(PAYERS), &to.join(PAYERS))?;
        File::open(to)
            .and_then(|folder| folder.sync_all())
            .with_context(|| format!("cannot force `{}` to the disk", to.display()))?;
        output::facts(
            &[("Rows", json!(copied.rows)), ("Sha256", json!(copied.sha256)), ("Files", json!(files))],
            DeskOutput::Table,
        )
    })
}

/// `proforma restore`: into an empty data directory, and an empty database of either kind.
pub fn restore(arguments: &RestoreArguments) -> Result<(), Failure> {
    with_runtime(async {
        let settings = Settings::of(&arguments.place)?;
        make_private(&settings.data)?;
        let _lock = Lock::take(&settings.data)?;
        let payers = settings.data.join(PAYERS);
        if payers.exists() {
            return Err(Failure::input(format!(
                "`{}` is no new data directory: it has `{PAYERS}`",
                settings.data.display()
            ))
            .hint("restore into an absent or empty folder"));
        }
        let store = open_store(&settings).await?;
        let copied = store.restore(&arguments.from.join(ROWS)).await;
        store.close().await;
        let copied = copied.map_err(|error| Failure::input(error.to_string()))?;
        let files = copy_tree(&arguments.from.join(PAYERS), &payers)?;
        say!(
            "the master key is not in a backup: put it back as {}",
            settings.data.join(MASTER_KEY).display()
        );
        output::facts(
            &[("Rows", json!(copied.rows)), ("Sha256", json!(copied.sha256)), ("Files", json!(files))],
            DeskOutput::Table,
        )
    })
}

/// Copies a folder, each file forced to the disk; files that are there are left. Says how many were copied.
fn copy_tree(from: &Path, to: &Path) -> Result<u64, Failure> {
    let mut copied = 0;
    if !from.is_dir() {
        return Ok(0);
    }
    make_private(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list `{}`", from.display()))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        // What a run that was killed has begun is nobody's.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copied += copy_tree(&source, &target)?;
        } else {
            let copy = || -> std::io::Result<()> {
                fs::copy(&source, &target)?;
                File::open(&target)?.sync_all()
            };
            copy().with_context(|| format!("cannot copy `{}`", source.display()))?;
            copied += 1;
        }
    }
    File::open(to)?.sync_all()?;
    Ok(copied)
}

/// `proforma verify`: the pages and the schema of the database, the chain of the audit, every setting against its hash, cost files against their names, the
/// files of every run that has some against their hashes, sealed periods against theirs.
pub fn verify(arguments: &VerifyArguments) -> Result<(), Failure> {
    with_runtime(async {
        let settings = Settings::of(&arguments.place)?;
        take_in_log(&settings).await?;
        let (store, _reading) = open_to_read(&settings).await?;
        let mut checked = Checked::default();
        checked.all(&store, &settings.data).await;
        store.close().await;
        if !checked.problems.is_empty() {
            return Err(
                Failure::inputs(checked.problems).hint("put back what a backup has, with `proforma restore`")
            );
        }
        output::facts(
            &[
                ("AuditEntries", json!(checked.entries)),
                ("Runs", json!(checked.runs)),
                ("RunsWithoutFiles", json!(checked.removed)),
                ("SealedPeriods", json!(checked.sealed)),
                ("CostFiles", json!(checked.cost_files)),
                ("Documents", json!(checked.documents)),
            ],
            DeskOutput::Table,
        )
    })
}

fn of_database(problem: String) -> String {
    format!("the database: {problem}")
}

#[derive(Default)]
struct Checked {
    entries: u64,
    runs: u64,
    removed: u64,
    sealed: u64,
    cost_files: u64,
    documents: u64,
    problems: Vec<String>,
}

impl Checked {
    /// Everything. What cannot even be read is a problem like others: the rest is looked at all the same.
    async fn all(&mut self, store: &Store, data: &Path) {
        let of_all = [
            store.broken_pages().await,
            store.changed_schema().await,
            store.unreadable_tables().await,
            store.lost_rows().await,
        ];
        for found in of_all {
            match found {
                Ok(problems) => self.problems.extend(problems.into_iter().map(of_database)),
                Err(error) => self.problems.push(of_database(error.to_string())),
            }
        }
        let payers = match store.payers().await {
            Ok(payers) => payers,
            Err(error) => return self.problems.push(of_database(error.to_string())),
        };
        for payer in payers {
            let payer = &payer.payer;
            let audit = self.audit(store, payer).await;
            self.note(&format!("payer {payer}, audit"), audit);
            let settings = self.settings(store, payer).await;
            self.note(&format!("payer {payer}, configuration"), settings);
            let runs = self.runs(store, payer, data).await;
            self.note(&format!("payer {payer}, runs"), runs);
            let files = self.cost_files(&data_directory::cost_files(data, payer));
            self.note(&format!("payer {payer}, cost files"), files);
            let documents = self.documents(store, payer, data).await;
            self.note(&format!("payer {payer}, documents of invoices"), documents);
        }
    }

    fn note<E: Into<anyhow::Error>>(&mut self, what: &str, checked: Result<(), E>) {
        if let Err(error) = checked {
            let error: anyhow::Error = error.into();
            self.problems.push(format!("{what}: {error:#}"));
        }
    }

    /// Every setting is as it was written, and they make a configuration.
    async fn settings(&mut self, store: &Store, payer: &AccountId) -> anyhow::Result<()> {
        let rotten = store.rotten_settings(payer).await?;
        let named = rotten.into_iter().map(|name| format!("payer {payer}: {name} is not as it was written"));
        self.problems.extend(named);
        let rotten = store.rotten_purchasing(payer).await?;
        let named = rotten.into_iter().map(|name| format!("payer {payer}: {name} is not as it was written"));
        self.problems.extend(named);
        let gone = store.gone_purchasing(payer).await?;
        self.problems.extend(gone.into_iter().map(|name| format!("payer {payer}: {name} is gone")));
        store.load(payer).await?;
        store.purchasing(payer).await?;
        for row in store.invoice_settings(payer).await? {
            if let Err(problem) = invoice_file::settings::check(&row.body) {
                let of = if row.billing_group.is_empty() { "all billing groups" } else { &row.billing_group };
                self.problems.push(format!(
                    "payer {payer}: the invoice settings of {of} from {} on, version {}: {problem}",
                    row.from, row.version
                ));
            }
        }
        Ok(())
    }

    /// Every document of an invoice that a row names is there, and is the one that its name says; those that the desk has issued are as they were, none
    /// is gone, and so it is with their pages and payments.
    async fn documents(&mut self, store: &Store, payer: &AccountId, data: &Path) -> anyhow::Result<()> {
        let rotten = store.rotten_invoices(payer).await?;
        let named = rotten.into_iter().map(|name| format!("payer {payer}: {name} is not as it was"));
        self.problems.extend(named);
        let problems = books::problems(store, payer).await?;
        self.problems.extend(problems.into_iter().map(|problem| format!("payer {payer}: {problem}")));
        for issued in store.issued_invoices(payer, &InvoiceFilter::default(), 0, usize::MAX).await? {
            let page = store.issued_page(payer, &issued.number).await?;
            if page.is_some_and(|page| page_bytes(&page).is_none()) {
                let number = issued.number;
                self.problems
                    .push(format!("payer {payer}: the page of `{number}` is not the one that was issued"));
            }
        }
        let folder = data_directory::documents(data, payer);
        for file in store.all_invoice_files(payer).await? {
            self.documents += 1;
            let path = folder.join(&file.sha256);
            let hash = file_sha256(&path).with_context(|| format!("cannot read `{}`", path.display()));
            match hash {
                Ok(hash) if hash == file.sha256 => {}
                Ok(_) => {
                    self.problems.push(format!("`{}` is not the file that its name says", path.display()))
                }
                Err(error) => self.problems.push(format!("{error:#}")),
            }
        }
        Ok(())
    }

    /// Cost files are named by their hashes.
    fn cost_files(&mut self, folder: &Path) -> anyhow::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // What is just being kept has no such name yet.
            if name.starts_with('.') {
                continue;
            }
            self.cost_files += 1;
            let hash = file_sha256(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            if !name.starts_with(&hash) {
                self.problems.push(format!("`{}` is not the file that its name says", path.display()));
            }
        }
        Ok(())
    }

    async fn audit(&mut self, store: &Store, payer: &AccountId) -> anyhow::Result<()> {
        // A server may append to it, and take persons out of it, between two of its pages: what is wrong is wrong each time.
        for last in [false, false, true] {
            let payers = store.payers().await?;
            let row = payers.into_iter().find(|row| row.payer == *payer);
            let head = row.context("the payer is not there any more")?.head.audit.hash;
            let (problem, entries) = audit_problem(store, payer, &head).await?;
            match problem {
                Some(_) if !last => tokio::time::sleep(AUDIT_PAUSE).await,
                problem => {
                    self.entries += entries;
                    self.problems.extend(problem.map(|problem| format!("payer {payer}: {problem}")));
                    break;
                }
            }
        }
        Ok(())
    }

    /// The files of every run that has some are as it has written them, and a period that was sealed shows what it was sealed with.
    async fn runs(&mut self, store: &Store, payer: &AccountId, data: &Path) -> anyhow::Result<()> {
        let engine = CostEngine::default();
        let runs = store.runs_with_files(payer).await?;
        self.removed += store.runs_without_files(payer).await?;
        for run in &runs {
            self.runs += 1;
            let what = format!("payer {payer}, {}", run.period);
            let folder = &run.done.folder;
            match engine.manifest(&data.join(folder)) {
                Ok(hash) if hash == run.done.manifest => {}
                Ok(_) => self.problems.push(format!("{what}: `{folder}` is not as the run has written it")),
                Err(error) => self.problems.push(format!("{what}: {error}")),
            }
        }
        let closes = store.closes(payer).await?;
        for current in store.current_runs(payer).await? {
            let what = format!("payer {payer}: {}", current.period);
            let run = runs.iter().find(|run| run.run == current.run);
            if run.is_none() {
                self.problems.push(format!("{what} shows run `{}`, which has no files", current.run));
            }
            if let Some(close) = closes.iter().find(|close| close.period == current.period) {
                self.sealed += 1;
                let is_sealed_run = close.run == current.run
                    && run.is_none_or(|run| run.done.manifest == close.manifest_hash);
                if !is_sealed_run {
                    self.problems.push(format!("{what} shows another run than it was closed with"));
                }
            }
        }
        Ok(())
    }
}

/// `proforma keys rotate-master`
pub fn rotate_master(arguments: &RotateMasterArguments) -> Result<(), Failure> {
    with_runtime(async {
        let settings = Settings::of(&arguments.place)?;
        let data = Data::open(&settings, Clock::Machine).await?;
        let count = resealed(&data, &settings, arguments).await;
        data.close().await;
        output::facts(&[("Keys", json!(count?))], DeskOutput::Table)
    })
}

/// Puts a new master key in the place of the old one; how many secrets it seals.
async fn resealed(
    data: &Data,
    settings: &Settings,
    arguments: &RotateMasterArguments,
) -> Result<usize, Failure> {
    let new = match &arguments.new_key_file {
        None => MasterKey::generate()?,
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| Failure::input(format!("`{}` cannot be read: {error}", path.display())))?;
            let shown = path.display();
            MasterKey::parse(&text)
                .ok_or_else(|| Failure::input(format!("`{shown}` holds no key of 64 hexadecimal digits")))?
        }
    };
    let path = master_key_path(settings);
    // Whoever rotates at the same time waits here, and then has the old key: the file beside is this command's alone.
    let held = data.desk().begin_rotation().await;
    let held = held.map_err(|error| anyhow!("the secrets could not be sealed: {error:?}"))?;
    // The new key is kept beside the old one before anything is sealed under it, so that no moment has secrets without a key.
    let beside = path.with_extension(NEW_KEY);
    write_key(&beside, &new)?;
    let count = data.desk().rotate_master(held, &new).await.map_err(|error| {
        anyhow!("the secrets could not be sealed under the key in `{}`: {error:?}", beside.display())
    })?;
    fs::rename(&beside, &path)
        .with_context(|| format!("secrets are sealed under the key in `{}`", beside.display()))?;
    Ok(count)
}

/// What is wrong with a payer's audit, of which the last entry has this hash, and how many entries it has.
async fn audit_problem(
    store: &Store,
    payer: &AccountId,
    head: &str,
) -> anyhow::Result<(Option<String>, u64)> {
    let (mut after, mut entries, mut chain) = (0, 0, Chain::default());
    loop {
        let rows = store.audit_page(payer, after, PAGE).await?;
        if rows.is_empty() {
            return Ok((chain.problem(head), entries));
        }
        for row in rows {
            after = row.sequence;
            entries += 1;
            chain.add(&row);
        }
    }
}
