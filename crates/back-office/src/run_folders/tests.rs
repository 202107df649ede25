//! Which runs are old enough, whose a folder is, and how one waits to read.

use super::{RUN_FOLDERS_LOCK, is_named, open_lock, reading_soon, superseded, working};
use crate::disk::on_disk;
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::{DoneRun, RunFiles};

fn run(id: &str, period: &str, is_needed: bool) -> RunFiles {
    let done = DoneRun {
        snapshot: String::new(),
        source: String::new(),
        book_hash: String::new(),
        configuration_revision: 0,
        line_count: 0,
        folder: format!("payers/1/runs/{period}/{id}-x"),
        manifest: String::new(),
        groups: BTreeMap::new(),
        warnings: Vec::new(),
    };
    RunFiles { run: id.to_owned(), period: BillingPeriod::parse(period).unwrap(), done, is_needed }
}

#[test]
fn the_last_superseded_runs_of_each_period_stay() {
    let runs = [
        run("a", "2026-10", true),
        run("b", "2026-10", false),
        run("c", "2026-10", false),
        run("d", "2026-10", true),
        run("e", "2026-10", false),
        run("f", "2026-11", false),
        run("g", "2026-11", true),
    ];
    let gone = |kept_max| -> Vec<String> {
        superseded(&mut runs.to_vec(), kept_max).into_iter().map(|run| run.run).collect()
    };
    assert_eq!(gone(0), ["b", "c", "e", "f"]);
    assert_eq!(gone(1), ["c", "e"]);
    assert_eq!(gone(2), ["e"]);
    assert_eq!(gone(3), [""; 0]);
}

#[test]
fn a_folder_is_of_the_run_that_names_it_or_is_begun() {
    let (kept, begun) = ([run("a", "2026-10", false)], BTreeSet::from(["b".to_owned()]));
    let named = |name: &str| is_named(&format!("payers/1/runs/2026-10/{name}"), &kept, &begun);
    assert!(named("a-x") && named("b-1") && named(".b-1.partial-0"));
    assert!(!named("a-y") && !named(".a-x.partial-0") && !named("c-1") && !named("lost+found"));
}

#[test]
fn who_waits_to_read_takes_no_thread() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).max_blocking_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let removing = open_lock(folder.path(), RUN_FOLDERS_LOCK).unwrap();
        removing.lock().unwrap();
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let folder = folder.path().to_owned();
                tokio::spawn(async move { reading_soon(&folder).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let other = tokio::time::timeout(Duration::from_secs(5), on_disk(|| Ok(()))).await;
        assert!(other.is_ok(), "those who wait have every thread");
        removing.unlock().unwrap();
        for waiting in waiting {
            assert!(waiting.await.unwrap().unwrap().is_some());
        }
    });
}

#[test]
fn what_is_unfinished_goes_when_nobody_works() {
    let folder = tempfile::TempDir::new().unwrap();
    let tried = folder.path().join("scratch").join("a");
    let begin = || std::fs::create_dir_all(&tried).unwrap();
    begin();
    let first = working(folder.path()).unwrap();
    assert!(!tried.exists());
    begin();
    let second = working(folder.path()).unwrap();
    drop(first);
    let third = working(folder.path()).unwrap();
    assert!(tried.exists());
    drop((second, third));
    let _fourth = working(folder.path()).unwrap();
    assert!(!tried.exists());
}
