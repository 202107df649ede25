//! Sources, runs, closed periods.

use crate::engines::{Scratch, payer, with_payer};
use crate::on_both;
use crate::sample::{account, done_run};
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use std::collections::BTreeMap;
use store::{
    AdjustmentRow, CloseRow, CurrentRun, DoneRun, ExecutionRow, Head, NewRun, Outcome, RunState, SourceRow,
    Store, StoreError,
};

on_both! {
    a_zombie_is_refused
    every_run_is_claimed_once
    runs_are_listed_from_the_latest_on
    what_is_queued_of_a_period_is_one_run
    files_that_could_not_be_read_are_not_forgotten
    a_closed_period_has_its_run
    what_is_needed_keeps_its_files
    sources_are_kept
    deliveries_of_what_is_shown_are_kept
}

fn october() -> BillingPeriod {
    BillingPeriod::parse("2026-10").unwrap()
}

fn run(id: &str, created_at_ms: i64) -> NewRun {
    NewRun { id: id.to_owned(), period: october(), reads: None, created_at_ms }
}

/// Runs of months that follow each other.
fn runs<const N: usize>(asked: [(&str, i64); N]) -> Vec<NewRun> {
    let months = std::iter::successors(Some(october()), |month| Some(month.next()));
    asked.into_iter().zip(months).map(|((id, at), period)| NewRun { period, ..run(id, at) }).collect()
}

fn done() -> Outcome {
    Outcome::Done(Box::new(DoneRun {
        groups: BTreeMap::from([("Größe".to_owned(), "000000000007".to_owned())]),
        warnings: vec!["a \"warning\"".to_owned()],
        ..done_run()
    }))
}

async fn with_runs(store: &Store, runs: &[NewRun]) -> Head {
    let head = with_payer(store).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    for run in runs {
        write.queue_run(run.clone()).await.unwrap();
    }
    write.commit().await.unwrap()
}

async fn a_zombie_is_refused(Scratch { store, .. }: Scratch) {
    let head = with_runs(&store, &[run("r1", 5)]).await;
    assert_eq!(store.claim_run(&account(2), 10, 100).await.unwrap(), None);
    let zombie = store.claim_run(&payer(), 10, 100).await.unwrap().unwrap();
    assert_eq!(zombie.run.state, RunState::Running { started_at_ms: 10, claim_expires_at_ms: 110 });
    assert_eq!(store.claim_run(&payer(), 109, 100).await.unwrap(), None);
    store.extend_claim(&payer(), "r1", zombie.token, 200).await.unwrap();
    assert_eq!(store.claim_run(&payer(), 199, 100).await.unwrap(), None);
    assert_eq!(store.release_claims(199).await.unwrap(), 1);
    let heir = store.claim_run(&payer(), 199, 101).await.unwrap().unwrap();
    assert!(heir.token > zombie.token);

    let stale = |result: Result<(), StoreError>| matches!(result, Err(StoreError::StaleClaim { .. }));
    assert!(stale(store.extend_claim(&payer(), "r1", zombie.token, 900).await));
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(stale(write.finish_run("r1", zombie.token, &done(), 210).await));
    drop(write);
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.finish_run("r1", heir.token, &done(), 220).await.unwrap();
    write
        .set_current_run(CurrentRun { period: october(), run: "r1".to_owned(), set_at_ms: 220 })
        .await
        .unwrap();
    write.commit().await.unwrap();
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(stale(write.finish_run("r1", heir.token, &done(), 230).await));
    drop(write);
    let found = store.run(&payer(), "r1").await.unwrap().unwrap();
    assert_eq!(found.asked, run("r1", 5));
    assert_eq!(found.state, RunState::Ended { started_at_ms: 199, finished_at_ms: 220, outcome: done() });
    let current = store.current_run(&payer(), october()).await.unwrap();
    assert_eq!(current, Some(CurrentRun { period: october(), run: "r1".to_owned(), set_at_ms: 220 }));
    assert_eq!(store.claim_run(&payer(), 9_999, 100).await.unwrap(), None);
}

async fn every_run_is_claimed_once(Scratch { store, .. }: Scratch) {
    let months = std::iter::successors(Some(october()), |month| Some(month.next()));
    let numbered = |(number, period)| NewRun { period, ..run(&format!("r{number:02}"), 7) };
    let runs: Vec<NewRun> = (0..40).zip(months).map(numbered).collect();
    with_runs(&store, &runs).await;
    let claim_all = |store: Store| async move {
        let mut claimed = Vec::new();
        while let Some(claim) = store.claim_run(&payer(), 10, 100).await.unwrap() {
            claimed.push(claim.run.asked.id);
        }
        claimed
    };
    let workers: Vec<_> = (0..6).map(|_| tokio::spawn(claim_all(store.clone()))).collect();
    let mut claimed = Vec::new();
    for worker in workers {
        claimed.extend(worker.await.unwrap());
    }
    claimed.sort();
    assert_eq!(claimed, runs.into_iter().map(|run| run.id).collect::<Vec<_>>());
}

