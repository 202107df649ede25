//! Billing groups and their accounts.

use super::names::{self, account, accounts};
use super::shapes::groups::{
    AccountAssociation, AccountAssociations, AccountAssociationsFilter, AccountGroupingOut, AccountsOfGroup,
    BillingGroupElement, BillingGroups, BillingGroupsFilter, ComputationPreference, CreateBillingGroup,
    UpdateBillingGroup, UpdatedBillingGroup,
};
use super::shapes::{ArnOut, Listing, OfArn};
use crate::call::{Call, Position, field, json};
use back_office::authorization::Scope;
use back_office::error::{Answer, Error};
use back_office::index::PeriodIndex;
use billing::account::AccountId;
use billing::configuration::{
    BillingGroupChange, BillingGroupId, Configuration, Edit, GroupSettings, NewBillingGroup, Refusal,
    Resource, ResourceType, ValidationReason, group_named,
};
use billing::period::BillingPeriod;
use std::collections::BTreeSet;

/// How many entries a page of groups holds at most.
const PAGE: usize = 100;

/// `CreateBillingGroup`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreateBillingGroup = call.read()?;
    let grouping = &input.account_grouping;
    let new = NewBillingGroup {
        name: input.name,
        description: input.description,
        pricing_plan: input.computation_preference.pricing_plan_arn,
        primary_account: input.primary_account_id.as_deref().map(account).transpose()?,
        linked_accounts: accounts(&grouping.linked_account_ids)?,
        auto_associate: grouping.auto_associate,
        transfer: grouping.responsibility_transfer_arn.clone(),
        tags: input.tags,
    };
    let payer = &call.caller.payer;
    names::changed(call, "", |edit| Ok(edit.create_billing_group(new.clone())?.arn(payer))).await
}

/// `UpdateBillingGroup`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdateBillingGroup = call.read()?;
    let grouping = input.account_grouping.unwrap_or_default();
    let change = BillingGroupChange {
        name: input.name,
        description: input.description,
        pricing_plan: input.computation_preference.map(|preference| preference.pricing_plan_arn),
        auto_associate: grouping.auto_associate,
        transfer: grouping.responsibility_transfer_arn,
        status: input.status,
    };
    let id = call.desk.update_billing_group(&call.write(&input.arn), &input.arn, &change).await?;
    let (configuration, index) = call.desk.indexed(&call.caller.payer, call.write_period()).await?;
    let of = configuration.group(&id, call.write_period());
    let (resource, settings) = of.ok_or_else(|| Error::internal(id.clone()))?;
    let element = element(&configuration, &index, call.write_period(), &id, resource, settings);
    json(&UpdatedBillingGroup {
        arn: element.arn,
        name: element.name,
        description: element.description,
        primary_account_id: element.primary_account_id,
        pricing_plan_arn: names::plan_arn(&configuration.payer, &settings.pricing_plan),
        size: element.size,
        last_modified_time: element.last_modified_time,
        status: element.status,
        status_reason: element.status_reason,
        account_grouping: element.account_grouping,
    })
}

/// `DeleteBillingGroup`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfArn = call.read()?;
    let id = call.desk.delete_billing_group(&call.write(&input.arn), &input.arn).await?;
    json(&ArnOut { arn: id.arn(&call.caller.payer) })
}

/// `AssociateAccounts` and `DisassociateAccounts`
pub(super) async fn associate(call: &Call<'_>, join: bool) -> Answer<Vec<u8>> {
    let input: AccountsOfGroup = call.read()?;
    let accounts = accounts(&input.account_ids)?;
    let payer = &call.caller.payer;
    let change = |edit: &mut Edit<'_>| match join {
        true => edit.associate_accounts(&input.arn, &accounts),
        false => edit.disassociate_accounts(&input.arn, &accounts),
    };
    names::changed(call, &input.arn, |edit| Ok(change(edit)?.arn(payer))).await
}

