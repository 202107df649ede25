//! The organization as it was read, in place of what was known of it.

use super::Edit;
use crate::account::AccountId;
use crate::configuration::{
    BillingGroupId, FamilyAccount, Refusal, Touched, TransferSettings, ValidationReason,
};
use crate::instant::month_of;
use crate::organization::{
    AccountDraft, FeatureSet, InboundTransfer, Organization, OrganizationDraft, OrganizationalUnit,
    UnitDraft, UnitId,
};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a reading of the organization changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationChanges {
    /// Accounts that were not known, or had left.
    pub joined: Vec<AccountId>,
    /// Accounts that are of it no more.
    pub left: Vec<AccountId>,
    /// Accounts that are in another unit.
    pub in_other_unit: Vec<AccountId>,
    /// Accounts of which something else is said: name, address, state, tags, dates.
    pub changed: Vec<AccountId>,
    /// Units that were not known, or had gone.
    pub new_units: Vec<UnitId>,
    /// Units that have another name, parent or tags.
    pub changed_units: Vec<UnitId>,
    /// Units that are there no more.
    pub gone_units: Vec<UnitId>,
    /// Billing transfers that were not known, or not so.
    pub transfers: Vec<String>,
    /// The billing groups that were made for billing transfers, because a preference asks for them.
    pub transfer_groups: Vec<BillingGroupId>,
    /// What of it could not be taken over, and why.
    pub refused: Vec<String>,
}

impl OrganizationChanges {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Edit<'_> {
    /// Makes the organization what a draft says, as of now: it has all units and all accounts. What it no more has is kept, with the day on which it
    /// was missed, unless the draft says when it left.
    ///
    /// # Errors
    /// [`ValidationReason::Other`] where it is the organization of another account, or has no account.
    pub fn set_organization(&mut self, draft: OrganizationDraft) -> Result<OrganizationChanges, Refusal> {
        let payer = &self.next.payer;
        let is_other = draft.management_account.as_ref().filter(|of| *of != payer);
        if let Some(other) = is_other {
            let id = draft.id.as_deref().unwrap_or("that was read");
            let message = format!(
                "organization `{id}` is managed by account `{other}`, and this desk's payer is `{payer}`: read it with credentials of \
                 `{payer}`'s organization"
            );
            return Err(Refusal::invalid(ValidationReason::Other, message));
        }
        let mut changes = OrganizationChanges::default();
        self.say_organization(&draft);
        let OrganizationDraft { units, accounts, transfers, .. } = draft;
        self.set_units(units, &mut changes);
        self.set_accounts(accounts, &mut changes);
        self.set_transfers(transfers.unwrap_or_default(), &mut changes);
        Ok(changes)
    }

    fn say_organization(&mut self, draft: &OrganizationDraft) {
        let known = self.next.organization.as_deref();
        let payer = &self.next.payer;
        // A file may have no id: then it is made of the payer's.
        let id = draft.id.clone().or(known.map(|of| of.id.clone())).unwrap_or_else(|| format!("o-{payer}"));
        let features = draft.features.or(known.map(|of| of.features)).unwrap_or(FeatureSet::All);
        let management_email =
            draft.management_email.clone().or(known.and_then(|of| of.management_email.clone()));
        let organization = Organization {
            id,
            management_account: payer.clone(),
            management_email,
            features,
            root: draft.root.clone(),
        };
        if known != Some(&organization) {
            self.next.organization = Some(Arc::new(organization));
            self.touched.insert(Touched::Organization);
        }
    }

