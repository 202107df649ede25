//! A connection to PostgreSQL that is cut while COMMIT is on its way: before it has arrived, or before its answer has. The store cannot know
//! which; the client token does.

use crate::audit::entry;
use crate::engines::{payer, postgres_database, with_payer};
use std::io::{Read, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use store::{Head, Place, Store, StoreError, TokenRow};
use tempfile::TempDir;

const SOCKET: &str = ".s.PGSQL.5432";

/// What happens to the next COMMIT.
const NOTHING: u8 = 0;
const CUT_BEFORE: u8 = 1;
const CUT_AFTER: u8 = 2;

/// Carries everything between clients and the server, until it is told otherwise.
struct Proxy {
    folder: TempDir,
    next: Arc<AtomicU8>,
}

impl Proxy {
    fn before(server: PathBuf) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let next = Arc::new(AtomicU8::new(NOTHING));
        let told = next.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), UnixStream::connect(server.join(SOCKET)).unwrap());
                carry(&client, &server, told.clone());
            }
        });
        Self { folder, next }
    }
}

/// Carries both ways, each in a thread of its own, until either side ends.
fn carry(client: &UnixStream, server: &UnixStream, next: Arc<AtomicU8>) {
    let cut = Arc::new(AtomicU8::new(NOTHING));
    let ends = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    let ((mut client, mut server), told) = (ends(), cut.clone());
    let (mut to_client, mut from_server) = ends();
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = client.read(&mut bytes) {
            if bytes[..count].windows(6).any(|word| word == b"COMMIT") {
                told.store(next.swap(NOTHING, Ordering::SeqCst), Ordering::SeqCst);
            }
            if told.load(Ordering::SeqCst) == CUT_BEFORE || server.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        drop((client.shutdown(std::net::Shutdown::Both), server.shutdown(std::net::Shutdown::Both)));
    });
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(count @ 1..) = from_server.read(&mut bytes) {
            // The answer is there, so it is done; nobody is told.
            if cut.load(Ordering::SeqCst) == CUT_AFTER || to_client.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        drop((to_client.shutdown(std::net::Shutdown::Both), from_server.shutdown(std::net::Shutdown::Both)));
    });
}

async fn write_once(store: &Store, head: &Head, token: &str) -> Result<Head, StoreError> {
    let mut write = store.write(&payer(), head).await?;
    write.audit(&[entry(head.audit.sequence + 1, &head.audit.hash)]).await?;
    let text = token.to_owned();
    let (operation, input_hash, outcome) = ("Op".to_owned(), text.clone(), text.clone());
    write.put_token(TokenRow { operation, token: text, input_hash, outcome, created_at_ms: 1 }).await?;
    write.commit().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_token_tells_what_became_of_a_commit_that_was_cut_off() {
    let Some(Place::Postgres(url)) = postgres_database("ENCODING 'UTF8'").await else { return };
    let (address, server) = url.split_once("?host=").unwrap();
    let proxy = Proxy::before(Path::new(server).to_owned());
    let place = Place::Postgres(format!("{address}?host={}", proxy.folder.path().display()));
    let store = Store::open(&place).await.unwrap();
    store.migrate().await.unwrap();
    let mut head = with_payer(&store).await;
    for round in 0..6 {
        let (how, is_kept) = if round % 2 == 0 { (CUT_BEFORE, false) } else { (CUT_AFTER, true) };
        let token = format!("t{round}");
        proxy.next.store(how, Ordering::SeqCst);
        let cut_off = write_once(&store, &head, &token).await;
        assert!(matches!(cut_off, Err(StoreError::OutcomeUnknown(_))), "{cut_off:?}");
        let found = store.token(&payer(), "Op", &token).await.unwrap();
        assert_eq!(found.is_some(), is_kept, "round {round}");
        let after = store.head(&payer()).await.unwrap().unwrap();
        assert_eq!(after.audit.sequence, head.audit.sequence + u64::from(is_kept));
        head = match is_kept {
            true => after,
            false => write_once(&store, &after, &token).await.unwrap(),
        };
    }
}
