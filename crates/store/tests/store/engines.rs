//! A fresh database of each engine for each test. PostgreSQL is started once, in a folder of its own, and is gone with the process.

use billing::account::AccountId;
use sqlx::{Connection, Executor, PgConnection};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Head, Place, Store};
use tempfile::TempDir;

/// A database that is thrown away.
pub struct Scratch {
    pub place: Place,
    pub store: Store,
    /// A folder that the test may use.
    pub folder: TempDir,
}

/// One test on both engines.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::engines::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(scratch) = $crate::engines::postgres().await {
                    super::$name(scratch).await;
                }
            })*
        }
    };
}

pub async fn sqlite() -> Scratch {
    let scratch = sqlite_without_schema().await;
    scratch.store.migrate().await.unwrap();
    scratch
}

/// A folder in memory, where there is such a place: other work may have the disk.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    folder.unwrap()
}

pub async fn sqlite_without_schema() -> Scratch {
    let folder = folder();
    // A name that an address would not take as it is.
    let place = Place::Sqlite(folder.path().join("a desk 50%?.db"));
    Scratch { store: Store::open(&place).await.unwrap(), place, folder }
}

/// `None` where the tests are told to do without PostgreSQL.
pub async fn postgres() -> Option<Scratch> {
    let scratch = postgres_without_schema().await?;
    scratch.store.migrate().await.unwrap();
    Some(scratch)
}

pub async fn postgres_without_schema() -> Option<Scratch> {
    let place = postgres_database("ENCODING 'UTF8'").await?;
    Some(Scratch { store: Store::open(&place).await.unwrap(), place, folder: TempDir::new().unwrap() })
}

/// An empty database, made with some options.
pub async fn postgres_database(options: &str) -> Option<Place> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let sockets = server()?;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let url = |name: &str| format!("postgres://postgres@localhost/{name}?host={}", sockets.display());
    let mut connection = PgConnection::connect(&url("postgres")).await.unwrap();
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0 {options}");
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    Some(Place::Postgres(url(&name)))
}

/// Where the server's socket is.
fn server() -> Option<&'static Path> {
    static SERVER: OnceLock<Option<PathBuf>> = OnceLock::new();
    SERVER.get_or_init(start).as_deref()
}

/// Ends, and takes its folder along, when its standard input ends: when the process of the tests does.
const SCRIPT: &str = r#"
dir=$(mktemp -d /tmp/proforma-postgres.XXXXXX) || exit 1
pid=
trap '[ -n "$pid" ] && kill -QUIT $pid; wait; rm -rf "$dir"' EXIT
"$1/initdb" -k -N -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >"$dir/log" 2>&1 </dev/null || { cat "$dir/log" >&2; exit 1; }
"$1/postgres" -D "$dir/data" -k "$dir" -h '' -c fsync=off -c full_page_writes=off -c max_connections=300 \
    -c shared_buffers=64MB >>"$dir/log" 2>&1 </dev/null &
pid=$!
tries=0
until [ -S "$dir/.s.PGSQL.5432" ] && "$1/pg_isready" -q -h "$dir"; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { cat "$dir/log" >&2; exit 1; }
    sleep 0.1
done
echo "$dir"
cat >/dev/null
"#;

/// Where PostgreSQL's programs are; `None` where the tests are told to do without.
pub fn postgres_programs() -> Option<PathBuf> {
    if std::env::var_os("PROFORMA_NO_POSTGRES").is_some_and(|value| value == "1") {
        eprintln!("PROFORMA_NO_POSTGRES=1: nothing is tested on PostgreSQL");
        return None;
    }
    let programs = programs();
    assert!(
        programs.is_some(),
        "no PostgreSQL found in /usr/lib/postgresql/*/bin or PATH: install it (apt-get install postgresql), or set \
         PROFORMA_NO_POSTGRES=1 to test on SQLite only",
    );
    programs
}

/// A program that may start PostgreSQL, which does not run as root.
pub fn as_postgres(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
    command
}

fn start() -> Option<PathBuf> {
    let programs = postgres_programs()?;
    let mut child = as_postgres("sh")
        .args(["-c", SCRIPT, "sh"])
        .arg(programs)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "PostgreSQL did not start; what it said is above");
    // Its standard input stays open as long as this process lives.
    std::mem::forget(child);
    Some(PathBuf::from(line.trim_end()))
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` runs");
    id.stdout.trim_ascii() == b"0"
}

pub fn payer() -> AccountId {
    AccountId::parse("000000000001").unwrap()
}

/// A payer with nothing.
pub async fn with_payer(store: &Store) -> Head {
    store.create_payer(&payer(), 1).await.unwrap().head
}
