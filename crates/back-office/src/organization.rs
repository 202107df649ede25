//! The payer's organization: what was read of it is taken over whole, and billing groups follow it by their rules.
//!
//! Whatever is moved by itself has an entry in the audit of its own, with why.

use crate::audit::{Decision, Entry};
use crate::authorization::Caller;
use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use billing::account::AccountId;
use billing::configuration::{
    BillingGroupId, Configuration, Edit, Flag, Followed, Moved, OrganizationChanges, PlacedBy, Refusal,
    ValidationReason,
};
use billing::group_rule::GroupRule;
use billing::organization::{OrganizationDraft, UnitTree};
use billing::period::BillingPeriod;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What the audit calls the payer's organization.
pub const RESOURCE: &str = "organization";

/// An account that was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MovedAccount {
    /// The account.
    pub account_id: String,
    /// The group that it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_billing_group: Option<String>,
    /// The group that it is in now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_billing_group: Option<String>,
    /// Why.
    pub reason: String,
}

/// What somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Flagged {
    /// What it is called.
    pub code: String,
    /// The account that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// What it says.
    pub message: String,
}

/// What came of following the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FollowedRules {
    /// The accounts that are elsewhere than before.
    pub moved_accounts: Vec<MovedAccount>,
    /// The groups that have ended, by ARN.
    pub ended_billing_groups: Vec<String>,
    /// What somebody should look at.
    pub flags: Vec<Flagged>,
}

/// What a reading of the organization changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AppliedOrganization {
    /// The organization.
    pub organization_id: String,
    /// How many accounts were read.
    pub account_count: u64,
    /// How many units.
    pub unit_count: u64,
    /// Accounts that were not known, or had left.
    pub joined_accounts: Vec<String>,
    /// Accounts that are of it no more.
    pub left_accounts: Vec<String>,
    /// Accounts that are in another unit.
    pub accounts_in_other_unit: Vec<String>,
    /// Accounts of which something else is said.
    pub changed_accounts: Vec<String>,
    /// Units that were not known, by id.
    pub new_units: Vec<String>,
    /// Units that are otherwise.
    pub changed_units: Vec<String>,
    /// Units that are there no more.
    pub gone_units: Vec<String>,
    /// Billing transfers that were not known, or not so.
    pub changed_transfers: Vec<String>,
    /// What could not be taken over, and why.
    pub refused: Vec<String>,
    /// What became of the billing groups.
    #[serde(flatten)]
    pub followed: FollowedRules,
}

/// A rule as it is listed.
#[derive(Debug, Clone)]
pub struct ListedRule {
    /// The group.
    pub group: BillingGroupId,
    /// Its name.
    pub name: String,
    /// The rule.
    pub rule: GroupRule,
    /// The accounts that it has put there.
    pub accounts: Vec<AccountId>,
}

/// As of what each payer's groups have followed the organization last: nothing is asked again that has not changed.
#[derive(Debug, Default)]
pub(crate) struct FollowedAsOf(Mutex<BTreeMap<AccountId, (u64, BillingPeriod)>>);

impl FollowedAsOf {
    fn has(&self, payer: &AccountId, as_of: (u64, BillingPeriod)) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(payer) == Some(&as_of)
    }

    fn note(&self, payer: &AccountId, as_of: (u64, BillingPeriod)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone(), as_of);
    }
}

/// What an edit answers, and what moved with it.
type Outcome<T> = Result<(T, Followed), Refusal>;

impl BackOffice {
    /// Makes a change of the configuration with all that follows from it, once per client token: what is moved is in the audit, each with why.
    pub(crate) async fn write_following<T: Serialize + DeserializeOwned + Send>(
        &self,
        request: &WriteRequest<'_>,
        operation: impl Fn(&mut Edit<'_>) -> Outcome<T> + Sync,
    ) -> Answer<T> {
        self.write_with(request, operation, |followed| entries(request, followed)).await
    }

    /// Takes over an organization from a file's text, or from what was read of AWS: all of it, or nothing. `dry` only says what would change.
    ///
    /// # Errors
    /// [`Error::Refused`] with every mistake of the file by line and column, or where it is the organization of another payer.
    pub async fn apply_organization(
        &self,
        request: &WriteRequest<'_>,
        (name, text): (&str, &str),
        dry: bool,
    ) -> Answer<AppliedOrganization> {
        let draft = read(name, text)?;
        let apply = |edit: &mut Edit<'_>| applied(edit, draft.clone());
        match dry {
            true => {
                let state = self.state(&request.caller.payer).await?;
                Ok(request.edit(&state.configuration, apply)?.outcome.0)
            }
            false => self.write_following(request, apply).await,
        }
    }

    /// Takes over what was read of AWS by itself, which takes a while: what somebody else has taken over meanwhile is newer than what was read, and stays.
    ///
    /// # Errors
    /// [`Error::Refused`] of the draft, or where the organization is not as it was `before` any more.
    pub(crate) async fn apply_read_organization(
        &self,
        request: &WriteRequest<'_>,
        (name, text): (&str, &str),
        before: &Configuration,
    ) -> Answer<()> {
        let draft = read(name, text)?;
        let apply = |edit: &mut Edit<'_>| {
            if !is_same_organization(edit.configuration(), before) {
                let message =
                    "the organization was changed here while it was read at AWS; it is read again in a while";
                return Err(Refusal::invalid(ValidationReason::Other, message));
            }
            applied(edit, draft.clone())
        };
        self.write_following(request, apply).await.map(|_: AppliedOrganization| ())
    }