async fn runs_are_listed_from_the_latest_on(Scratch { store, .. }: Scratch) {
    let runs = runs([("a", 1), ("b", 2), ("c", 2), ("d", 3)]);
    let head = with_runs(&store, &runs).await;
    let mut listed = Vec::new();
    let mut before = None;
    loop {
        let page = store.runs_page(&payer(), None, before.as_ref(), 1).await.unwrap();
        let Some(last) = page.into_iter().next() else { break };
        listed.push(last.asked.id.clone());
        before = Some(last.asked);
    }
    assert_eq!(listed, ["d", "c", "b", "a"]);
    assert_eq!(store.runs_page(&payer(), None, None, 10).await.unwrap().len(), 4);
    assert_eq!(store.runs_page(&payer(), Some(october().next()), None, 10).await.unwrap().len(), 1);
    let claim = store.claim_run(&payer(), 9, 9).await.unwrap().unwrap();
    assert_eq!(claim.run.asked.id, "a");
    let failed = Outcome::Failed { error: "no such file".to_owned(), warnings: vec![] };
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.finish_run("a", claim.token, &failed, 11).await.unwrap();
    write.commit().await.unwrap();
    let state = store.run(&payer(), "a").await.unwrap().unwrap().state;
    assert_eq!(state, RunState::Ended { started_at_ms: 9, finished_at_ms: 11, outcome: failed });
}

async fn what_is_queued_of_a_period_is_one_run(Scratch { store, .. }: Scratch) {
    let reading = |id: &str, source: &str| NewRun { reads: Some(source.to_owned()), ..run(id, 9) };
    let head = with_runs(&store, &[run("a", 1), run("b", 2), reading("c", "cur"), run("d", 4)]).await;
    let queued = store.runs_page(&payer(), None, None, 10).await.unwrap();
    let asked: Vec<_> =
        queued.iter().map(|run| (run.asked.id.as_str(), run.asked.reads.as_deref())).collect();
    assert_eq!(asked, [("a", Some("cur"))]);
    let claim = store.claim_run(&payer(), 9, 100).await.unwrap().unwrap();
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.queue_run(run("e", 5)).await.unwrap();
    let head = write.commit().await.unwrap();
    // The next run of the period waits for the one that is being made.
    assert_eq!(store.claim_run(&payer(), 10, 100).await.unwrap(), None);
    let to_come = async || -> Vec<_> {
        store.runs_to_come(&payer()).await.unwrap().into_iter().map(|run| run.asked.id).collect()
    };
    assert_eq!(to_come().await, ["a", "e"]);
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.finish_run("a", claim.token, &Outcome::Unchanged, 11).await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(to_come().await, ["e"]);
    assert_eq!(store.claim_run(&payer(), 12, 100).await.unwrap().unwrap().run.asked.id, "e");
}

async fn files_that_could_not_be_read_are_not_forgotten(Scratch { store, .. }: Scratch) {
    let reading = |id: &str, at, source: &str| NewRun { reads: Some(source.to_owned()), ..run(id, at) };
    let mut head = with_runs(&store, &[reading("a", 1, "cur")]).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.put_source(cur()).await.unwrap();
    head = write.commit().await.unwrap();
    let failed = Outcome::Failed { error: "no such file".to_owned(), warnings: vec![] };
    // A change queues `b` while `a` is being made; `c` reads from a place that is not registered any more.
    let later = [run("b", 2), reading("c", 3, "gone"), run("d", 4)];
    for (ended, (next, reads)) in
        ["a", "b", "c"].into_iter().zip(later.into_iter().zip([Some("cur"), Some("gone"), None]))
    {
        let claim = store.claim_run(&payer(), 9, 100).await.unwrap().unwrap();
        assert_eq!(claim.run.asked.id, ended);
        let mut write = store.write(&payer(), &head).await.unwrap();
        write.queue_run(next).await.unwrap();
        write.finish_run(ended, claim.token, &failed, 11).await.unwrap();
        let unread: Vec<_> =
            write.failed_readings().await.unwrap().into_iter().map(|run| run.asked.id).collect();
        assert!(unread.is_empty(), "{unread:?}");
        head = write.commit().await.unwrap();
        let queued = store.runs_to_come(&payer()).await.unwrap().remove(0);
        assert_eq!(queued.asked.reads.as_deref(), reads);
    }
}

