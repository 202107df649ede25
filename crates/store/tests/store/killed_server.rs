//! A PostgreSQL that is killed while it is written to, again and again: what it has acknowledged is there when it is back.

use crate::audit::entry;
use crate::engines::{as_postgres, payer, postgres_programs, with_payer};
use crate::scenario::follow_each_other;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{Place, Store, StoreError, TokenRow};

/// How long the rounds take; how many there are at least.
const TIME: Duration = Duration::from_secs(10);
const ROUNDS_MIN: u32 = 3;
/// How often a server that is coming back is asked.
const ATTEMPTS_MAX: u32 = 200;

/// Starts and kills a server as it is told, and takes everything away when it is told nothing more. Unlike the server of the other tests,
/// this one forces what it writes to the disk, which is memory where there is such a place: a killed process takes neither away. Its
/// children are killed with it, or they would end what they are at.
const SCRIPT: &str = r#"
dir=$(mktemp -d /dev/shm/proforma-killed.XXXXXX 2>/dev/null || mktemp -d /tmp/proforma-killed.XXXXXX) || exit 1
pid=
kill_all() {
    kill -KILL $pid $(cat /proc/$pid/task/$pid/children 2>/dev/null) 2>/dev/null
    wait $pid 2>/dev/null
}
trap '[ -n "$pid" ] && kill -QUIT $pid; wait; rm -rf "$dir"' EXIT
"$1/initdb" -k -N -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >"$dir/log" 2>&1 </dev/null || { cat "$dir/log" >&2; exit 1; }
echo "$dir"
while read -r word; do
    if [ "$word" = kill ]; then
        kill_all
        pid=
        echo killed
    else
        tries=0
        until [ -n "$pid" ] && "$1/pg_isready" -q -h "$dir"; do
            tries=$((tries + 1))
            [ $tries -lt 600 ] || { cat "$dir/log" >&2; exit 1; }
            # The processes of the one before take their time to end, and until then this one does not start.
            if [ -z "$pid" ] || ! kill -0 $pid 2>/dev/null; then
                "$1/postgres" -D "$dir/data" -k "$dir" -h '' -c fsync=on -c synchronous_commit=on -c shared_buffers=16MB -c dynamic_shared_memory_type=mmap \
                    >>"$dir/log" 2>&1 </dev/null &
                pid=$!
            fi
            sleep 0.05
        done
        echo started
    fi
done
"#;

struct Server {
    shell: Child,
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    place: Place,
}

impl Server {
    fn start() -> Option<Self> {
        let mut shell = as_postgres("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(postgres_programs()?)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let (words, answers) = (shell.stdin.take(), BufReader::new(shell.stdout.take().unwrap()));
        let mut server = Self { shell, words, answers, place: Place::Postgres(String::new()) };
        let folder = server.answer();
        server.place = Place::Postgres(format!("postgres://postgres@localhost/postgres?host={folder}"));
        server.tell("start");
        Some(server)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "PostgreSQL did not start; what it said is above");
        line.trim_end().to_owned()
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.words.as_mut().unwrap(), "{word}").unwrap();
        self.answer();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.words.take());
        drop(self.shell.wait());
    }
}

async fn write_once(store: &Store, number: u64) -> Result<(), StoreError> {
    let head = store.head(&payer()).await?.unwrap();
    let mut write = store.write(&payer(), &head).await?;
    write.audit(&[entry(head.audit.sequence + 1, &head.audit.hash)]).await?;
    let (operation, token, input_hash) = ("Op".to_owned(), number.to_string(), String::new());
    write
        .put_token(TokenRow { operation, token, input_hash, outcome: String::new(), created_at_ms: 1 })
        .await?;
    write.commit().await.map(drop)
}

/// Writes until a write fails, or the server was killed; the number of the next write, and the error of it.
async fn write_on(store: Store, mut number: u64, was_killed: Arc<AtomicBool>) -> (u64, Option<StoreError>) {
    while !was_killed.load(Ordering::SeqCst) {
        match write_once(&store, number).await {
            Ok(()) => number += 1,
            Err(error) => return (number, Some(error)),
        }
    }
    (number, None)
}

/// Whether a write was kept, once the server answers.
async fn is_kept(store: &Store, number: u64) -> bool {
    for _ in 0..ATTEMPTS_MAX {
        match store.token(&payer(), "Op", &number.to_string()).await {
            Ok(found) => return found.is_some(),
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("the server does not come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_acknowledged() {
    let Some(mut server) = Server::start() else { return };
    let store = Store::open(&server.place).await.unwrap();
    store.migrate().await.unwrap();
    with_payer(&store).await;
    let begun = Instant::now();
    let (mut next, mut rounds, mut unknown) = (0, 0, 0);
    while rounds < ROUNDS_MIN || begun.elapsed() < TIME {
        rounds += 1;
        let was_killed = Arc::new(AtomicBool::new(false));
        let writer = tokio::spawn(write_on(store.clone(), next, was_killed.clone()));
        tokio::time::sleep(Duration::from_millis(150 + u64::from(rounds) * 37 % 200)).await;
        server.tell("kill");
        was_killed.store(true, Ordering::SeqCst);
        // What waits for a connection waits until the server is back.
        server.tell("start");
        let (failed, error) = writer.await.unwrap();
        // What was not acknowledged is kept only where the outcome is not known.
        let kept = is_kept(&store, failed).await;
        let is_unknown = matches!(error, Some(StoreError::OutcomeUnknown(_)));
        assert!(!kept || is_unknown, "{error:?}");
        unknown += u32::from(is_unknown);
        next = failed + u64::from(kept);
        let head = store.head(&payer()).await.unwrap().unwrap();
        assert_eq!(head.audit.sequence, next);
        let entries = store.audit_page(&payer(), 0, 1_000_000).await.unwrap();
        assert_eq!(u64::try_from(entries.len()).unwrap(), next);
        follow_each_other(&entries);
    }
    eprintln!("{rounds} rounds, {next} writes, {unknown} outcomes unknown");
    assert!(next > u64::from(rounds), "only {next} writes");
    store.close().await;
}
