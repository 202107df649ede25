//! A result folder is there as a whole or not at all, whatever happens while it is written.

use crate::reports::files;
use crate::support::{Done, Run};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use tempfile::TempDir;
use testkit::random::Random;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";

/// A result: every file by name.
type Files = BTreeMap<String, Vec<u8>>;

/// A folder with cost files and two books, whose results differ.
struct Place {
    folder: TempDir,
    results: [Files; 2],
}

fn book(percentage: &str) -> String {
    format!(
        r#"
        payer_account_id = "999999999999"
        [[pricing_rules]]
        name = "up"
        scope = "GLOBAL"
        type = "MARKUP"
        modifier_percentage = {percentage}
        [[pricing_plans]]
        name = "plan"
        pricing_rules = ["up"]
        [[billing_groups]]
        name = "acme"
        primary_account_id = "111111111111"
        accounts = ["111111111111"]
        pricing_plan = "plan"
        "#
    )
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let lines = [Line::usage("111111111111", "AmazonEC2", "BoxUsage:m5.large", "10")];
        write_month(&path("cost"), &lines, &WriteOptions::new(Form::Cur2Csv, PERIOD));
        fs::create_dir(path("results")).expect("a folder");
        for (number, percentage) in ["10", "20"].into_iter().enumerate() {
            fs::write(path(&format!("{number}.toml")), book(percentage)).expect("a book");
        }
        let mut place = Self { folder, results: Default::default() };
        place.results = [0, 1].map(|number| {
            let apart = place.path(&format!("apart-{number}"));
            place.done(place.command(number, &apart)).succeeded();
            files(&apart)
        });
        assert_ne!(place.results[0], place.results[1]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder in which results are written, and faults happen.
    fn parent(&self) -> PathBuf {
        self.path("results")
    }

    fn target(&self) -> PathBuf {
        self.parent().join("out")
    }

    /// A run under one of the books, with its lines exported.
    fn command(&self, book: usize, out: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proforma"));
        command.arg("run").args(["--period", PERIOD, "--threads", "1", "--force", "--export", "cur2"]);
        command.arg("--cost").arg(self.path("cost")).arg("--book").arg(self.path(&format!("{book}.toml")));
        command.arg("--out").arg(out);
        command
    }

    fn done(&self, mut command: Command) -> Done {
        Done::of(command.output().expect("the program starts"), self.target())
    }

    /// Which of the two results the target holds, as a whole; none where it is not there.
    #[track_caller]
    fn held(&self, what: &str) -> Option<usize> {
        if !self.target().exists() {
            return None;
        }
        let found = files(&self.target());
        let held = self.results.iter().position(|result| *result == found);
        assert!(held.is_some(), "{what}: the target is half-written: {:?}", found.keys());
        held
    }

    /// What lies beside the target.
    fn beside(&self) -> Vec<String> {
        let names = fs::read_dir(self.parent()).expect("a folder").flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "out").collect()
    }

    /// A run without faults succeeds and leaves nothing else.
    #[track_caller]
    fn recovers(&self, book: usize, what: &str) {
        self.done(self.command(book, &self.target())).succeeded();
        assert_eq!(self.held(what), Some(book), "{what}");
        assert_eq!(self.beside(), Vec::<String>::new(), "{what}");
    }
}

/// The library that injects faults, compiled once.
static SHIM: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/faultshim.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faultshim-{}.so", std::process::id()));
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .output();
    let compiled =
        compiled.expect("`cc` is missing: install a C compiler (Debian: apt-get install gcc libc6-dev)");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
});

impl Place {
    /// A run with a fault at the n-th call that changes something below the results; how many calls there were.
    fn with_fault(&self, book: usize, mode: &str, at: u64) -> (Done, u64) {
        let counter = self.path("counter");
        fs::write(&counter, [0; 8]).expect("a counter");
        let mut command = self.command(book, &self.target());
        command.env("LD_PRELOAD", &*SHIM).env("FAULT_FOLDER", self.parent());
        command.env("FAULT_COUNTER", &counter).env("FAULT_MODE", mode).env("FAULT_AT", at.to_string());
        // The library kills its process group: the program and its reading child, not this test.
        command.process_group(0);
        let done = self.done(command);
        let count = fs::read(&counter).expect("a counter").try_into().expect("eight bytes");
        (done, u64::from_le_bytes(count))
    }

    /// How many calls a run makes that change something; it must succeed.
    fn calls(&self, book: usize) -> u64 {
        let (done, calls) = self.with_fault(book, "kill", 0);
        done.succeeded();
        assert!(calls > 15, "the library sees only {calls} calls");
        calls
    }
}

