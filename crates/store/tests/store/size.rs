//! A large payer: saved and loaded whole, over many statements. How long each takes is printed.

use crate::engines::{Scratch, payer, with_payer};
use crate::on_both;
use crate::sample::{Chance, item, item_id, rule, rule_id};
use billing::configuration::{Configuration, Resource, Timeline, Touched};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

on_both! {
    a_large_payer_is_saved_and_loaded
}

/// Of rules, and of items, unless `PROFORMA_STORE_EACH` says how many. The largest payer has fifty thousand of each.
const EACH: u64 = 5_000;

async fn a_large_payer_is_saved_and_loaded(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let mut configuration = Configuration::new(payer());
    let (mut chance, mut touched) = (Chance::new(1), BTreeSet::new());
    let from = BillingPeriod::parse("2026-10").unwrap();
    let each = std::env::var("PROFORMA_STORE_EACH").map_or(EACH, |each| each.parse().unwrap());
    for number in 0..each {
        configuration.rules.put(rule_id(number), resource(2 * number + 1, rule(&mut chance), from));
        touched.insert(Touched::Rule(rule_id(number)));
        configuration.items.put(item_id(number), resource(2 * number + 2, item(&mut chance), from));
        touched.insert(Touched::Item(item_id(number)));
    }
    configuration.next_number = 2 * each + 1;
    let mut write = store.write(&payer(), &head).await.unwrap();
    let head = timed("save", async {
        write.save(&configuration, &touched, 1).await.unwrap();
        write.commit().await.unwrap()
    })
    .await;
    let loaded = timed("load", store.load(&payer())).await.unwrap().unwrap();
    assert!(loaded.configuration == configuration);

    let some: BTreeSet<Touched> = touched.into_iter().step_by(20).collect();
    for key in &some {
        if let Touched::Rule(id) = key {
            let value = rule(&mut chance);
            configuration.rules.change(id, |rule| rule.versions.set_from(from.next(), value, 2));
        }
    }
    let mut write = store.write(&payer(), &head).await.unwrap();
    timed("save of some", async {
        write.save(&configuration, &some, 2).await.unwrap();
        write.commit().await.unwrap()
    })
    .await;
    assert!(store.load(&payer()).await.unwrap().unwrap().configuration == configuration);
}

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    eprintln!("{what}: {:?}", begun.elapsed());
    done
}

fn resource<S: Clone + PartialEq>(number: u64, value: S, from: BillingPeriod) -> Resource<S> {
    let mut versions = Timeline::default();
    versions.set_from(from, value, 1);
    let tags = BTreeMap::from([("team".to_owned(), "payments".to_owned())]);
    Resource { number, created_at: 1, modified_at: 1, versions, tags }
}
