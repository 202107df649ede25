//! `organizations`: what AWS Organizations tells of an organization, for tools that need it beside the bill. It is read only.
//!
//! Source: the service model of AWS Organizations, version 2016-11-28. A customer sees the accounts of its own billing groups, and nothing of the units
//! that they are in, which tell of others.

pub(crate) mod errors;
mod shapes;

use crate::billing_conductor::sees_account;
use crate::call::{Call, Page, json};
use back_office::desk::Current;
use back_office::error::{Answer, Declined, Error};
use billing::account::AccountId;
use billing::configuration::{Associations, FamilyAccount, TransferSettings};
use billing::organization::{Organization, OrganizationalUnit, UnitId, UnitTree};
use serde::Deserialize;
use shapes::{
    Account, AccountAnswer, Accounts, Child, Children, OrganizationAnswer, OrganizationOut, Parent, Parents,
    Root, Roots, Tag, Tags, Transfer, TransferAnswer, Transfers, Unit, UnitAnswer, Units,
};
use std::collections::BTreeMap;
use std::ops::Bound;

/// The name of the service in signatures.
pub const SERVICE: &str = "organizations";

/// How many entries a page has at most.
const PAGE: usize = 20;
/// How many tags a page has at most.
const TAGS_PAGE: usize = 50;

/// What the operations take, all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    account_id: String,
    parent_id: String,
    child_id: String,
    child_type: String,
    resource_id: String,
    organizational_unit_id: String,
    id: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    let input: Asked = call.read()?;
    let current = call.desk.current(&call.caller.payer).await?;
    let Some(organization) = current.organization.clone() else {
        return Err(Error::Declined(Declined::Conflict {
            reason: errors::NOT_IN_USE,
            kind: "organization",
            id: call.caller.payer.to_string(),
            message:
                "the organization of this payer has not been read; read it with `proforma sync organization`"
                    .to_owned(),
        }));
    };
    let desk = Desk { call, current: &current, organization: &organization, input: &input };
    match operation {
        "DescribeOrganization" => json(&desk.organization_out()),
        "ListRoots" => desk.roots(),
        "ListAccounts" => desk.accounts(None),
        "ListAccountsForParent" => desk.accounts(Some(&desk.parent()?)),
        "DescribeAccount" => desk.account(),
        "ListOrganizationalUnitsForParent" => desk.units(),
        "DescribeOrganizationalUnit" => desk.unit(),
        "ListParents" => desk.parents(),
        "ListChildren" => desk.children(),
        "ListTagsForResource" => desk.tags(),
        "ListInboundResponsibilityTransfers" => desk.transfers(),
        "DescribeResponsibilityTransfer" => desk.transfer(),
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

/// A request at the desk, with the organization that it is about.
struct Desk<'a> {
    call: &'a Call<'a>,
    current: &'a Current,
    organization: &'a Organization,
    input: &'a Asked,
}