/// Dies at every call in turn. After each death the target is what it was, or the whole new result.
fn dies_at_every_call(mode: &str) {
    let place = Place::new();
    let calls = place.calls(0);
    let mut ends = [0, 0];
    for at in 1.. {
        let before = place.held("before");
        let book = before.map_or(0, |held| 1 - held);
        let (done, seen) = place.with_fault(book, mode, at);
        if seen < at {
            assert_eq!(done.status, 0, "{}", done.stderr);
            assert!(at > calls, "only {at} of {calls} calls were reached");
            break;
        }
        let what = format!("{mode} at call {at}");
        assert_eq!(done.status, -1, "{what}: the program was not killed: {}", done.stderr);
        let after = place.held(&what);
        assert!(after == before || after == Some(book), "{what}: {before:?} became {after:?}");
        ends[usize::from(after == Some(book))] += 1;
        if at % 9 == 0 {
            place.recovers(book, &what);
        }
    }
    assert!(ends[0] > 10 && ends[1] > 0, "deaths before and after the result got its name: {ends:?}");
    place.recovers(0, "at the end");
}

#[test]
fn a_program_killed_at_any_call_leaves_a_whole_result() {
    dies_at_every_call("kill");
}

#[test]
fn a_program_killed_within_any_write_leaves_a_whole_result() {
    dies_at_every_call("torn");
}

/// The first run into an absent folder, killed: nothing or everything.
#[test]
fn a_first_run_killed_at_any_call_leaves_nothing_or_all() {
    let place = Place::new();
    for at in 1.. {
        let (done, seen) = place.with_fault(0, "kill", at);
        if seen < at {
            assert_eq!(done.status, 0, "{}", done.stderr);
            break;
        }
        let what = format!("killed at call {at}");
        assert_eq!(done.status, -1, "{what}");
        if place.held(&what).is_some() {
            fs::remove_dir_all(place.target()).expect("the target can be removed");
        }
    }
    place.recovers(0, "at the end");
}

/// A disk that fails or is full at any call: the program says so, and leaves nothing half-written.
fn fails_at_every_call(mode: &str, words: &str) {
    let place = Place::new();
    place.recovers(0, "at the start");
    let (mut refused, mut survived) = (0, 0);
    for at in 1.. {
        let before = place.held("before");
        let book = 1 - before.expect("a result");
        let (done, seen) = place.with_fault(book, mode, at);
        if seen < at {
            assert_eq!(done.status, 0, "{}", done.stderr);
            break;
        }
        let what = format!("{mode} at call {at}: {}", done.stderr);
        let after = place.held(&what);
        if done.status == 0 {
            // Only what tidies up may fail without a word.
            assert_eq!(after, Some(book), "{what}");
            survived += 1;
            continue;
        }
        refused += 1;
        assert!(matches!(done.status, 1 | 2), "{what}");
        assert!(after == before || after == Some(book), "{what}");
        assert!(done.stderr.contains("error: "), "{what}");
        assert!(done.stderr.contains(words), "no `{words}`: {what}");
        let parent = place.parent().display().to_string();
        assert!(done.stderr.contains(&parent), "names no file: {what}");
        assert!(!done.stderr.contains("panicked"), "{what}");
        if after == before {
            let message = done.stderr.lines().filter(|line| line.starts_with("error: ")).count();
            assert_eq!(message, 1, "{what}");
        }
    }
    assert!(refused > 10, "{refused} faults were noticed, {survived} survived");
    place.recovers(0, "at the end");
}

#[test]
fn a_failing_disk_is_named_and_leaves_a_whole_result() {
    fails_at_every_call("EIO", "Input/output error");
}

#[test]
fn a_full_disk_is_named_and_leaves_a_whole_result() {
    fails_at_every_call("ENOSPC", "No space left on device");
}

#[test]
fn a_program_killed_at_any_time_leaves_a_whole_result() {
    let place = Place::new();
    place.recovers(0, "at the start");
    let mut random = Random::new(7);
    for number in 0..12 {
        let before = place.held("before");
        let book = 1 - before.expect("a result");
        let mut command = place.command(book, &place.target());
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
        let mut program = command.spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(random.below(90)));
        let group = i32::try_from(program.id()).ok().and_then(Pid::from_raw).expect("a process id");
        // It may be done already.
        let _ = kill_process_group(group, Signal::KILL);
        program.wait().expect("an end");
        let what = format!("kill {number}");
        let after = place.held(&what);
        assert!(after == before || after == Some(book), "{what}: {before:?} became {after:?}");
    }
    place.recovers(1, "at the end");
}

#[test]
fn runs_at_the_same_time_leave_one_whole_result() {
    let place = Place::new();
    place.recovers(0, "at the start");
    let commands = [0, 1, 0, 1].map(|book| {
        let mut command = place.command(book, &place.target());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    });
    for program in commands {
        let output = program.wait_with_output().expect("an end");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(place.held("after four runs").is_some());
    assert_eq!(place.beside(), Vec::<String>::new());
}

/// A run into a folder that `prepare` has made of the target, with these arguments more.
fn run_into(prepare: impl FnOnce(&Path), more: &[&str]) -> (Done, Run) {
    let lines = [Line::usage("111111111111", "AmazonEC2", "BoxUsage:m5.large", "10")];
    let run = Run::new(PERIOD, &book("10"), |cost| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Csv, PERIOD)));
    });
    let run = run.with(more);
    prepare(&run.folder.path().join("out"));
    (run.go(), run)
}

