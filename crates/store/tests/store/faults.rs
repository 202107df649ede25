//! SQLite through whatever happens to a process and its disk: at any call that changes a file the process is killed, the disk fails or is
//! full, or the power goes and takes what was not forced to the disk.
//!
//! This program runs itself as a worker that goes through the steps of [`crate::scenario`] and says when each was acknowledged. Afterwards
//! the database must show what it showed after one of two steps: the last acknowledged one, or the one that was under way.
//!
//! `PROFORMA_FAULT_SECONDS` is how long all the loops take, in sum; `PROFORMA_FAULT_SEED` repeats the choices of another time.

use crate::engines::folder;
use crate::opening::texts;
use crate::scenario::{Desk, STEPS, Seen, states};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use store::{Place, StoreError};
use tempfile::TempDir;

const SECONDS: u64 = 20;
const LOOPS: u32 = 8;
/// However slow the machine is.
const POINTS_MIN: usize = 12;
/// What the worker ends with where it does not go on.
const LEFT: i32 = 3;
/// How often the worker tries a step where it may try again.
const ATTEMPTS_MAX: usize = 3;

/// The library that injects faults, compiled once.
static SHIM: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/faultshim.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}.so", std::process::id()));
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
    let compiled = compiler.args(["-ldl", "-lpthread"]).output();
    let compiled =
        compiled.expect("`cc` is missing: install a C compiler (Debian: apt-get install gcc libc6-dev)");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
});

/// A fault.
#[derive(Debug, Clone, Copy)]
struct Fault {
    mode: &'static str,
    /// The call, from 1; 0 is none.
    at: u64,
    /// What of a loss is undone.
    seed: u64,
    /// Whether the worker goes on after an error, or is gone.
    goes_on: bool,
}

/// What became of a worker.
struct Worked {
    status: ExitStatus,
    /// How many steps were acknowledged.
    acknowledged: usize,
    /// Whether a step failed with an error that says that nothing was changed.
    nothing_changed: bool,
    /// How many calls there were.
    calls: u64,
    stderr: String,
}

/// A folder for one database.
struct Ground(TempDir);

impl Ground {
    fn new() -> Self {
        let ground = Self(folder());
        fs::create_dir(ground.0.path().join("desk")).unwrap();
        ground
    }

    fn place(&self) -> Place {
        place(&self.0.path().join("desk"))
    }

