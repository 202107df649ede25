//! The data directory: its lock, its master key, its database, opened and migrated.

use super::secret_file::open_to_others;
use super::settings::Settings;
use crate::engine::CostEngine;
use crate::failure::Failure;
use anyhow::{Context, anyhow};
use aws_api::Api;
use aws_wire::page_token::PageTokens;
use back_office::authorization::Role;
use back_office::clock::{Clock, machine_milliseconds};
use back_office::data_directory::{DATABASE, DATABASE_LOG, LOCK, MASTER_KEY};
use back_office::desk::{BackOffice, Options};
use back_office::principals::{NewKey, NewPrincipal};
use back_office::run_folders::{Working, working};
use back_office::vault::{MasterKey, SealedSecret, new_secret};
use billing::account::AccountId;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Place, Sealed, Store};

/// What the lock says while the database is open: if it is found, its last holder was killed.
const OPEN: &str = "open\n";
/// The extension of a new master key, beside the old one until its file takes that one's place.
pub const NEW_KEY: &str = "key.new";

/// An open data directory. Nobody else writes to it while it is open, unless it is on PostgreSQL.
pub struct Data {
    /// The operations over its desk.
    pub api: Api,
    /// The folder.
    pub folder: PathBuf,
    lock: Option<Lock>,
    /// Nothing unfinished is removed meanwhile.
    _working: Working,
}

/// A first key, printed once.
pub struct FirstKey {
    /// The payer.
    pub payer: AccountId,
    /// The key.
    pub key: NewKey,
    /// The password of the console.
    pub console_password: String,
}

impl Data {
    /// Opens a data directory, and makes it where there is none.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, Failure> {
        let folder = settings.data.clone();
        make_private(&folder)?;
        let is_shared = settings.database.is_some();
        // On PostgreSQL several servers may share the folder; the database keeps them apart.
        let mut lock = if is_shared { None } else { Some(Lock::take(&folder)?) };
        let store = open_store(settings).await?;
        lock.iter_mut().for_each(Lock::will_close);
        match ready(settings, &store, lock.as_mut()).await {
            Ok((master, working)) => {
                let options = Options {
                    data: folder.clone(),
                    clock,
                    shared: is_shared,
                    cost_roots: settings.cost_roots.clone(),
                    lease: settings.lease,
                    superseded_runs: settings.superseded_runs,
                    facts_bytes: settings.facts_bytes,
                    renderer: Some(settings.invoice_design.renderer()),
                };
                let desk = BackOffice::new(store, master.clone(), Arc::new(CostEngine::default()), options);
                let api = Api::new(desk, PageTokens::new(&master.derived("page tokens")));
                Ok(Self { api, folder, lock, _working: working })
            }
            Err(failure) => {
                close(&store, lock.as_mut()).await;
                Err(failure)
            }
        }
    }

    /// Lets the database go, and then the directory.
    pub async fn close(mut self) {
        let store = self.desk().store().clone();
        close(&store, self.lock.as_mut()).await;
    }

    /// The desk.
    pub fn desk(&self) -> &BackOffice {
        &self.api.desk
    }

    /// Makes a payer with its first key; `None` where the payer is there.
    pub async fn begin(&self, payer: &AccountId) -> Result<Option<FirstKey>, Failure> {
        let store = self.desk().store();
        if store.payer(payer).await?.is_some() {
            return Ok(None);
        }
        store.create_payer(payer, machine_milliseconds()).await?;
        let console_password: String =
            new_secret()?.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        let caller = self.desk().operator(payer, "init".to_owned());
        let new = NewPrincipal {
            name: "root".to_owned(),
            role: Role::PayerAdmin,
            billing_groups: Vec::new(),
            accounts: Vec::new(),
        };
        let key = self.desk().first_key(&caller, &new, &console_password).await;
        let key = key.map_err(|error| anyhow!("the first key could not be made: {error:?}"))?;
        Ok(Some(FirstKey { payer: payer.clone(), key, console_password }))
    }

    /// The payer that a command is for: the one that is named, or the only one.
    pub async fn payer(&self, named: Option<&str>) -> Result<AccountId, Failure> {
        let payers = self.desk().store().payers().await?;
        let known: Vec<&str> = payers.iter().map(|row| row.payer.as_str()).collect();
        match named {
            Some(named) => {
                let found = payers.iter().find(|row| row.payer.as_str() == named);
                found.map(|row| row.payer.clone()).ok_or_else(|| {
                    Failure::input(format!("there is no payer `{named}`; there are: {}", known.join(", ")))
                        .hint("make it with `proforma init --payer`")
                })
            }
            None => match payers.as_slice() {
                [only] => Ok(only.payer.clone()),
                [] => Err(Failure::input(format!("`{}` has no payer yet", self.folder.display()))
                    .hint("make one with `proforma init --payer ACCOUNT_ID`")),
                _ => Err(Failure::input(format!("there are several payers: {}", known.join(", ")))
                    .hint("name one with --payer")),
            },
        }
    }
}