    /// Gives a billing group a rule, or none, and moves the accounts that it wants. `dry` only says who would move.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn put_group_rule(
        &self,
        request: &WriteRequest<'_>,
        (arn, rule): (&str, Option<&GroupRule>),
        dry: bool,
    ) -> Answer<FollowedRules> {
        let put = |edit: &mut Edit<'_>| {
            match rule {
                Some(rule) => edit.put_group_rule(arn, rule.clone())?,
                None => edit.delete_group_rule(arn)?,
            };
            let before = edit.configuration().clone();
            let followed = edit.follow_rules(&[]);
            Ok((told(edit, &before, &followed), followed))
        };
        match dry {
            true => {
                let state = self.state(&request.caller.payer).await?;
                Ok(request.edit(&state.configuration, put)?.outcome.0)
            }
            false => self.write_following(request, put).await,
        }
    }

    /// The rules of a period, and what somebody should look at.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn group_rules(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<(Vec<ListedRule>, Vec<Flagged>)> {
        let of = self.current(payer).await?;
        let mut accounts: BTreeMap<&BillingGroupId, Vec<AccountId>> = BTreeMap::new();
        for account in of.placements.keys() {
            if let Some(placed) = of.placed(account, period).filter(|of| matches!(of.by, PlacedBy::Rule(_))) {
                accounts.entry(&placed.group).or_default().push(account.clone());
            }
        }
        let listed = of.rules_in_force(period).into_iter().map(|(group, rule)| ListedRule {
            group: group.clone(),
            name: name_of(&of, group, period),
            rule: rule.clone(),
            accounts: accounts.remove(group).unwrap_or_default(),
        });
        let listed = listed.collect();
        let flags = of.flags(period).iter().map(|flag| flagged(&of, flag, period)).collect();
        Ok((listed, flags))
    }

    /// Lets billing groups follow what comes with time: a month that has begun ends groups whose primary account has left.
    ///
    /// # Errors
    /// [`Error::Internal`] of the payers; one that cannot be looked at is in the log, and in the way of no other.
    pub async fn follow_organizations(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            if let Err(error) = self.follow_organization(&payer.payer).await {
                tracing::warn!(?error, payer = %payer.payer, "billing groups could not follow the organization");
            }
        }
        Ok(())
    }

    async fn follow_organization(&self, payer: &AccountId) -> Answer<()> {
        let state = self.state(payer).await?;
        let caller = Caller { principal: "proforma".to_owned(), ..self.operator(payer, String::new()) };
        let as_of = (state.head.revision, Clock::period_of(caller.now));
        if self.0.followed.has(payer, as_of) || state.configuration.is_closed(as_of.1) {
            return Ok(());
        }
        let request = WriteRequest {
            caller: &caller,
            action: "proforma:FollowOrganization",
            token: None,
            input: "",
            resource: RESOURCE,
            period: None,
        };
        let follow = |edit: &mut Edit<'_>| Ok::<_, Refusal>(((), edit.follow_rules(&[])));
        if !request.edit(&state.configuration, follow)?.touched.is_empty() {
            self.write_following(&request, follow).await?;
        }
        self.0.followed.note(payer, as_of);
        Ok(())
    }
}

/// The draft in a text.
fn read(name: &str, text: &str) -> Answer<OrganizationDraft> {
    book_file::organization::read(Path::new(name), text).map_err(|mistakes| {
        let told = mistakes.iter().map(|mistake| format!("{name}:{mistake}"));
        refused(told.collect::<Vec<_>>().join("\n"))
    })
}

/// Whether two configurations know the same of the organization and of the billing transfers that it receives; that cost files have named an account is nothing of it.
fn is_same_organization(one: &Configuration, other: &Configuration) -> bool {
    let told = |of: &Configuration| {
        let accounts = of.family.iter().filter(|(_, account)| account.details.is_some());
        accounts.map(|(id, account)| (id.clone(), account.clone())).collect::<Vec<_>>()
    };
    let is_same = one.organization == other.organization && one.units == other.units;
    is_same && one.transfers == other.transfers && told(one) == told(other)
}