    fn work(&self, fault: Fault) -> Worked {
        let counter = self.0.path().join("counter");
        fs::write(&counter, [0; 8]).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::worker", "--nocapture", "--test-threads", "1"])
            .env("PROFORMA_FAULT_WORKER", self.0.path().join("desk"))
            .env("PROFORMA_FAULT_GOES_ON", if fault.goes_on { "1" } else { "0" })
            .env("LD_PRELOAD", &*SHIM)
            .env("FAULT_FOLDER", self.0.path().join("desk"))
            .env("FAULT_COUNTER", &counter)
            .env("FAULT_MODE", fault.mode)
            .env("FAULT_AT", fault.at.to_string())
            .env("FAULT_SEED", fault.seed.to_string())
            // The library kills its process group: the worker, not this test.
            .process_group(0)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let acknowledged: Vec<usize> =
            stdout.lines().filter_map(|line| line.strip_prefix("ACK ")?.parse().ok()).collect();
        assert_eq!(acknowledged, (0..acknowledged.len()).collect::<Vec<_>>(), "{fault:?}");
        Worked {
            status: output.status,
            acknowledged: acknowledged.len(),
            nothing_changed: stdout.lines().any(|line| line == "NOTHING CHANGED"),
            calls: u64::from_le_bytes(fs::read(&counter).unwrap().try_into().unwrap()),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn place(folder: &Path) -> Place {
    Place::Sqlite(folder.join("desk.db"))
}

fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    // With a line of its own: what runs the tests has written to the present one.
    writeln!(stdout, "\n{line}").and_then(|()| stdout.flush()).unwrap();
}

/// Ends the worker as it stands: nothing is closed or rolled back.
#[expect(clippy::disallowed_methods, reason = "what goes out of scope would tidy up")]
fn leave() -> ! {
    std::process::exit(LEFT)
}

/// Not a test by itself: the worker of the loops below.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn worker() {
    let Some(folder) = std::env::var_os("PROFORMA_FAULT_WORKER") else { return };
    let goes_on = std::env::var_os("PROFORMA_FAULT_GOES_ON").is_some_and(|value| value == "1");
    let place = place(Path::new(&folder));
    let mut desk = match Desk::open(&place).await {
        Ok(desk) => desk,
        Err(_) if goes_on => Desk::open(&place).await.unwrap(),
        Err(_) => leave(),
    };
    for step in 0..STEPS {
        let mut attempts = 1;
        while let Err(error) = desk.go(step).await {
            // The other steps are statements of their own, whose errors do not tell.
            if !matches!(error, StoreError::OutcomeUnknown(_)) && ![0, 1, 4].contains(&step) {
                say("NOTHING CHANGED");
            }
            if !goes_on {
                leave();
            }
            assert!(attempts < ATTEMPTS_MAX, "step {step}, attempt {attempts}: {error:?}");
            attempts += 1;
            if desk.is_gone(step).await.unwrap() {
                break;
            }
        }
        say(&format!("ACK {step}"));
    }
}

/// The database is whole, shows one of the states that it may show, and everything goes on from there to the end.
async fn check(ground: &Ground, worked: &Worked, states: &[Seen], fault: Fault) {
    let mut desk = Desk::open(&ground.place()).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    assert_eq!(texts(&ground.place(), "PRAGMA integrity_check").await, ["ok"], "{fault:?}");
    let seen = desk.see().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    let acknowledged = worked.acknowledged;
    let last = if worked.nothing_changed { acknowledged } else { (acknowledged + 1).min(STEPS) };
    let found = (acknowledged..=last).rev().find(|state| states[*state] == seen);
    let Some(gone) = found else {
        let other = states.iter().position(|state| *state == seen);
        panic!(
            "{fault:?}: {acknowledged} steps were acknowledged, shown is state {other:?}: {}",
            worked.stderr
        );
    };
    desk.claims_again().await;
    for step in gone..STEPS {
        desk.go(step).await.unwrap_or_else(|error| panic!("{fault:?}, step {step}: {error}"));
    }
    assert!(desk.see().await.unwrap() == states[STEPS], "{fault:?}: the end is another one");
    desk.store.close().await;
}

/// Goes through points that are spread evenly, until all are visited or the time is over.
async fn visit(mode: &'static str, seeds: &[u64], goes_on: bool) {
    let ground = Ground::new();
    let states = states(&ground.place()).await;
    let none = Fault { mode, at: 0, seed: 0, goes_on };
    let clean = Ground::new().work(none);
    assert!(clean.status.success() && clean.acknowledged == STEPS, "{}", clean.stderr);
    assert!(clean.calls > 60, "the library sees only {} calls", clean.calls);

    let seed = seed();
    let begun = Instant::now();
    let (mut visited, mut met) = (0, 0);
    for at in points(clean.calls, seed) {
        if visited >= POINTS_MIN && begun.elapsed() > time() {
            break;
        }
        visited += 1;
        for chosen in seeds {
            let fault = Fault { at, seed: chosen * (seed + at), ..none };
            let ground = Ground::new();
            let worked = ground.work(fault);
            let was_met = worked.calls >= at;
            match worked.status.signal() {
                Some(signal) => assert!(signal == 9 && was_met, "{fault:?}: {}", worked.stderr),
                None if goes_on => assert!(worked.status.success(), "{fault:?}: {}", worked.stderr),
                None => {
                    assert!(matches!(worked.status.code(), Some(0 | LEFT)), "{fault:?}: {}", worked.stderr)
                }
            }
            met += usize::from(was_met);
            check(&ground, &worked, &states, fault).await;
        }
    }
    eprintln!(
        "{mode}, goes on: {goes_on}: {visited} of {} points, {met} faults, PROFORMA_FAULT_SEED={seed}, {:?}",
        clean.calls,
        begun.elapsed()
    );
    assert!(met * 10 >= visited * seeds.len() * 9, "only {met} faults were met");
}

/// The numbers from 1 to an end in an order in which any first part is spread over all.
fn points(end: u64, seed: u64) -> impl Iterator<Item = u64> {
    fn divisor(a: u64, b: u64) -> u64 {
        if b == 0 { a } else { divisor(b, a % b) }
    }
    let step = (end * 618 / 1000..).find(|step| divisor(*step, end) == 1).unwrap_or(1);
    (0..end).map(move |number| 1 + (seed % end + number * step) % end)
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a whole number"))
}

/// How long one loop takes.
fn time() -> Duration {
    Duration::from_secs(number_of("PROFORMA_FAULT_SECONDS").unwrap_or(SECONDS)) / LOOPS
}

/// Another one each time.
fn seed() -> u64 {
    number_of("PROFORMA_FAULT_SEED").unwrap_or_else(|| u64::from(std::process::id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_killed_process_loses_nothing_acknowledged() {
    visit("kill", &[0], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_killed_within_a_write_loses_nothing_acknowledged() {
    visit("torn", &[0], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_power_loss_takes_nothing_acknowledged() {
    visit("loss", &[0], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_power_loss_that_takes_some_sectors_takes_nothing_acknowledged() {
    visit("loss", &[1, 3], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_that_ends_where_the_disk_fails_leaves_what_it_has_said() {
    visit("EIO", &[0], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_goes_on_after_the_disk_has_failed() {
    visit("EIO", &[0], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_that_ends_where_the_disk_is_full_leaves_what_it_has_said() {
    visit("ENOSPC", &[0], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_goes_on_after_the_disk_was_full() {
    visit("ENOSPC", &[0], true).await;
}
