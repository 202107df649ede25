//! Billing transfers of a book. They have dates of their own and no versions: what a book says of one holds for every period.

use super::{Changes, Reach, Said};
use crate::configuration::{Edit, Touched, TransferSettings};
use crate::responsibility_transfer::{Phase, ResponsibilityTransfer, Status};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Edit<'_> {
    pub(super) fn transfers_of_book(
        &mut self,
        transfers: &[ResponsibilityTransfer],
        reach: Reach,
    ) -> Changes {
        let mut changes = Changes::default();
        // What the period's book does not show of a transfer is not what this one takes away.
        let shown = self.next.shown_transfers(reach.from);
        for transfer in transfers {
            let settings = TransferSettings {
                source: transfer.source.clone(),
                receiver: transfer.receiver.clone(),
                accounts: transfer.accounts.iter().cloned().collect(),
                status: transfer.status,
                start: transfer.start,
                end: transfer.end,
            };
            if shown.get(&transfer.name) == Some(&settings) {
                continue;
            }
            let before =
                Arc::make_mut(&mut self.next.transfers).insert(transfer.name.clone(), settings.clone());
            let said = match before {
                Some(before) if before == settings => Said::Nothing,
                Some(_) => Said::Changed,
                None => Said::Created,
            };
            self.note_transfer(&transfer.name, said, &mut changes);
        }
        let named: BTreeSet<&String> = transfers.iter().map(|of| &of.name).collect();
        for (name, settings) in shown.iter().filter(|(name, _)| !named.contains(name)) {
            if settings.named(name).phase(reach.from) != Phase::Gone {
                self.end_transfer(name, reach);
                self.note_transfer(name, Said::Ended, &mut changes);
            }
        }
        changes
    }

    fn note_transfer(&mut self, name: &str, said: Said, changes: &mut Changes) {
        changes.add(name, said);
        if said != Said::Nothing {
            self.touched.insert(Touched::Transfer(name.to_owned()));
        }
    }

    /// Ends a transfer where the book begins. One that has not begun by then is none, and stays only for the groups of other periods.
    fn end_transfer(&mut self, name: &str, reach: Reach) {
        let elsewhere = |from, to: Option<_>| {
            from < reach.from || reach.until.is_some_and(|until| to.is_none_or(|to| until < to))
        };
        let is_used = self.next.groups.iter().any(|(_, group)| {
            let spans = group.versions.spans().iter();
            spans
                .filter(|span| span.value.transfer.as_deref() == Some(name))
                .any(|span| elsewhere(span.from, span.to))
        });
        let source = self.next.transfers.get(name).map(|of| of.source.clone());
        let receives = self.next.transfers.values().any(|of| Some(&of.receiver) == source.as_ref());
        let transfers = Arc::make_mut(&mut self.next.transfers);
        match transfers.get_mut(name) {
            Some(transfer) if transfer.start < reach.from => transfer.end = Some(reach.from),
            Some(transfer) if is_used || receives => transfer.status = Status::Canceled,
            _ => drop(transfers.remove(name)),
        }
    }
}
