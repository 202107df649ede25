//! A child that does not keep to what was agreed: shell scripts stand in for one.

use super::*;
use crate::limits::WORKER_MESSAGE_BYTES;
use tempfile::TempDir;

/// What becomes of a child that does this.
fn child(script: &str) -> Result<BTreeSet<BillingPeriod>, WorkerError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("child.sh");
    fs::write(&path, script).unwrap();
    let search = MonthSearch { inputs: Vec::new(), scratch: None };
    let limits = Limits { memory_bytes: 1 << 30, cpu_seconds: 10 };
    months(Path::new("/bin/sh"), path.to_str().unwrap(), search, limits)
}

#[track_caller]
fn is_stopped(script: &str) {
    assert!(matches!(child(script), Err(WorkerError::Stopped(_))), "{script}");
}

#[test]
fn a_child_that_keeps_to_it_is_heard() {
    let found = child(r#"cat > /dev/null; echo '{"Months":["2026-03"]}'"#).unwrap();
    assert_eq!(found.into_iter().map(|month| month.to_string()).collect::<Vec<_>>(), ["2026-03"]);
}

#[test]
fn a_child_that_writes_garbage_has_given_no_answer() {
    is_stopped("head -c 100000 /dev/urandom");
    is_stopped("echo");
    is_stopped(r#"printf '{"Months":["2026'"#);
    is_stopped(r#"echo '{"Months":"all of them"}'"#);
    is_stopped(r#"echo '{"Listed":{}}'; echo '{"Months":[]}'"#);
    is_stopped(r#"echo 'oops {"Months":[]}'"#);
    // It asks for another answer than it was asked for.
    is_stopped(r#"echo '{"Found":[]}'"#);
    is_stopped(r#"echo '{"Months":[]}'; exit 1"#);
}

#[test]
fn a_child_that_talks_nonsense_and_goes_on_is_ended() {
    is_stopped("echo nonsense; exec sleep 600");
    is_stopped("while :; do echo nonsense; done");
}

#[test]
fn a_line_without_an_end_is_not_read_to_its_end() {
    is_stopped("exec tr '\\0' ' ' < /dev/zero");
    let longest = WORKER_MESSAGE_BYTES;
    is_stopped(&format!(r#"printf '{{"Months":['; head -c {longest} /dev/zero | tr '\0' ' '; echo ']}}'"#));
}