/// `ListBillingGroups`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing<BillingGroupsFilter> = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let filter = input.filters.unwrap_or_default();
    let wanted = Wanted::new(call, &filter)?;
    let (configuration, index) = call.desk.indexed(&call.caller.payer, period).await?;
    let ids = wanted.ids.as_ref();
    let groups = names::listed(&configuration.groups, page.after_number(), ids, BillingGroupId::parse);
    let matching = groups.filter_map(|(id, _)| {
        let (resource, settings) = configuration.group(id, period)?;
        let is_wanted = may_see(&call.caller.scope, id) && wanted.has(&configuration, period, id, settings);
        is_wanted.then_some((id, resource, settings))
    });
    let elements = matching.map(|(id, resource, settings)| {
        let mut element = element(&configuration, &index, period, id, resource, settings);
        narrow(&call.caller.scope, &index, id, &mut element);
        (Position(resource.number), element)
    });
    let (billing_groups, next_token) = call.cut(&page, elements)?;
    json(&BillingGroups { billing_groups, next_token })
}

/// `ListAccountAssociations`
pub(super) async fn list_accounts(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing<AccountAssociationsFilter> = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let filter = input.filters.unwrap_or_default();
    let ids: Option<BTreeSet<&str>> = match (&filter.account_id, &filter.account_ids) {
        (Some(_), Some(_)) => {
            let message = "give AccountId or AccountIds, not both";
            return Err(Error::invalid(ValidationReason::InvalidFilter, message));
        }
        (Some(id), None) => Some([id.as_str()].into()),
        (None, ids) => ids.as_ref().map(|ids| ids.iter().map(String::as_str).collect()),
    };
    let configuration = call.desk.current(&call.caller.payer).await?;
    let of_group = match filter.association.as_deref() {
        None | Some("MONITORED" | "UNMONITORED") => None,
        Some(arn) => Some(visible(call, &configuration, period, arn)?),
    };
    let payer = &configuration.payer;
    let associations = configuration.associations(period);
    let mut accounts = associations.accounts();
    if let Some(group) = of_group.as_ref().filter(|group| configuration.is_transfer(group)) {
        // The accounts of an organization whose bill is transferred are none of the payer's own; they are listed where they are asked for.
        let members = associations.members(group).iter();
        accounts = members.map(|account| (*account, associations.group_of(account), None)).collect();
        accounts.sort_unstable_by_key(|(account, ..)| *account);
    }
    let matching = accounts.into_iter().filter(|(account, group, _)| {
        let is_after = account.as_str() > page.after.as_str();
        let fits = match filter.association.as_deref() {
            None => true,
            Some("MONITORED") => group.is_some(),
            Some("UNMONITORED") => group.is_none(),
            Some(_) => *group == of_group.as_ref(),
        };
        is_after
            && fits
            && ids.as_ref().is_none_or(|ids| ids.contains(account.as_str()))
            && sees_account(&call.caller.scope, account, *group)
    });
    let elements = matching.map(|(account, group, of_family)| {
        let element = AccountAssociation {
            account_id: account.to_string(),
            billing_group_arn: group.map(|group| group.arn(payer)),
            account_name: of_family.and_then(|account| account.name.clone()),
            account_email: of_family.and_then(|account| account.email.clone()),
        };
        (account.to_string(), element)
    });
    let (linked_accounts, next_token) = call.cut(&page, elements)?;
    json(&AccountAssociations { linked_accounts, next_token })
}

/// A group that the caller names and may see; one that it may not see is answered like one that is not there.
pub(super) fn visible(
    call: &Call<'_>,
    configuration: &Configuration,
    period: BillingPeriod,
    arn: &str,
) -> Answer<BillingGroupId> {
    let absent = Refusal::NotFound { kind: ResourceType::BillingGroup, id: arn.to_owned() };
    let id = group_named(configuration, arn, Some(period)).ok();
    id.filter(|id| may_see(&call.caller.scope, id)).ok_or(Error::Refused(absent))
}

/// Whether a scope has a group.
pub(super) fn may_see(scope: &Scope, group: &BillingGroupId) -> bool {
    match scope {
        Scope::Payer => true,
        Scope::Groups { groups, .. } => groups.contains(group),
    }
}

