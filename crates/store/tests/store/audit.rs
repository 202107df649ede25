//! The audit log and client tokens.

use crate::engines::{Scratch, payer, with_payer};
use crate::on_both;
use crate::sample::account;
use store::{AuditRow, StoreError, TokenRow};

on_both! {
    entries_follow_each_other
    a_token_is_kept_for_35_days
    old_entries_are_removed_but_the_last
}

pub fn entry(sequence: u64, previous_hash: &str) -> AuditRow {
    AuditRow {
        sequence,
        at_ms: 1_000,
        principal: "ops".to_owned(),
        action: "CreateBillingGroup".to_owned(),
        resource: "arn:aws:billingconductor::000000000001:billinggroup/1".to_owned(),
        decision: "allow".to_owned(),
        request_id: format!("r-{sequence}"),
        detail: "{\"name\":\"Größe\"}".to_owned(),
        previous_hash: previous_hash.to_owned(),
        hash: format!("h{sequence}"),
    }
}

async fn entries_follow_each_other(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.audit(&[entry(1, ""), entry(2, "h1"), entry(3, "h2")]).await.unwrap();
    let head = write.commit().await.unwrap();
    assert_eq!((head.revision, head.audit.sequence, head.audit.hash.as_str()), (0, 3, "h3"));
    for wrong in [entry(5, "h3"), entry(4, "h2"), entry(3, "h2")] {
        let mut write = store.write(&payer(), &head).await.unwrap();
        assert!(matches!(write.audit(&[wrong]).await, Err(StoreError::Unfit(_))));
    }
    let page = store.audit_page(&payer(), 1, 1).await.unwrap();
    assert_eq!(page, [entry(2, "h1")]);
    assert_eq!(store.audit_page(&payer(), 2, 10).await.unwrap(), [entry(3, "h2")]);
    assert_eq!(store.audit_page(&account(2), 0, 10).await.unwrap(), []);
    assert_eq!(store.head(&payer()).await.unwrap(), Some(head));
}

async fn old_entries_are_removed_but_the_last(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    let late = AuditRow { at_ms: 2_000, ..entry(3, "h2") };
    write.audit(&[entry(1, ""), entry(2, "h1"), late, entry(4, "h3")]).await.unwrap();
    let mut head = write.commit().await.unwrap();
    // The fourth is older than the third, and stays with it.
    for (before_ms, removed) in
        [(1_000, None), (1_001, Some(2)), (1_001, None), (9_999, Some(3)), (9_999, None)]
    {
        let mut write = store.write(&payer(), &head).await.unwrap();
        let through = write.forget_audit(before_ms).await.unwrap();
        assert_eq!(through, removed.map(|sequence: u64| (sequence, format!("h{sequence}"))), "{before_ms}");
        head = write.commit().await.unwrap();
    }
    assert_eq!(store.audit_page(&payer(), 0, 10).await.unwrap(), [entry(4, "h3")]);
}

async fn a_token_is_kept_for_35_days(Scratch { store, .. }: Scratch) {
    const DAY: i64 = 86_400_000;
    let head = with_payer(&store).await;
    let row = |token: &str, created_at_ms| TokenRow {
        operation: "CreatePricingRule".to_owned(),
        token: token.to_owned(),
        input_hash: "abc".to_owned(),
        outcome: "arn".to_owned(),
        created_at_ms,
    };
    let mut write = store.write(&payer(), &head).await.unwrap();
    write.put_token(row("old", DAY)).await.unwrap();
    write.put_token(row("new", DAY + 1)).await.unwrap();
    write.commit().await.unwrap();
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(matches!(write.put_token(row("new", 5)).await, Err(StoreError::AlreadyThere(_))));
    drop(write);
    let found = store.token(&payer(), "CreatePricingRule", "new").await.unwrap();
    assert_eq!(found, Some(row("new", DAY + 1)));
    assert_eq!(store.token(&payer(), "CreatePricingPlan", "new").await.unwrap(), None);
    assert_eq!(store.token(&account(2), "CreatePricingRule", "new").await.unwrap(), None);
    assert_eq!(store.forget_tokens(36 * DAY + 1).await.unwrap(), 1);
    assert_eq!(store.token(&payer(), "CreatePricingRule", "old").await.unwrap(), None);
    assert!(store.token(&payer(), "CreatePricingRule", "new").await.unwrap().is_some());
}
