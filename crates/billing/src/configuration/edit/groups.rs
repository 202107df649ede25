//! Billing groups: made, changed and deleted.
//!
//! The id of a standard group is its primary account's, as AWS has it. A group that is created again after its deletion is therefore the
//! same resource with a further version: it has a new place in lists and a new time of creation, and its past versions stay. One that is
//! created for periods before those it already has is made longer, and keeps both.

use super::Edit;
use super::lookup::{Missing, distinct_accounts};
use crate::account::AccountId;
use crate::configuration::window::{Window, most_at_once, room, stay};
use crate::configuration::{
    BillingGroupId, GroupSettings, ItemSettings, PlanOf, Quota, Refusal, Resource, Timeline, Touched,
    TransferSettings, ValidationReason,
};
use crate::responsibility_transfer::Phase;
use std::collections::BTreeMap;

/// What a new billing group is asked to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewBillingGroup {
    /// Its name.
    pub name: String,
    /// Free text for the operator; an empty one is none.
    pub description: Option<String>,
    /// The ARN or id of its pricing plan.
    pub pricing_plan: String,
    /// The account that stands for a standard group.
    pub primary_account: Option<AccountId>,
    /// The accounts of a standard group, the primary one among them.
    pub linked_accounts: Vec<AccountId>,
    /// Whether accounts that no group has join it.
    pub auto_associate: Option<bool>,
    /// The billing transfer that makes it a `TRANSFER_BILLING` group, by name.
    pub transfer: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What is to be changed of a billing group; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BillingGroupChange {
    /// Its name.
    pub name: Option<String>,
    /// Free text for the operator; an empty one takes it away.
    pub description: Option<String>,
    /// The ARN or id of its pricing plan.
    pub pricing_plan: Option<String>,
    /// Whether accounts that no group has join it.
    pub auto_associate: Option<bool>,
    /// Its billing transfer, which does not change.
    pub transfer: Option<String>,
    /// Its status, which is only ever what it is.
    pub status: Option<String>,
}