    fn set_units(&mut self, units: BTreeMap<UnitId, UnitDraft>, changes: &mut OrganizationChanges) {
        let known = self.next.units.clone();
        let missed = known.iter().filter(|(id, unit)| unit.gone_at.is_none() && !units.contains_key(id));
        let gone_at = Some(self.moment.now);
        let gone = missed.map(|(id, unit)| (id.clone(), OrganizationalUnit { gone_at, ..unit.clone() }));
        for (id, unit) in gone.collect::<Vec<_>>() {
            changes.gone_units.push(id.clone());
            self.put_unit(id, unit);
        }
        for (id, UnitDraft { name, parent, tags }) in units {
            let unit = OrganizationalUnit { name, parent, tags, gone_at: None };
            match known.get(&id) {
                Some(same) if *same == unit => continue,
                Some(OrganizationalUnit { gone_at: None, .. }) => changes.changed_units.push(id.clone()),
                _ => changes.new_units.push(id.clone()),
            }
            self.put_unit(id, unit);
        }
    }

    fn put_unit(&mut self, id: UnitId, unit: OrganizationalUnit) {
        Arc::make_mut(&mut self.next.units).insert(id.clone(), unit);
        self.touched.insert(Touched::Unit(id));
    }

    fn set_accounts(
        &mut self,
        accounts: BTreeMap<AccountId, AccountDraft>,
        changes: &mut OrganizationChanges,
    ) {
        let (before, period) = (self.next.family.clone(), self.moment.period);
        let said = accounts.into_iter().map(|(id, draft)| {
            let known = before.get(&id);
            let account = family_account(draft, known);
            (id, account)
        });
        self.declare_family(said.collect(), true);
        let is_there = |account: Option<&FamilyAccount>| account.is_some_and(|of| of.is_there(period.next()));
        let unit = |account: &FamilyAccount| account.details.as_ref().map(|of| of.unit.clone());
        for (id, after) in &*self.next.family {
            let was = before.get(id);
            let list = match (is_there(was), is_there(Some(after))) {
                (false, true) => &mut changes.joined,
                (true, false) => &mut changes.left,
                // Who has gone already is told once.
                (false, false) if was.is_some() => continue,
                (false, false) => &mut changes.changed,
                (true, true) => match was {
                    Some(was) if was == after => continue,
                    Some(was) if was.details.is_some() && unit(was) != unit(after) => {
                        &mut changes.in_other_unit
                    }
                    _ => &mut changes.changed,
                },
            };
            list.push(id.clone());
        }
    }

    fn set_transfers(&mut self, transfers: Vec<InboundTransfer>, changes: &mut OrganizationChanges) {
        for InboundTransfer { arn, source, status, start, end } in transfers {
            let known = self.next.transfers.get(&arn);
            // AWS does not tell which accounts the organization has: those that a book has told stay.
            let mut accounts = known.map(|of| of.accounts.clone()).unwrap_or_default();
            accounts.insert(source.clone());
            let receiver = self.next.payer.clone();
            let transfer = TransferSettings { source, receiver, accounts, status, start, end };
            if known == Some(&transfer) {
                continue;
            }
            match self.put_transfer(arn.clone(), transfer) {
                Ok(()) => changes.transfers.push(arn),
                Err(refusal) => changes.refused.push(refusal.to_string()),
            }
        }
        for (transfer, made) in self.auto_create_transfer_groups() {
            match made {
                Ok(group) => changes.transfer_groups.push(group),
                Err(refusal) => {
                    changes.refused.push(format!("billing transfer `{transfer}` got no group: {refusal}"));
                }
            }
        }
    }
}

/// What is kept of an account: what a draft does not say of it is as it was.
fn family_account(draft: AccountDraft, known: Option<&FamilyAccount>) -> FamilyAccount {
    let AccountDraft { name, email, mut details } = draft;
    let earlier = known.and_then(|known| known.details.as_deref());
    details.joined_at = details.joined_at.or(earlier.and_then(|of| of.joined_at));
    details.joined_method = details.joined_method.or(earlier.and_then(|of| of.joined_method));
    FamilyAccount {
        name,
        email,
        joined: details.joined_at.and_then(month_of),
        left: details.left_at.and_then(month_of).map(BillingPeriod::next),
        details: Some(Box::new(details)),
    }
}
