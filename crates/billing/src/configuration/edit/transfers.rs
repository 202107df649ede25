//! Billing transfers, and what becomes of those without a group.

use super::{Edit, NewBillingGroup};
use crate::book::{BASIC_PRICING_PLAN, PASSTHROUGH_PLAN};
use crate::configuration::window::Window;
use crate::configuration::{
    BillingGroupId, PlanOf, Preference, Quota, Refusal, ResourceType, Touched, TransferSettings,
    ValidationReason,
};
use crate::period::BillingPeriod;
use crate::responsibility_transfer::{Phase, Status};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The name of the input in refusals of a transfer.
const ACCOUNTS: &str = "Accounts";

impl Edit<'_> {
    /// Puts a billing transfer in, in place of the one of the same name.
    ///
    /// # Errors
    /// [`ValidationReason::FieldValidationFailed`] for what cannot be, [`ValidationReason::AccountsAlreadyAssociated`] where a standard
    /// group has one of its accounts, [`ValidationReason::InvalidBillingPeriodForOperation`] where it would not be in force as it was in
    /// a closed period; [`Refusal::Conflict`] and [`Refusal::Limit`] where its group cannot be as it would make it.
    pub fn put_transfer(&mut self, name: String, transfer: TransferSettings) -> Result<(), Refusal> {
        self.is_whole(&name, &transfer)?;
        self.stands_beside_others(&name, &transfer)?;
        self.has_free_accounts(&name, &transfer)?;
        self.keeps_closed_periods(&name, &transfer)?;
        self.keeps_group(&name, &transfer)?;
        let was = self.next.transfers.get(&name);
        let begins = transfer.status.takes_effect() && !was.is_some_and(|was| was.status.takes_effect());
        if begins && self.preference_above(&transfer).is_some() {
            self.accepted.insert(name.clone());
        }
        Arc::make_mut(&mut self.next.transfers).insert(name.clone(), transfer);
        self.touched.insert(Touched::Transfer(name));
        Ok(())
    }

    /// Takes a billing transfer out that no group has ever had, and its preference.
    ///
    /// # Errors
    /// [`ValidationReason::FieldValidationFailed`] where there is none of the name, a group has it, or another bill comes through it.
    pub fn remove_transfer(&mut self, name: &str) -> Result<(), Refusal> {
        let Some(transfer) = self.next.transfers.get(name) else {
            return Err(invalid("Name", format!("there is no billing transfer `{name}`")));
        };
        if let Some((id, _)) = self.groups_of_transfer(name).first() {
            let message =
                format!("billing transfer `{name}` makes billing group `{id}`; give it an end instead");
            return Err(invalid("Name", message));
        }
        let others = || self.next.transfers.iter().filter(|(of, _)| *of != name);
        let is_other_way = others().any(|(_, other)| other.source == transfer.source);
        if let Some((below, _)) =
            others().find(|(_, other)| other.receiver == transfer.source).filter(|_| !is_other_way)
        {
            let message = format!("billing transfer `{below}` comes through `{name}`; remove that one first");
            return Err(invalid("Name", message));
        }
        Arc::make_mut(&mut self.next.transfers).remove(name);
        self.touched.insert(Touched::Transfer(name.to_owned()));
        self.accepted.remove(name);
        if self.next.preferences.contains_key(name) {
            Arc::make_mut(&mut self.next.preferences).remove(name);
            self.touched.insert(Touched::Preference(name.to_owned()));
        }
        Ok(())
    }

    /// Says whether groups are made for the transfers that come through one that the payer receives, and with which plan. It holds for
    /// those that are accepted afterwards; groups that there are stay as they are.
    ///
    /// # Errors
    /// [`ValidationReason::MissingPricingPlanArn`] where it is enabled without a plan, [`ValidationReason::FieldValidationFailed`] where it
    /// is disabled with one or there is no such transfer, and the errors of plans that are not there from the period of the write on.
    pub fn update_billing_transfer_preference(
        &mut self,
        arn: &str,
        enabled: bool,
        plan: Option<&str>,
    ) -> Result<(), Refusal> {
        let inbound = self.next.transfers.get(arn).filter(|of| of.receiver == self.next.payer);
        if inbound.is_none() {
            let message = format!("`{arn}` is no billing transfer to payer account `{}`", self.next.payer);
            return Err(invalid("ResponsibilityTransferArn", message));
        }
        let pricing_plan = match (enabled, plan) {
            (true, Some(plan)) => Some(self.plan(plan, Window { from: self.moment.period, to: None })?),
            (true, None) => {
                let message = "groups are made with a pricing plan: give one, or disable the preference";
                return Err(Refusal::invalid(ValidationReason::MissingPricingPlanArn, message));
            }
            (false, Some(plan)) => {
                let message = format!("a disabled preference has no pricing plan: leave out `{plan}`");
                return Err(invalid("AutoBillingTransferBillingGroupCreation.PricingPlanArn", message));
            }
            (false, None) => None,
        };
        let preference = Preference { pricing_plan, modified_at: self.moment.now };
        Arc::make_mut(&mut self.next.preferences).insert(arn.to_owned(), preference);
        self.touched.insert(Touched::Preference(arn.to_owned()));
        Ok(())
    }

    /// Makes the groups that preferences ask for, of the transfers that this edit has made known as accepted. Returns each such transfer
    /// without a group with its new one, or why it got none: the others are made all the same.
    pub fn auto_create_transfer_groups(&mut self) -> Vec<(String, Result<BillingGroupId, Refusal>)> {
        let mut made = Vec::new();
        for name in std::mem::take(&mut self.accepted) {
            let Some(transfer) = self.next.transfers.get(&name) else { continue };
            let Some(plan) = self.preference_above(transfer) else { continue };
            let mut groups = self.groups_of_transfer(&name).into_iter();
            if groups.any(|(_, group)| group.versions.lasts_to(self.moment.period)) {
                continue;
            }
            let new = NewBillingGroup {
                name: automatic_name(&name, transfer),
                pricing_plan: match plan {
                    PlanOf::Basic => BASIC_PRICING_PLAN.to_owned(),
                    PlanOf::Passthrough => PASSTHROUGH_PLAN.to_owned(),
                    PlanOf::Own(plan) => plan.to_string(),
                },
                transfer: Some(name.clone()),
                ..NewBillingGroup::default()
            };
            let group = self.create_billing_group(new);
            made.push((name, group));
        }
        made
    }

    /// The plan of the groups of transfers that come through the same one as this, where a preference asks for groups.
    fn preference_above(&self, transfer: &TransferSettings) -> Option<&PlanOf> {
        let above = self.next.transfers.iter().filter(|(_, above)| {
            let is_above = above.source == transfer.receiver && above.receiver == self.next.payer;
            is_above && above.phase(self.moment.period) != Phase::Gone
        });
        let mut preferences = above.filter_map(|(name, _)| self.next.preferences.get(name));
        preferences.find_map(|preference| preference.pricing_plan.as_ref())
    }

    /// Whether a bill comes to the payer, itself or through others.
    pub(super) fn reaches_payer(&self, transfer: &TransferSettings) -> bool {
        let mut receiver = &transfer.receiver;
        let mut passed = BTreeSet::from([&transfer.source]);
        while *receiver != self.next.payer {
            let there = |of: &&TransferSettings| of.phase(self.moment.period) != Phase::Gone;
            let next = self.next.transfers.values().filter(there).find(|of| of.source == *receiver);
            match next {
                Some(next) if passed.insert(receiver) => receiver = &next.receiver,
                _ => return false,
            }
        }
        true
    }

    /// Refuses a transfer that cannot be, whatever else there is.
    fn is_whole(&self, name: &str, transfer: &TransferSettings) -> Result<(), Refusal> {
        let TransferSettings { source, receiver, accounts, status, start, end } = transfer;
        let refused = |field, message: String| Err(invalid(field, message));
        if !accounts.contains(source) {
            let message = format!("the source account `{source}` must be among the accounts of `{name}`");
            return refused(ACCOUNTS, message);
        }
        if accounts.contains(&self.next.payer) {
            let message = format!(
                "payer account `{}` receives the bill: it is in no organization that transfers it",
                self.next.payer
            );
            return refused(ACCOUNTS, message);
        }
        if let Some(end) = end.filter(|end| end <= start) {
            let message =
                format!("`{name}` ends at {end}, at or before its start {start}; the end is exclusive");
            return refused("End", message);
        }
        if *status == Status::Withdrawn && end.is_none() {
            let message = format!("`{name}` is withdrawn, which goes on until its end: give the end");
            return refused("End", message);
        }
        let others = self.next.transfers.iter().filter(|(of, _)| *of != name);
        let mut sources = others.map(|(_, other)| &other.source);
        if *receiver != self.next.payer && !sources.any(|of| of == receiver) {
            let message = format!(
                "`{receiver}` receives no bill: the receiver is payer account `{}` or the source of another transfer",
                self.next.payer
            );
            return refused("Receiver", message);
        }
        Ok(())
    }

    /// Refuses an account that two transfers have together, and bills that come back to their source.
    fn stands_beside_others(&self, name: &str, transfer: &TransferSettings) -> Result<(), Refusal> {
        let Some(window) = in_force(transfer) else { return Ok(()) };
        let others = || self.next.transfers.iter().filter(|(of, _)| *of != name);
        for (other, of) in others().filter(|(_, of)| in_force(of).is_some_and(|of| of.meets(window))) {
            if let Some(account) = transfer.accounts.iter().find(|account| of.accounts.contains(account)) {
                let message = format!(
                    "billing transfer `{other}` has account `{account}` in the same months; remove it there first"
                );
                return Err(invalid(ACCOUNTS, message));
            }
        }
        let starts = others().map(|(_, of)| of.start).filter(|start| *start >= window.from);
        for month in starts.chain([window.from]) {
            let (mut receiver, mut passed) = (&transfer.receiver, BTreeSet::new());
            while passed.insert(receiver) {
                if *receiver == transfer.source {
                    let message =
                        format!("the bill of `{receiver}` would come back to it: choose another receiver");
                    return Err(invalid("Receiver", message));
                }
                let next =
                    others().find(|(_, of)| of.source == *receiver && of.phase(month) == Phase::InForce);
                receiver = next.map_or(receiver, |(_, of)| &of.receiver);
            }
        }
        Ok(())
    }

    /// Refuses a transfer whose accounts a standard group has while it is in force.
    fn has_free_accounts(&self, name: &str, transfer: &TransferSettings) -> Result<(), Refusal> {
        let Some(window) = in_force(transfer) else { return Ok(()) };
        for account in &transfer.accounts {
            let spans = self.next.memberships.get(account).map(|groups| groups.spans()).unwrap_or_default();
            if let Some(span) = spans.iter().find(|span| Window::of(span).meets(window)) {
                let message = format!(
                    "billing group `{}` has account `{account}`; disassociate it there before `{name}` begins",
                    span.value
                );
                return Err(Refusal::invalid(ValidationReason::AccountsAlreadyAssociated, message));
            }
        }
        Ok(())
    }

    /// Refuses a change that would put a transfer into a closed period, or take it out of one.
    fn keeps_closed_periods(&self, name: &str, transfer: &TransferSettings) -> Result<(), Refusal> {
        let closed = |of| {
            let end = self.next.closed_through.map(BillingPeriod::next)?;
            in_force(of)?.before(Some(end))
        };
        let was = self.next.transfers.get(name);
        match (was, self.next.closed_through) {
            (Some(was), Some(through)) if closed(was) != closed(transfer) => {
                let message =
                    format!("billing transfer `{name}` cannot change until {through}, which is closed");
                Err(Refusal::invalid(ValidationReason::InvalidBillingPeriodForOperation, message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a change of a transfer that its group cannot follow.
    fn keeps_group(&self, name: &str, transfer: &TransferSettings) -> Result<(), Refusal> {
        let groups = self.groups_of_transfer(name);
        let Some((first, _)) = groups.first() else { return Ok(()) };
        let quota = Quota::AccountsPerBillingGroup;
        if transfer.accounts.len() > quota.limit().1 {
            return Err(Refusal::limit(quota, Some((ResourceType::BillingGroup, first.to_string()))));
        }
        if self.next.transfers.get(name).is_some_and(|was| was.source != transfer.source) {
            let message = format!(
                "billing group `{first}` has the source account of `{name}` as its primary account, which does not change"
            );
            return Err(invalid("Source", message));
        }
        // A group that had ended may be there again, and its name taken meanwhile.
        for (id, group) in groups {
            for span in group.versions.spans() {
                let life = lasting(transfer).and_then(|life| Window::of(span).before(life.end));
                if let Some(life) = life {
                    self.name_of_group_is_free(&span.value.name, life, Some(id))?;
                }
            }
        }
        Ok(())
    }
}

/// The periods in which a transfer is in force, if it ever is.
fn in_force(transfer: &TransferSettings) -> Option<Window> {
    let window = Window { from: transfer.start, to: transfer.end };
    transfer.status.takes_effect().then_some(window)
}

/// A transfer that has groups until its end: one that nobody has refused.
fn lasting(transfer: &TransferSettings) -> Option<&TransferSettings> {
    let refused = matches!(transfer.status, Status::Declined | Status::Canceled | Status::Expired);
    (!refused).then_some(transfer)
}

/// The name of a group that nobody has asked for: `AutoCreated-` and the ids of the source, the receiver and the transfer.
///
/// Source: AWS Billing Conductor user guide, "Creating billing groups"; it does not show what stands between the ids.
fn automatic_name(name: &str, transfer: &TransferSettings) -> String {
    let id = name.rsplit('/').next().unwrap_or(name);
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=.-@".contains(c);
    let id: String = id.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    format!("AutoCreated-{}-{}-{id}", transfer.source, transfer.receiver)
}

/// An input that is not valid, with the member at fault.
fn invalid(field: &str, message: String) -> Refusal {
    let fields = vec![(field.to_owned(), message.clone())];
    Refusal::Validation { reason: ValidationReason::FieldValidationFailed, message, fields }
}