/// Lets a database go, whether or not all of it was opened, before its lock is.
pub async fn close(store: &Store, lock: Option<&mut Lock>) {
    if let Some(lock) = lock {
        lock.closing();
    }
    store.close().await;
}

/// Makes an open database ready: migrated, opened by the right master key, and nothing in the directory that nobody finishes.
async fn ready(
    settings: &Settings,
    store: &Store,
    lock: Option<&mut Lock>,
) -> Result<(MasterKey, Working), Failure> {
    let folder = settings.data.clone();
    let migrated = store.migrate().await.map_err(|error| Failure::input(error.to_string()))?;
    if migrated.from != migrated.to {
        tracing::info!(from = migrated.from, to = migrated.to, "the database was migrated");
    }
    if let Some(lock) = lock {
        lock.opened().with_context(|| format!("cannot write `{}`", folder.join(LOCK).display()))?;
        // Whoever worked here last has gone without a word: what was begun is begun again.
        let released = store.release_claims(machine_milliseconds()).await;
        let shown = folder.join(DATABASE);
        let released = match released {
            Ok(_) => store.release_messages(machine_milliseconds()).await,
            failed => failed,
        };
        released.map_err(|error| Failure::input(format!("`{}`: {error}", shown.display())))?;
    }
    let master = master_key(settings)?;
    check_master(store, &master, settings).await?;
    // Before anybody is let in who might begin something.
    let working = tokio::task::spawn_blocking(move || working(&folder)).await?;
    let working = working.with_context(|| format!("cannot lock `{}`", settings.data.display()))?;
    Ok((master, working))
}

/// The database, not yet migrated.
pub async fn open_store(settings: &Settings) -> Result<Store, Failure> {
    let place = match &settings.database {
        Some(url) => Place::Postgres(url.clone()),
        None => Place::Sqlite(settings.data.join(DATABASE)),
    };
    Store::open(&place).await.map_err(|error| Failure::input(error.to_string()))
}

/// A folder that only its owner looks into.
pub fn make_private(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    Ok(made.with_context(|| format!("cannot make `{}`", folder.display()))?)
}

/// The lock of a data directory: a server or a command holds it as long as it is open.
pub struct Lock {
    file: File,
    is_open: bool,
}