#[test]
fn an_absent_or_empty_folder_is_taken() {
    for force in [&[][..], &["--force"]] {
        let (done, _) = run_into(|_| {}, force);
        assert!(done.succeeded().out.join("reconciliation.json").is_file());
        let (done, _) = run_into(|out| fs::create_dir(out).expect("a folder"), force);
        assert!(done.succeeded().out.join("reconciliation.json").is_file());
    }
}

#[test]
fn folders_above_the_target_are_made() {
    let place = Place::new();
    let out = place.path("a/b/c");
    place.done(place.command(0, &out)).succeeded();
    assert_eq!(files(&out), place.results[0]);
}

#[test]
fn a_folder_that_is_no_run_is_left_alone_even_with_force() {
    for force in [&[][..], &["--force"]] {
        let (done, _run) = run_into(
            |out| {
                fs::create_dir(out).expect("a folder");
                fs::write(out.join("thesis.txt"), "years of work").expect("a file");
            },
            force,
        );
        assert_eq!(done.status, 2, "{}", done.stderr);
        let shown = done.out.display();
        let message = format!(
            "error: `{shown}` is not empty and is not an earlier run\n\
             hint: give an absent or empty folder with --out\nnothing was written\n"
        );
        assert_eq!(done.stderr, message);
        let left = files(&done.out);
        assert_eq!(left.keys().collect::<Vec<_>>(), ["thesis.txt"]);
        assert_eq!(left["thesis.txt"], b"years of work");
    }
}

#[test]
fn an_earlier_run_is_replaced_only_with_force() {
    let (first, run) = run_into(|_| {}, &[]);
    let before = files(&first.succeeded().out);
    let second = run.go();
    assert_eq!(second.status, 2, "{}", second.stderr);
    let shown = second.out.display();
    let message = format!(
        "error: `{shown}` holds an earlier run\n\
         hint: add --force to replace it, or give another folder with --out\nnothing was written\n"
    );
    assert_eq!(second.stderr, message);
    assert_eq!(files(&second.out), before);
    fs::write(second.out.join("statements/left-over.csv"), "of an earlier book").expect("a file");
    let third = run.with(&["--force"]).go().succeeded();
    assert_eq!(files(&third.out), before, "the folder is replaced, not added to");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused() {
    let (done, _run) = run_into(|out| fs::write(out, "a file").expect("a file"), &["--force"]);
    assert_eq!(done.status, 2, "{}", done.stderr);
    assert!(done.stderr.contains("cannot be a result folder: Not a directory"), "{}", done.stderr);
    assert_eq!(fs::read(&done.out).expect("a file"), b"a file");
}

#[test]
fn a_link_to_a_folder_stays_a_link() {
    let place = Place::new();
    place.recovers(0, "at the start");
    let link = place.path("link");
    std::os::unix::fs::symlink(place.target(), &link).expect("a link");
    place.done(place.command(1, &link)).succeeded();
    assert!(link.is_symlink());
    assert_eq!(place.held("through a link"), Some(1));
    assert_eq!(place.beside(), Vec::<String>::new());
}

#[test]
fn the_current_folder_can_be_the_target() {
    let place = Place::new();
    fs::create_dir(place.target()).expect("a folder");
    let mut command = place.command(0, Path::new("."));
    command.current_dir(place.target());
    place.done(command).succeeded();
    assert_eq!(place.held("the current folder"), Some(0));
}

#[test]
fn what_killed_runs_left_is_removed_and_what_living_ones_write_is_not() {
    let place = Place::new();
    let parent = place.parent();
    // This test writes into the second folder, as a living run would: it holds the lock.
    for name in [".out.partial-4194399", ".out.partial-7", ".out.partial-notes", ".other.partial-4194399"] {
        fs::create_dir(parent.join(name)).expect("a folder");
        fs::write(parent.join(name).join("cost-report.json"), "[]").expect("a file");
    }
    let living = fs::File::open(parent.join(".out.partial-7")).expect("a folder");
    flock(&living, FlockOperation::LockExclusive).expect("a lock");
    place.done(place.command(0, &place.target())).succeeded();
    let mut left = place.beside();
    left.sort();
    assert_eq!(left, [".other.partial-4194399", ".out.partial-7", ".out.partial-notes"]);
}

#[test]
fn a_folder_that_holds_more_than_a_run_is_never_replaced() {
    let place = Place::new();
    place.recovers(0, "at the start");
    fs::write(place.target().join("notes.txt"), "mine").expect("a file");
    let done = place.done(place.command(1, &place.target()));
    assert_eq!(done.status, 2, "{}", done.stderr);
    assert!(done.stderr.contains("holds `notes.txt`, which no run has"), "{}", done.stderr);
    assert_eq!(fs::read_to_string(place.target().join("notes.txt")).expect("a file"), "mine");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = Place::new();
    let done = place.done(place.command(0, Path::new("/proc/proforma/out")));
    assert_eq!(done.status, 1, "{}", done.stderr);
    assert!(done.stderr.starts_with("error: cannot make `/proc/proforma`: "), "{}", done.stderr);
}