async fn a_closed_period_has_its_run(Scratch { store, .. }: Scratch) {
    let head = with_runs(&store, &[run("r1", 5)]).await;
    // Only once a run has begun, there is another one of its period.
    store.claim_run(&payer(), 6, 100).await.unwrap().unwrap();
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.queue_run(run("r2", 7)).await.unwrap();
    let head = write.commit().await.unwrap();
    let close = |run: &str| CloseRow {
        period: october(),
        run: run.to_owned(),
        manifest_hash: "m".to_owned(),
        closed_at_ms: 9,
        closed_by: "ops".to_owned(),
    };
    let adjustment = |id: &str, period| AdjustmentRow {
        id: id.to_owned(),
        period,
        posted_in: october().next(),
        run: "r2".to_owned(),
        billing_group: None,
        currency: Currency::parse("USD").unwrap(),
        amount: Amount::parse("-0.00000000000000000001").unwrap(),
        detail: "late".to_owned(),
        created_at_ms: 12,
    };
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.put_close(close("r1")).await.unwrap();
    write.put_adjustments(vec![adjustment("x", october()), adjustment("y", october())]).await.unwrap();
    write.commit().await.unwrap();
    let adjustments = [adjustment("x", october()), adjustment("y", october())];
    assert_eq!(store.closes(&payer()).await.unwrap(), [close("r1")]);
    assert_eq!(store.adjustments_of(&payer(), october()).await.unwrap(), adjustments);
    assert_eq!(store.adjustments_in(&payer(), october().next()).await.unwrap(), adjustments);
    assert_eq!(store.adjustments_in(&payer(), october()).await.unwrap(), []);
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(matches!(write.put_close(close("r2")).await, Err(StoreError::AlreadyThere(_))));
    drop(write);
    let mut write = store.write(&payer(), &head).await.unwrap();
    let refused = write.put_adjustments(vec![adjustment("z", october().next())]).await;
    assert!(matches!(refused, Err(StoreError::NotThere(_))), "{refused:?}");
}

fn cur() -> SourceRow {
    SourceRow {
        id: "cur".to_owned(),
        inputs: vec!["s3://bucket/prefix".to_owned()],
        price_list: None,
        is_watched: true,
        is_immutable: false,
        accepts_rejects: true,
        period: Some(october()),
        fingerprint: None,
        checked_at_ms: None,
        problem: None,
        created_at_ms: 2,
        is_confined: true,
    }
}

async fn sources_are_kept(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let source = cur();
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.put_source(source.clone()).await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(store.source(&payer(), "cur").await.unwrap(), Some(source.clone()));
    store.note_source_checked(&payer(), "cur", Ok("f1"), 5).await.unwrap();
    store.note_source_checked(&payer(), "cur", Err("gone"), 6).await.unwrap();
    let checked = SourceRow {
        fingerprint: Some("f1".to_owned()),
        checked_at_ms: Some(6),
        problem: Some("gone".to_owned()),
        ..source
    };
    assert_eq!(store.sources(&payer()).await.unwrap(), [checked]);
    assert_eq!(store.sources(&account(2)).await.unwrap(), []);
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(write.remove_source("cur").await.unwrap());
    assert!(!write.remove_source("cur").await.unwrap());
}

async fn what_is_needed_keeps_its_files(Scratch { store, .. }: Scratch) {
    let mut head = with_runs(&store, &[]).await;
    for (number, id) in ["r1", "r2", "r3"].into_iter().enumerate() {
        let at_ms = 10 * i64::try_from(number).unwrap();
        let mut write = store.write(&payer(), &head).await.unwrap();
        write.queue_run(run(id, at_ms)).await.unwrap();
        head = write.commit().await.unwrap();
        let claim = store.claim_run(&payer(), at_ms + 1, 100).await.unwrap().unwrap();
        assert_eq!(store.begun_runs(&payer()).await.unwrap(), [id.to_owned()].into());
        let mut write = store.write(&payer(), &head).await.unwrap();
        write.finish_run(id, claim.token, &done(), at_ms + 2).await.unwrap();
        let shown = CurrentRun { period: october(), run: id.to_owned(), set_at_ms: at_ms };
        write.set_current_run(shown).await.unwrap();
        head = write.commit().await.unwrap();
    }
    let mut write = store.write(&payer(), &head).await.unwrap();
    let close = CloseRow {
        period: october(),
        run: "r1".to_owned(),
        manifest_hash: "m".to_owned(),
        closed_at_ms: 40,
        closed_by: "root".to_owned(),
    };
    write.put_close(close).await.unwrap();
    write.commit().await.unwrap();
    let with_files = async || -> Vec<(String, bool)> {
        let runs = store.runs_with_files(&payer()).await.unwrap();
        runs.into_iter().map(|run| (run.run, run.is_needed)).collect()
    };
    let named = |runs: &[(&str, bool)]| -> Vec<(String, bool)> {
        runs.iter().map(|(run, is_needed)| ((*run).to_owned(), *is_needed)).collect()
    };
    assert!(store.begun_runs(&payer()).await.unwrap().is_empty());
    assert_eq!(with_files().await, named(&[("r3", true), ("r2", false), ("r1", true)]));
    for (run, is_removed) in [("r1", false), ("r2", true), ("r2", false), ("r3", false), ("r4", false)] {
        assert_eq!(store.note_files_removed(&payer(), run, 50).await.unwrap(), is_removed, "{run}");
    }
    assert_eq!(with_files().await, named(&[("r3", true), ("r1", true)]));
    assert_eq!(store.runs_without_files(&payer()).await.unwrap(), 1);
    let removed = store.run(&payer(), "r2").await.unwrap().unwrap();
    assert_eq!(removed.files_removed_at_ms, Some(50));
}