impl Lock {
    /// Takes the lock, if nobody holds it.
    ///
    /// # Errors
    /// It is held; or its last holder was killed, and the log that SQLite had then is gone: what was acknowledged last would be missing.
    pub fn take(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(LOCK);
        let mut options = OpenOptions::new();
        let opened = options.create(true).truncate(false).read(true).write(true).mode(0o600).open(&path);
        let mut file = opened.with_context(|| format!("cannot open `{}`", path.display()))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Failure::input(format!("`{}` is held by a server or another command", folder.display())).hint(
                "ask the server: --endpoint http://ADDRESS with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        })?;
        let mut said = String::new();
        file.read_to_string(&mut said).with_context(|| format!("cannot read `{}`", path.display()))?;
        let log = folder.join(DATABASE_LOG);
        if said == OPEN && folder.join(DATABASE).exists() && !log.exists() {
            return Err(Failure::input(format!(
                "`{}` is gone, and the last server was killed before what is in it was in the database: the last changes would be missing",
                log.display()
            ))
            .hint(format!(
                "put it back, or restore a backup; where another program has taken it into the database, remove `{}`",
                path.display()
            )));
        }
        Ok(Self { file, is_open: false })
    }

    /// Whatever becomes of it, the database that is opened now closes again, and takes in its log.
    pub const fn will_close(&mut self) {
        self.is_open = true;
    }

    /// Says that the database is open: from here on there is a log.
    fn opened(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(OPEN.as_bytes())
    }

    /// Says that the database closes, which takes the log away.
    fn closing(&mut self) {
        if self.is_open {
            // Where it goes on saying so, the way out is in the message.
            let _ = self.file.set_len(0);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.closing();
    }
}

/// Takes the log of a server that was killed into the database, before a command opens that beside whoever holds the directory.
pub async fn take_in_log(settings: &Settings) -> Result<(), Failure> {
    let was_killed = fs::read_to_string(settings.data.join(LOCK)).is_ok_and(|said| said == OPEN);
    if settings.database.is_some() || !was_killed {
        return Ok(());
    }
    let free = File::open(settings.data.join(LOCK))
        .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
    if free {
        let mut lock = Lock::take(&settings.data)?;
        let store = open_store(settings).await?;
        lock.will_close();
        lock.closing();
        store.close().await;
    }
    Ok(())
}

/// The master key: from the environment, from its file, or made now where the directory is new.
fn master_key(settings: &Settings) -> Result<MasterKey, Failure> {
    if let Some(text) = &settings.master_key {
        return MasterKey::parse(text)
            .ok_or_else(|| Failure::input("PROFORMA_MASTER_KEY is no key of 64 hexadecimal digits"));
    }
    let path = master_key_path(settings);
    match fs::read_to_string(&path) {
        Ok(text) => {
            if let Some(problem) = open_to_others(&path, 0o077) {
                return Err(Failure::input(problem));
            }
            let shown = path.display();
            MasterKey::parse(&text)
                .ok_or_else(|| Failure::input(format!("`{shown}` holds no key of 64 hexadecimal digits")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = MasterKey::generate()?;
            write_key(&path, &key)?;
            Ok(key)
        }
        Err(error) => Err(Failure::input(format!("`{}` cannot be read: {error}", path.display()))),
    }
}

/// The file of the master key.
pub fn master_key_path(settings: &Settings) -> PathBuf {
    settings.master_key_file.clone().unwrap_or_else(|| settings.data.join(MASTER_KEY))
}

/// Writes a master key so that it is there after a power loss, for its owner only.
pub fn write_key(path: &Path, key: &MasterKey) -> Result<(), Failure> {
    let partial = path.with_extension("partial");
    let write = || -> io::Result<()> {
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&partial)?;
        writeln!(file, "{}", key.to_text().as_str())?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    Ok(write().with_context(|| format!("cannot write `{}`", path.display()))?)
}

/// Whether the master key is the database's; a new database takes the one that it is opened with.
async fn check_master(store: &Store, master: &MasterKey, settings: &Settings) -> Result<(), Failure> {
    match store.master_key_check().await? {
        None => {
            let SealedSecret { nonce, ciphertext } = master.check()?;
            store.put_master_key_check(&Sealed { nonce, ciphertext }).await?;
            Ok(())
        }
        Some(Sealed { nonce, ciphertext }) => {
            let check = SealedSecret { nonce, ciphertext };
            if master.is_checked_by(&check) {
                return Ok(());
            }
            let path = master_key_path(settings);
            let beside = path.with_extension(NEW_KEY);
            let new = fs::read_to_string(&beside).ok().and_then(|text| MasterKey::parse(&text));
            if new.is_some_and(|new| new.is_checked_by(&check)) {
                let (beside, path) = (beside.display(), path.display());
                return Err(Failure::input(format!(
                    "the database was sealed with the key in `{beside}`: `keys rotate-master` did not end"
                ))
                .hint(match settings.master_key {
                    Some(_) => {
                        format!("give that one in PROFORMA_MASTER_KEY, or keep it: mv {beside} {path}")
                    }
                    None => format!("put it in its place: mv {beside} {path}"),
                }));
            }
            Err(Failure::input("the master key is not the one that this database was sealed with")
                .hint("give its file with --master-key-file"))
        }
    }
}