impl<'a> Desk<'a> {
    fn tree(&self) -> UnitTree<'a> {
        UnitTree::of(&self.current.units)
    }

    fn page(&self, most: usize) -> Answer<Page> {
        let page = self.call.page(self.input.max_results, self.input.next_token.as_deref(), most);
        page.map_err(|error| match error {
            Error::Refused(refusal) => errors::bad_token(&refusal.to_string()),
            other => other,
        })
    }

    /// The ARN of something of the organization: the management account has them all.
    fn arn(&self, kind: &str, id: &str) -> String {
        let Organization { id: own, management_account, .. } = self.organization;
        format!("arn:aws:organizations::{management_account}:{kind}/{own}/{id}")
    }

    /// The way from the organization to a unit, by ids.
    fn path(&self, unit: &'a UnitId) -> String {
        let ids: Vec<&str> = self.tree().ids(unit).into_iter().map(UnitId::as_str).collect();
        format!("{}/{}/", self.organization.id, ids.join("/"))
    }

    /// Whether an account is of the organization now, and the caller may see it. Whose group is whose is asked for whom that concerns alone.
    fn is_seen(&self) -> impl Fn(&AccountId, &FamilyAccount) -> bool + 'a {
        let (current, scope) = (self.current, &self.call.caller.scope);
        let is_customer = !self.call.caller.sees_payer();
        let associations = is_customer.then(|| current.associations(self.call.current()));
        move |id, account| {
            let is_read = account.details.as_ref().is_some_and(|details| details.left_at.is_none());
            let is_own = |of: &Associations<'_>| sees_account(scope, id, of.group_of(id));
            is_read && associations.as_ref().is_none_or(is_own)
        }
    }

    /// The accounts that are of the organization now, by id, after one, as far as the caller may see them.
    fn there(&self, after: &str) -> impl Iterator<Item = (&'a AccountId, &'a FamilyAccount)> {
        let is_seen = self.is_seen();
        let from = AccountId::parse(after).map_or(Bound::Unbounded, Bound::Excluded);
        let following = self.current.family.range((from, Bound::Unbounded));
        following.filter(move |(id, account)| is_seen(id, account))
    }

    /// One of them.
    fn known(&self, id: &str) -> Option<(&'a AccountId, &'a FamilyAccount)> {
        let is_seen = self.is_seen();
        let found = self.current.family.get_key_value(&AccountId::parse(id)?);
        found.filter(|(id, account)| is_seen(id, account))
    }

    /// The unit that an input names as a parent.
    fn parent(&self) -> Answer<UnitId> {
        let id = &self.input.parent_id;
        let found = UnitId::parse(id).filter(|id| self.tree().get(id).is_some());
        found.ok_or_else(|| errors::not_found("parent", id))
    }

    fn organization_out(&self) -> OrganizationAnswer {
        let Organization { id, management_account, management_email, features, .. } = self.organization;
        OrganizationAnswer {
            organization: OrganizationOut {
                id: id.clone(),
                arn: format!("arn:aws:organizations::{management_account}:organization/{id}"),
                feature_set: features.name(),
                master_account_arn: self.arn("account", management_account.as_str()),
                master_account_id: management_account.to_string(),
                master_account_email: self.address(management_account).or(management_email.clone()),
                available_policy_types: [],
            },
        }
    }

    fn address(&self, account: &AccountId) -> Option<String> {
        self.current.family.get(account)?.email.clone()
    }

    fn roots(&self) -> Answer<Vec<u8>> {
        let page = self.page(PAGE)?;
        let root = &self.organization.root;
        let roots = self.current.units.get(root).filter(|_| page.after.is_empty()).map(|unit| Root {
            id: root.to_string(),
            arn: self.arn("root", root.as_str()),
            name: unit.name.clone(),
            policy_types: [],
        });
        json(&Roots { roots: roots.into_iter().collect() })
    }

    fn accounts(&self, parent: Option<&UnitId>) -> Answer<Vec<u8>> {
        let page = self.page(PAGE)?;
        let in_unit = |account: &FamilyAccount| {
            let unit = account.details.as_ref().map(|details| &details.unit);
            parent.is_none() || unit == parent
        };
        let found = self.there(&page.after).filter(|(_, account)| in_unit(account));
        let listed = found.filter_map(|(id, account)| Some((id.to_string(), self.account_out(id, account)?)));
        let (accounts, next_token) = self.call.cut(&page, listed)?;
        json(&Accounts { accounts, next_token })
    }

    fn account_out(&self, id: &AccountId, account: &'a FamilyAccount) -> Option<Account> {
        let details = account.details.as_deref()?;
        // Where an account stands among others is none of a customer's business.
        let path = self.call.caller.sees_payer().then(|| format!("{}{id}/", self.path(&details.unit)));
        Some(Account {
            id: id.to_string(),
            arn: self.arn("account", id.as_str()),
            email: account.email.clone(),
            name: account.name.clone(),
            status: details.state.status(),
            state: details.state.name(),
            paths: path.into_iter().collect(),
            joined_method: details.joined_method.map(|method| method.name()),
            joined_timestamp: details.joined_at,
        })
    }

    fn account(&self) -> Answer<Vec<u8>> {
        let id = &self.input.account_id;
        let account = self.known(id).and_then(|(id, account)| self.account_out(id, account));
        let account = account.ok_or_else(|| errors::not_found("account", id))?;
        json(&AccountAnswer { account })
    }

    fn units(&self) -> Answer<Vec<u8>> {
        let parent = self.parent()?;
        let page = self.page(PAGE)?;
        let tree = self.tree();
        let below = tree.below(&parent).filter(|(id, _)| id.as_str() > page.after.as_str());
        let listed = below.map(|(id, unit)| (id.to_string(), self.unit_out(id, unit)));
        let (organizational_units, next_token) = self.call.cut(&page, listed)?;
        json(&Units { organizational_units, next_token })
    }

    fn unit_out(&self, id: &'a UnitId, unit: &OrganizationalUnit) -> Unit {
        Unit {
            id: id.to_string(),
            arn: self.arn("ou", id.as_str()),
            name: unit.name.clone(),
            path: self.path(id),
        }
    }

    fn unit(&self) -> Answer<Vec<u8>> {
        let id = &self.input.organizational_unit_id;
        let mut units = self.current.units.iter().filter(|(_, unit)| unit.gone_at.is_none());
        let found = units.find(|(of, _)| of.as_str() == id && !of.is_root());
        let (id, unit) = found.ok_or_else(|| errors::not_found("organizational unit", id))?;
        json(&UnitAnswer { organizational_unit: self.unit_out(id, unit) })
    }

    fn parents(&self) -> Answer<Vec<u8>> {
        self.page(PAGE)?;
        let child = &self.input.child_id;
        let unit =
            UnitId::parse(child).and_then(|id| self.tree().get(&id)).and_then(|unit| unit.parent.clone());
        let account = || self.known(child);
        let of_account =
            || account().and_then(|(_, of)| of.details.as_ref().map(|details| details.unit.clone()));
        let parent = unit.or_else(of_account).ok_or_else(|| errors::not_found("child", child))?;
        let kind = if parent.is_root() { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
        json(&Parents { parents: [Parent { id: parent.to_string(), kind }] })
    }

    fn children(&self) -> Answer<Vec<u8>> {
        let parent = self.parent()?;
        let page = self.page(PAGE)?;
        let ids: Vec<String> = match self.input.child_type.as_str() {
            "ORGANIZATIONAL_UNIT" => self.tree().below(&parent).map(|(id, _)| id.to_string()).collect(),
            _ => {
                let unit = |of: &FamilyAccount| of.details.as_ref().map(|details| details.unit.clone());
                let inside =
                    self.there(&page.after).filter(|(_, account)| unit(account).as_ref() == Some(&parent));
                inside.map(|(id, _)| id.to_string()).collect()
            }
        };
        let kind = &self.input.child_type;
        let listed = ids.into_iter().filter(|id| *id > page.after);
        let listed = listed.map(|id| (id.clone(), Child { id, kind: kind.clone() }));
        let (children, next_token) = self.call.cut(&page, listed)?;
        json(&Children { children, next_token })
    }

    fn tags(&self) -> Answer<Vec<u8>> {
        let page = self.page(TAGS_PAGE)?;
        let id = &self.input.resource_id;
        let unit = UnitId::parse(id).and_then(|id| self.tree().get(&id)).map(|unit| unit.tags.clone());
        let account = || self.known(id);
        let of_account =
            || account().and_then(|(_, of)| of.details.as_ref().map(|details| details.tags.clone()));
        // AWS does not tell tags of a transfer where its organization is another's.
        let of_transfer = || self.transfer_named(id).map(|_| BTreeMap::new());
        let tags = unit.or_else(of_account).or_else(of_transfer);
        let tags = tags.ok_or_else(|| errors::not_found("target", id))?;
        let listed = tags.into_iter().filter(|(key, _)| *key > page.after);
        let listed = listed.map(|(key, value)| (key.clone(), Tag { key, value }));
        let (tags, next_token) = self.call.cut(&page, listed)?;
        json(&Tags { tags, next_token })
    }

    /// The billing transfers that the payer receives and that AWS knows, by id: one that only a book names has no ARN.
    fn inbound(&self) -> BTreeMap<String, (&'a String, &'a TransferSettings)> {
        let inbound = self.current.transfers.iter().filter(|(_, of)| of.receiver == self.current.payer);
        let with_id = inbound.filter_map(|(arn, of)| {
            let id = arn.rsplit('/').next().filter(|id| arn.starts_with("arn:") && id.starts_with("rt-"))?;
            Some((id.to_owned(), (arn, of)))
        });
        with_id.collect()
    }

    fn transfer_named(&self, id: &str) -> Option<Transfer> {
        let inbound = self.inbound();
        let (arn, of) = inbound.get(id)?;
        Some(self.transfer_out(id, arn, of))
    }

    fn transfer_out(&self, id: &str, arn: &str, of: &TransferSettings) -> Transfer {
        let party = |account: &AccountId| shapes::Participant {
            management_account_id: account.to_string(),
            management_account_email: self.address(account),
        };
        Transfer {
            arn: arn.to_owned(),
            name: id.to_owned(),
            id: id.to_owned(),
            kind: "BILLING",
            status: of.status.name(),
            source: party(&of.source),
            target: party(&of.receiver),
            start_timestamp: of.start.start_seconds(),
            // A transfer ends with the last second of a month.
            end_timestamp: of.end.map(|end| end.start_seconds() - 1),
        }
    }

    fn transfers(&self) -> Answer<Vec<u8>> {
        let page = self.page(PAGE)?;
        let asked = self.input.id.as_deref();
        if let Some(id) = asked.filter(|id| self.transfer_named(id).is_none()) {
            return Err(errors::not_found("responsibility transfer", id));
        }
        let listed = self.inbound().into_iter().filter(|(id, _)| asked.is_none_or(|asked| asked == id));
        let listed = listed.filter(|(id, _)| *id > page.after);
        let listed = listed.map(|(id, (arn, of))| (id.clone(), self.transfer_out(&id, arn, of)));
        let (responsibility_transfers, next_token) = self.call.cut(&page, listed)?;
        json(&Transfers { responsibility_transfers, next_token })
    }

    fn transfer(&self) -> Answer<Vec<u8>> {
        let id = self.input.id.as_deref().unwrap_or_default();
        let found = self.transfer_named(id);
        let responsibility_transfer =
            found.ok_or_else(|| errors::not_found("responsibility transfer", id))?;
        json(&TransferAnswer { responsibility_transfer })
    }
}