async fn deliveries_of_what_is_shown_are_kept(Scratch { store, .. }: Scratch) {
    let mut head = with_runs(&store, &[]).await;
    for (number, id) in ["r1", "r2"].into_iter().enumerate() {
        let at_ms = 10 * i64::try_from(number).unwrap();
        let mut write = store.write(&payer(), &head).await.unwrap();
        write.queue_run(run(id, at_ms)).await.unwrap();
        head = write.commit().await.unwrap();
        let claim = store.claim_run(&payer(), at_ms + 1, 100).await.unwrap().unwrap();
        let mut write = store.write(&payer(), &head).await.unwrap();
        write.finish_run(id, claim.token, &done(), at_ms + 2).await.unwrap();
        let shown = CurrentRun { period: october(), run: id.to_owned(), set_at_ms: at_ms };
        write.set_current_run(shown).await.unwrap();
        head = write.commit().await.unwrap();
    }
    let delivery = |id: &str, run: &str, ended_at_ms: Option<i64>| ExecutionRow {
        export: "e".to_owned(),
        id: id.to_owned(),
        definition: 1,
        period: october(),
        run: run.to_owned(),
        status: "DELIVERY_SUCCESS".to_owned(),
        reason: None,
        problem: None,
        body: "{}".to_owned(),
        created_at_ms: 30,
        updated_at_ms: 30,
        ended_at_ms,
        claim_expires_at_ms: ended_at_ms.is_none().then_some(100),
    };
    let mut write = store.write(&payer(), &head).await.unwrap();
    for (id, run, ended) in
        [("a", "r1", Some(40)), ("b", "r1", Some(50)), ("c", "r2", Some(40)), ("d", "r1", None)]
    {
        assert!(write.put_execution(&delivery(id, run, ended)).await.unwrap());
    }
    // What has ended stays as it is: whoever was late is told so.
    assert!(!write.put_execution(&delivery("a", "r1", None)).await.unwrap());
    assert_eq!(write.forget_executions(40).await.unwrap(), 0);
    assert_eq!(write.forget_executions(50).await.unwrap(), 1);
    write.commit().await.unwrap();
    let left = store.executions(&payer(), "e").await.unwrap();
    assert_eq!(left.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["d", "c", "b"]);
    // The last one of each definition that went well stays, whatever its age: what is due follows from it. One that failed goes.
    let mut write = store.write(&payer(), &head).await.unwrap();
    let other = |id: &str, definition, ended, problem: Option<&str>| ExecutionRow {
        definition,
        problem: problem.map(str::to_owned),
        ..delivery(id, "r1", Some(ended))
    };
    for row in [other("f", 2, 60, None), other("g", 2, 70, Some("no")), other("h", 2, 55, None)] {
        assert!(write.put_execution(&row).await.unwrap());
    }
    assert_eq!(write.forget_executions(1_000).await.unwrap(), 2);
    // What is looked at is of the run that is shown, what went well last, what has ended since, and what has not ended.
    let current = write.current_executions().await.unwrap();
    assert_eq!(current.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["c", "d", "f"]);
    write.put_execution(&other("i", 3, 80, Some("no"))).await.unwrap();
    let current = write.current_executions().await.unwrap();
    assert_eq!(current.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["c", "d", "f", "i"]);
    write.commit().await.unwrap();
    let left = store.executions(&payer(), "e").await.unwrap();
    assert_eq!(left.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["i", "f", "d", "c", "b"]);
}