impl Edit<'_> {
    /// Creates a billing group, from the period of the write on.
    ///
    /// # Errors
    /// The input is not valid: see docs/api.md for each reason; [`Refusal::Conflict`] for a name that another group has;
    /// [`Refusal::Limit`] where there are 5,000 groups, or 1,000 accounts in one.
    pub fn create_billing_group(&mut self, new: NewBillingGroup) -> Result<BillingGroupId, Refusal> {
        match &new.transfer {
            Some(_) => self.create_transfer_group(new),
            None => self.create_standard_group(new),
        }
    }

    fn create_standard_group(&mut self, new: NewBillingGroup) -> Result<BillingGroupId, Refusal> {
        let (primary, id) = self.primary_account(&new)?;
        self.are_of_family(&new.linked_accounts, ValidationReason::IllegalAccounts)?;
        let window = self.free_window(self.next.groups.get(&id), primary.as_str())?;
        let plan = self.plan_of_group(&new.pricing_plan, window, None)?;
        let auto_associate = new.auto_associate == Some(true);
        if auto_associate {
            self.only_one_auto_associates(window, &id)?;
        }
        self.name_of_group_is_free(&new.name, window, Some(&id))?;
        let joining = self.free_accounts(&new.linked_accounts, window)?;
        // The primary account is a member as long as there is the group.
        if let Some((_, until)) = joining.iter().find(|(account, of)| *account == primary && *of != window) {
            let until = until.to.unwrap_or(window.from);
            let message = format!("account `{primary}` is in another billing group from {until} on");
            return Err(Refusal::invalid(ValidationReason::AccountsAlreadyAssociated, message));
        }
        self.groups_have_room(window)?;
        self.accounts_have_room(&id, window, &joining)?;
        let settings = GroupSettings {
            name: new.name,
            description: new.description.filter(|text| !text.is_empty()),
            primary_account: primary,
            pricing_plan: plan,
            auto_associate,
            transfer: None,
        };
        self.put_group(&id, settings, window, new.tags);
        self.join(&id, joining);
        Ok(id)
    }

    /// The primary account of a standard group, and the id that the group has from it.
    fn primary_account(&self, new: &NewBillingGroup) -> Result<(AccountId, BillingGroupId), Refusal> {
        let refused = |reason, message: String| Err(Refusal::invalid(reason, message));
        distinct_accounts(&new.linked_accounts)?;
        let Some(primary) = new.primary_account.clone() else {
            let message = "a standard billing group has a primary account: give one, or a billing transfer";
            return refused(ValidationReason::PrimaryNotAssociated, message.to_owned());
        };
        if primary == self.next.payer {
            let message = format!("payer account `{primary}` may be a member, but not the primary account");
            return refused(ValidationReason::IllegalPrimaryAccount, message);
        }
        let Some(id) = BillingGroupId::parse(primary.as_str()).filter(|_| primary.has_twelve_digits()) else {
            let message = format!("`{primary}` cannot be a primary account: it has no twelve digits");
            return refused(ValidationReason::IllegalPrimaryAccount, message);
        };
        if new.linked_accounts.is_empty() {
            let message =
                format!("a standard billing group has accounts: name the primary account `{primary}`");
            return refused(ValidationReason::MissingLinkedAccountIds, message);
        }
        if !new.linked_accounts.contains(&primary) {
            let message = format!("the primary account `{primary}` must be among the linked accounts");
            return refused(ValidationReason::PrimaryNotAssociated, message);
        }
        self.are_of_family(std::slice::from_ref(&primary), ValidationReason::IllegalPrimaryAccount)?;
        Ok((primary, id))
    }

    fn create_transfer_group(&mut self, new: NewBillingGroup) -> Result<BillingGroupId, Refusal> {
        let standard_only = [
            ("a primary account", new.primary_account.is_some()),
            ("linked accounts", !new.linked_accounts.is_empty()),
            ("auto-associate", new.auto_associate == Some(true)),
        ];
        if let Some((what, _)) = standard_only.into_iter().find(|(_, given)| *given) {
            let message =
                format!("the group of a billing transfer has its accounts from there: leave out {what}");
            return Err(Refusal::invalid(ValidationReason::IllegalBillingGroupType, message));
        }
        let name = new.transfer.unwrap_or_default();
        let primary_account = self.begun_or_pending(&name)?.source.clone();
        // A group that has later periods is made longer; one that was deleted is another.
        let of_transfer = self.groups_of_transfer(&name);
        let later = of_transfer.into_iter().find(|(_, group)| group.versions.lasts_to(self.moment.period));
        let window = self.free_window(later.map(|(_, group)| group), &name)?;
        let own = later.map(|(id, _)| id.clone());
        let pricing_plan = self.plan_of_group(&new.pricing_plan, window, Some(None))?;
        self.name_of_group_is_free(&new.name, window, own.as_ref())?;
        self.groups_have_room(window)?;
        let id = own.unwrap_or_else(|| self.fresh_group_id());
        let settings = GroupSettings {
            name: new.name,
            description: new.description.filter(|text| !text.is_empty()),
            primary_account,
            pricing_plan,
            auto_associate: false,
            transfer: Some(name),
        };
        self.put_group(&id, settings, window, new.tags);
        Ok(id)
    }

    /// A billing transfer that may have a group: the payer receives it, itself or through another, and it has not ended.
    fn begun_or_pending(&self, name: &str) -> Result<&TransferSettings, Refusal> {
        let Some(transfer) = self.next.transfers.get(name).filter(|transfer| self.reaches_payer(transfer))
        else {
            let message =
                format!("`{name}` is no billing transfer that payer account `{}` receives", self.next.payer);
            return Err(Refusal::invalid(ValidationReason::InvalidArn, message));
        };
        if transfer.phase(self.moment.period) == Phase::Gone {
            let message = format!("billing transfer `{name}` has ended, or was never accepted");
            return Err(Refusal::invalid(ValidationReason::IllegalEndedBillinggroup, message));
        }
        let (quota, limit) = (Quota::AccountsPerBillingGroup, Quota::AccountsPerBillingGroup.limit().1);
        if transfer.accounts.len() > limit { Err(Refusal::limit(quota, None)) } else { Ok(transfer) }
    }

    /// Changes a billing group from the period of the write on, up to what was said for later ones.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where there is no such group in the period; the input is not valid: see docs/api.md for each reason;
    /// [`Refusal::Conflict`] for a name that another group has.
    pub fn update_billing_group(
        &mut self,
        arn: &str,
        change: BillingGroupChange,
    ) -> Result<BillingGroupId, Refusal> {
        let (id, earlier) = self.group(arn, Missing::NotFound)?;
        let mut settings = earlier.clone();
        let window = self.window_of_version(&id);
        self.stays_the_same(&id, &settings, &change)?;
        if let Some(plan) = change.pricing_plan {
            let transfer = settings.transfer.as_ref().map(|_| Some(&id));
            settings.pricing_plan = self.plan_of_group(&plan, window, transfer)?;
        }
        if let Some(automatic) = change.auto_associate {
            if automatic && !settings.auto_associate {
                self.may_auto_associate(&id, &settings, window)?;
            }
            settings.auto_associate = automatic;
        }
        if let Some(name) = change.name {
            self.name_of_group_is_free(&name, window, Some(&id))?;
            settings.name = name;
        }
        if let Some(description) = change.description {
            settings.description = Some(description).filter(|text| !text.is_empty());
        }
        let now = self.moment.now;
        self.next.groups.change(&id, |group| {
            if group.versions.at(window.from) != Some(&settings) {
                group.versions.set_from(window.from, settings, now);
            }
        });
        self.touch_group(&id);
        Ok(id)
    }

    /// Refuses to change what does not change: the status, and the billing transfer.
    fn stays_the_same(
        &self,
        id: &BillingGroupId,
        settings: &GroupSettings,
        change: &BillingGroupChange,
    ) -> Result<(), Refusal> {
        let current = self.next.group_status(id, self.moment.period).unwrap_or_default();
        if let Some(status) = change.status.as_ref().filter(|status| *status != current) {
            let message =
                format!("billing group `{}` is {current}; it is not made {status} by asking", settings.name);
            return Err(Refusal::invalid(ValidationReason::InvalidBillingGroupStatus, message));
        }
        if change.transfer.is_some() && change.transfer != settings.transfer {
            let message = format!(
                "billing group `{}` keeps its billing transfer; delete it and create another",
                settings.name
            );
            return Err(Refusal::invalid(ValidationReason::IllegalBillingGroupType, message));
        }
        Ok(())
    }

    /// Refuses to let a group take in accounts by itself.
    fn may_auto_associate(
        &self,
        id: &BillingGroupId,
        settings: &GroupSettings,
        window: Window,
    ) -> Result<(), Refusal> {
        if settings.transfer.is_some() {
            let message =
                format!("billing group `{}` has its accounts from a billing transfer", settings.name);
            return Err(Refusal::invalid(ValidationReason::IllegalBillingGroupType, message));
        }
        self.has_primary(id, settings)?;
        self.only_one_auto_associates(window, id)
    }

    /// Deletes a billing group from the period of the write on, as long as it lasts: its accounts are free, and its custom line items end.
    /// A group that was created again after a gap is another life of it, which stays.
    ///
    /// # Errors
    /// [`ValidationReason::MissingBillinggroup`] where there is no such group in the period;
    /// [`ValidationReason::CannotDeleteAutoAssociateBillingGroup`] while accounts join it by themselves.
    pub fn delete_billing_group(&mut self, arn: &str) -> Result<BillingGroupId, Refusal> {
        let id = self.group_id(arn, Missing::Invalid)?;
        let versions = self.next.groups.get(&id).map(|group| &group.versions);
        let life = versions.and_then(|versions| stay(versions, self.moment.period, |_| true));
        let (Some(versions), Some(life)) = (versions, life) else {
            let message = format!("there is no billing group `{arn}` in the billing period");
            return Err(Refusal::invalid(ValidationReason::MissingBillinggroup, message));
        };
        let mut automatic = versions.spans().iter().filter(|span| span.value.auto_associate);
        if let Some(span) = automatic.find(|span| Window::of(span).meets(life)) {
            let message = format!(
                "accounts join billing group `{}` by themselves; turn auto-associate off first",
                span.value.name
            );
            return Err(Refusal::invalid(ValidationReason::CannotDeleteAutoAssociateBillingGroup, message));
        }
        self.end_group(&id, life);
        Ok(id)
    }

    /// Takes a group out of some periods, with its memberships and its custom line items.
    pub(super) fn end_group(&mut self, id: &BillingGroupId, life: Window) {
        self.next.groups.change(id, |group| group.versions.clear(life.from, life.to));
        self.end_group_rule(id, life);
        self.touch_group(id);
        let members = self.next.memberships.iter().filter(|(_, groups)| {
            groups.spans().iter().any(|span| span.value == *id && Window::of(span).meets(life))
        });
        let members: Vec<AccountId> = members.map(|(account, _)| account.clone()).collect();
        for account in members {
            self.leave(&account, id, life);
        }
        let is_charged = |item: &Resource<ItemSettings>| {
            let mut spans = item.versions.spans().iter();
            spans.any(|span| span.value.billing_group == *id && Window::of(span).meets(life))
        };
        let items = self.next.items.iter().filter(|(_, item)| is_charged(item));
        let items: Vec<_> = items.map(|(item, _)| item.clone()).collect();
        let now = self.moment.now;
        for item in items {
            self.next.items.change(&item, |item| {
                item.versions.clear(life.from, life.to);
                item.modified_at = now;
            });
            self.touched.insert(Touched::Item(item));
        }
    }

    /// Puts a group in for some periods in which it is not.
    fn put_group(
        &mut self,
        id: &BillingGroupId,
        settings: GroupSettings,
        window: Window,
        tags: BTreeMap<String, String>,
    ) {
        let now = self.moment.now;
        let earlier = self.next.groups.get(id).cloned();
        let mut group = match earlier {
            Some(longer) if longer.versions.lasts_to(window.from) => longer,
            Some(again) => {
                let tags = BTreeMap::new();
                Resource { number: self.next_number(), created_at: now, tags, ..again }
            }
            None => Resource {
                number: self.next_number(),
                created_at: now,
                modified_at: now,
                versions: Timeline::default(),
                tags: BTreeMap::new(),
            },
        };
        group.versions.set(window.from, window.to, settings, now);
        group.tags.extend(tags);
        self.next.groups.put(id.clone(), group);
        self.touch_group(id);
    }

    /// Says that a group was changed now.
    pub(super) fn touch_group(&mut self, id: &BillingGroupId) {
        let now = self.moment.now;
        self.next.groups.change(id, |group| group.modified_at = now);
        self.touched.insert(Touched::Group(id.clone()));
    }

    /// The groups that a billing transfer makes, or has made.
    pub(super) fn groups_of_transfer(&self, name: &str) -> Vec<(&BillingGroupId, &Resource<GroupSettings>)> {
        let of_transfer = |group: &Resource<GroupSettings>| {
            group.versions.spans().iter().any(|span| span.value.transfer.as_deref() == Some(name))
        };
        self.next.groups.iter().filter(|(_, group)| of_transfer(group)).collect()
    }

    /// The periods that a group may have from that of the write on: up to those that it has already.
    fn free_window(&self, group: Option<&Resource<GroupSettings>>, of: &str) -> Result<Window, Refusal> {
        let from = self.moment.period;
        let window = group.map_or(Some(Window { from, to: None }), |group| room(&group.versions, from));
        window.ok_or_else(|| {
            let message =
                format!("`{of}` has a billing group in billing period {from} already; change that one");
            Refusal::invalid(ValidationReason::BillingGroupAlreadyExistInCurrentBillingPeriod, message)
        })
    }

    /// The periods from that of the write on in which the version of a group holds.
    fn window_of_version(&self, id: &BillingGroupId) -> Window {
        let from = self.moment.period;
        let versions = self.next.groups.get(id).map(|group| &group.versions);
        let to = versions.and_then(|versions| versions.span_at(from)).and_then(|span| span.to);
        Window { from, to }
    }

    /// A pricing plan that a group may have. `transfer` is there for the group of a billing transfer, with its id if it has one.
    fn plan_of_group(
        &self,
        text: &str,
        window: Window,
        transfer: Option<Option<&BillingGroupId>>,
    ) -> Result<PlanOf, Refusal> {
        let plan = self.plan(text, window)?;
        if plan != PlanOf::Passthrough {
            return Ok(plan);
        }
        let refused =
            |message| Err(Refusal::invalid(ValidationReason::IllegalBillingGroupPricingPlan, message));
        let Some(group) = transfer else {
            return refused("the plan `Passthrough` is for groups of a billing transfer".to_owned());
        };
        let (items, beyond) = (self.next.items.iter(), |item: &ItemSettings| {
            item.itemized == Some(true) || item.presentation_service.is_some()
        });
        let mut spans = items.flat_map(|(_, item)| item.versions.spans());
        let shown_apart = spans.find(|span| {
            let of_group = Some(&span.value.billing_group) == group;
            of_group && beyond(&span.value) && Window::of(span).meets(window)
        });
        match shown_apart {
            Some(span) => refused(format!(
                "custom line item `{}` is itemized or shown under a service, which the plan `Passthrough` does not allow; delete it first",
                span.value.name
            )),
            None => Ok(plan),
        }
    }

    /// Refuses a second group that accounts join by themselves, in every period of a window.
    fn only_one_auto_associates(&self, window: Window, own: &BillingGroupId) -> Result<(), Refusal> {
        let others = self.next.groups.iter().filter(|(id, _)| *id != own);
        let mut spans = others.flat_map(|(_, group)| group.versions.spans());
        let other = spans.find(|span| span.value.auto_associate && Window::of(span).meets(window));
        other.map_or(Ok(()), |span| {
            let message = format!(
                "accounts join billing group `{}` by themselves already; turn auto-associate off there first",
                span.value.name
            );
            Err(Refusal::invalid(ValidationReason::TooManyAutoAssociateBillingGroups, message))
        })
    }

    /// Refuses one group more than a payer may have in some period of a window.
    fn groups_have_room(&self, window: Window) -> Result<(), Refusal> {
        let spans = self.next.groups.iter().flat_map(|(_, group)| group.versions.spans());
        let lives = spans.filter_map(|span| self.next.live(Window::of(span), &span.value)?.common(window));
        let full = most_at_once(lives) >= Quota::BillingGroups.limit().1;
        if full { Err(Refusal::limit(Quota::BillingGroups, None)) } else { Ok(()) }
    }

    /// An id that no group has or had.
    fn fresh_group_id(&mut self) -> BillingGroupId {
        loop {
            let id = BillingGroupId::parse(&(self.fresh)());
            if let Some(id) = id.filter(|id| self.next.groups.get(id).is_none()) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests;