/// Whether a scope has an account that is in a group.
pub(crate) fn sees_account(scope: &Scope, account: &AccountId, group: Option<&BillingGroupId>) -> bool {
    match scope {
        Scope::Payer => true,
        Scope::Groups { groups, accounts } => {
            group.is_some_and(|group| groups.contains(group))
                && accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
        }
    }
}

fn element<'a>(
    configuration: &Configuration,
    index: &PeriodIndex,
    period: BillingPeriod,
    id: &BillingGroupId,
    resource: &Resource<GroupSettings>,
    settings: &'a GroupSettings,
) -> BillingGroupElement<'a> {
    let status = configuration.status_of(settings, period).unwrap_or("ACTIVE");
    let status_reason = (status == "PRIMARY_ACCOUNT_MISSING")
        .then_some("the primary account has left the organization; delete the group and make another one");
    let is_transfer = settings.transfer.is_some();
    BillingGroupElement {
        name: &settings.name,
        arn: id.arn(&configuration.payer),
        description: settings.description.as_deref(),
        primary_account_id: settings.primary_account.as_str(),
        computation_preference: Some(ComputationPreference {
            pricing_plan_arn: names::plan_arn(&configuration.payer, &settings.pricing_plan),
        }),
        size: index.size(id),
        creation_time: resource.created_at,
        last_modified_time: resource.modified_at,
        status,
        status_reason,
        account_grouping: AccountGroupingOut {
            auto_associate: (!is_transfer).then_some(settings.auto_associate),
            responsibility_transfer_arn: settings.transfer.clone(),
        },
        billing_group_type: if is_transfer { "TRANSFER_BILLING" } else { "STANDARD" },
    }
}

/// Takes away what a customer does not see: how its price is made, what the operator notes, and the accounts that are not its own.
fn narrow(scope: &Scope, index: &PeriodIndex, id: &BillingGroupId, element: &mut BillingGroupElement<'_>) {
    let Scope::Groups { accounts, .. } = scope else { return };
    element.computation_preference = None;
    element.description = None;
    element.account_grouping = AccountGroupingOut::default();
    if let Some(accounts) = accounts {
        element.size = index.size_of(id, accounts);
    }
}

/// What `ListBillingGroupsFilter` asks for: all of its members, any of their values. The ids are looked up first.
struct Wanted<'a> {
    filter: &'a BillingGroupsFilter,
    ids: Option<BTreeSet<String>>,
}

impl<'a> Wanted<'a> {
    fn new(call: &Call<'_>, filter: &'a BillingGroupsFilter) -> Answer<Self> {
        let of_plan = filter.pricing_plan.is_some();
        if of_plan && call.caller.scope != Scope::Payer {
            return Err(field("Filters.PricingPlan", "not for customers"));
        }
        let ids = filter.arns.as_deref().map(names::ids_of);
        Ok(Self { filter, ids })
    }

    fn has(
        &self,
        configuration: &Configuration,
        period: BillingPeriod,
        id: &BillingGroupId,
        settings: &GroupSettings,
    ) -> bool {
        let Self { filter, .. } = self;
        let any = |values: &Option<Vec<String>>, value: &str| {
            values.as_ref().is_none_or(|values| values.iter().any(|of| of == value))
        };
        let status = configuration.group_status(id, period).unwrap_or_default();
        let kind = if settings.transfer.is_some() { "TRANSFER_BILLING" } else { "STANDARD" };
        let starts = |names: &Vec<super::shapes::groups::StringSearch>| {
            names.iter().any(|name| settings.name.starts_with(&name.search_value))
        };
        filter.pricing_plan.as_ref().is_none_or(|plan| {
            names::plan_arn(&configuration.payer, &settings.pricing_plan) == names::normal_arn(plan)
        }) && any(&filter.statuses, status)
            && filter.auto_associate.is_none_or(|auto| auto == settings.auto_associate)
            && any(&filter.primary_account_ids, settings.primary_account.as_str())
            && any(&filter.billing_group_types, kind)
            && filter.names.as_ref().is_none_or(starts)
            && filter
                .responsibility_transfer_arns
                .as_ref()
                .is_none_or(|arns| settings.transfer.as_ref().is_some_and(|transfer| arns.contains(transfer)))
    }
}