/// Takes a draft over, and lets the groups follow.
fn applied(edit: &mut Edit<'_>, draft: OrganizationDraft) -> Outcome<AppliedOrganization> {
    let (account_count, unit_count) = (draft.accounts.len() as u64, draft.units.len() as u64);
    let changes = edit.set_organization(draft)?;
    let before = edit.configuration().clone();
    let followed = edit.follow_rules(&changes.joined);
    let ids = |accounts: &[AccountId]| accounts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let OrganizationChanges { joined, left, in_other_unit, changed, .. } = &changes;
    let units = |units: &[billing::organization::UnitId]| units.iter().map(ToString::to_string).collect();
    let organization = edit.configuration().organization.as_ref();
    let applied = AppliedOrganization {
        organization_id: organization.map(|of| of.id.clone()).unwrap_or_default(),
        account_count,
        unit_count,
        joined_accounts: ids(joined),
        left_accounts: ids(left),
        accounts_in_other_unit: ids(in_other_unit),
        changed_accounts: ids(changed),
        new_units: units(&changes.new_units),
        changed_units: units(&changes.changed_units),
        gone_units: units(&changes.gone_units),
        changed_transfers: changes.transfers.clone(),
        refused: changes.refused.clone(),
        followed: told(edit, &before, &followed),
    };
    Ok((applied, followed))
}

/// What was followed, in words; groups are named as they were before it.
fn told(edit: &Edit<'_>, before: &Configuration, followed: &Followed) -> FollowedRules {
    let period = edit.moment().period;
    let name = |id: &BillingGroupId| name_of(before, id, period);
    let moved = followed.moved.iter().map(|Moved { account, from, to, why }| MovedAccount {
        account_id: account.to_string(),
        from_billing_group: from.as_ref().map(name),
        to_billing_group: to.as_ref().map(name),
        reason: why.clone(),
    });
    FollowedRules {
        moved_accounts: moved.collect(),
        ended_billing_groups: followed.ended.iter().map(|id| id.arn(&before.payer)).collect(),
        flags: followed.flags.iter().map(|flag| flagged(before, flag, period)).collect(),
    }
}

fn flagged(of: &Configuration, flag: &Flag, period: BillingPeriod) -> Flagged {
    Flagged {
        code: flag.code().to_owned(),
        account_id: flag.account().map(ToString::to_string),
        message: flag.message(of, period),
    }
}

fn name_of(of: &Configuration, id: &BillingGroupId, period: BillingPeriod) -> String {
    of.groups.at(id, period).map_or_else(|| id.to_string(), |(_, group)| group.name.clone())
}

/// What was followed, a sentence each.
pub(crate) fn followed_in_words(edit: &Edit<'_>, before: &Configuration, followed: &Followed) -> Vec<String> {
    let FollowedRules { moved_accounts, flags, .. } = told(edit, before, followed);
    let moved = moved_accounts.into_iter().map(|of| {
        let MovedAccount { account_id, from_billing_group, to_billing_group, reason } = of;
        match (from_billing_group, to_billing_group) {
            (Some(from), Some(to)) => {
                format!("account `{account_id}` moves from `{from}` to `{to}`: {reason}")
            }
            (None, Some(to)) => format!("account `{account_id}` joins `{to}`: {reason}"),
            (Some(from), None) => format!("account `{account_id}` leaves `{from}`: {reason}"),
            (None, None) => format!("account `{account_id}`: {reason}"),
        }
    });
    moved.chain(flags.into_iter().map(|flag| flag.message)).collect()
}

/// What the audit says of everything that was moved by itself.
pub(crate) fn entries(request: &WriteRequest<'_>, followed: &Followed) -> Vec<Entry> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Why<'a> {
        from: Option<&'a str>,
        to: Option<&'a str>,
        reason: &'a str,
    }
    let entry = |action, resource: &str, detail: &str| {
        Entry::now(request.caller, action, resource, detail, Decision::Done)
    };
    let moved = followed.moved.iter().map(|moved| {
        let (from, to) = (moved.from.as_ref(), moved.to.as_ref());
        let why = Why {
            from: from.map(BillingGroupId::as_str),
            to: to.map(BillingGroupId::as_str),
            reason: &moved.why,
        };
        let why = serde_json::to_string(&why).unwrap_or_default();
        entry("proforma:PlaceAccount", moved.account.as_str(), &why)
    });
    let ended = followed.ended.iter().map(|id| {
        let why = "its primary account has left the organization";
        entry("proforma:EndBillingGroup", &id.arn(&request.caller.payer), why)
    });
    moved.chain(ended).collect()
}

/// The path of names of a unit, as the desk knows it.
#[must_use]
pub fn path_of(of: &Configuration, unit: &billing::organization::UnitId) -> String {
    UnitTree::of(&of.units).path(unit).join("/")
}
