//! How an organization is read: its units from the root down, the accounts in each, then what belongs to each, page after page.
//!
//! Operations: AWS Organizations API reference, version 2016-11-28. An account that is moved while the units are walked may be met nowhere, or twice: the list of
//! all accounts says who is there, and who was not met is asked for by itself.

use crate::journal::Journal;
use adopt::failure::{ATTEMPTS_MAX, explained};
use adopt::say;
use anyhow::{Context, anyhow, bail};
use aws_sdk_organizations::config::retry::RetryConfig;
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::types::{Account, ResponsibilityTransfer, ResponsibilityTransferType};
use aws_sdk_organizations::{Client, Config};
use billing::account::AccountId;
use billing::instant::month_of;
use billing::organization::{
    AccountDetails, AccountDraft, AccountState, FeatureSet, InboundTransfer, JoinedMethod, OrganizationDraft,
    UnitDraft, UnitId,
};
use billing::period::BillingPeriod;
use billing::responsibility_transfer::Status;
use std::collections::BTreeMap;

/// After how many things that were read a line says how far it is.
const SAID_EVERY: usize = 100;

/// Reads the organization of whoever's credentials the client has.
///
/// # Errors
/// What could not be read, and the way out.
pub async fn read(client: &Client, journal: &mut Journal) -> anyhow::Result<OrganizationDraft> {
    let answer = client.describe_organization().send().await;
    let answer = answer.map_err(|error| explained("DescribeOrganization", error))?;
    let organization = answer.organization.context("DescribeOrganization: the answer has no organization")?;
    let id = organization.id.context("DescribeOrganization: the organization has no id")?;
    let known = journal.begin(&id)?;
    say!("reading organization {id}");
    if known > 0 {
        say!("going on: the tags of {known} accounts and units were read before");
    }
    let management = organization.master_account_id.context("DescribeOrganization: no management account")?;
    let management_account = Some(account_id("DescribeOrganization", &management)?);
    let features = organization.feature_set.as_ref().and_then(|of| FeatureSet::parse(of.as_str()));
    let root = root(client).await?;
    let mut reading = Reading { client, units: BTreeMap::new(), accounts: BTreeMap::new() };
    reading.walk(&root.0, root.1).await?;
    reading.meet_all().await?;
    reading.read_tags(journal).await?;
    let transfers = transfers(client).await?;
    let Reading { units, accounts, .. } = reading;
    say!("read {} accounts in {} units", accounts.len(), units.len());
    Ok(OrganizationDraft {
        id: Some(id),
        management_account,
        management_email: organization.master_account_email,
        features,
        root: root.0,
        units,
        accounts,
        transfers,
    })
}

/// The one root, with its name.
async fn root(client: &Client) -> anyhow::Result<(UnitId, String)> {
    let pages: Result<Vec<_>, _> = client.list_roots().into_paginator().send().collect().await;
    let pages = pages.map_err(|error| explained("ListRoots", error))?;
    let roots: Vec<_> = pages.into_iter().flat_map(|page| page.roots.unwrap_or_default()).collect();
    let [root] = roots.as_slice() else {
        bail!("ListRoots: the organization has {} roots, and not one", roots.len());
    };
    let id = unit_id("ListRoots", root.id.as_deref().unwrap_or_default())?;
    Ok((id, root.name.clone().unwrap_or_else(|| "Root".to_owned())))
}

/// What was read by now.
struct Reading<'a> {
    client: &'a Client,
    units: BTreeMap<UnitId, UnitDraft>,
    accounts: BTreeMap<AccountId, AccountDraft>,
}

impl Reading<'_> {
    /// Reads the units from the root down, and the accounts in each.
    async fn walk(&mut self, root: &UnitId, name: String) -> anyhow::Result<()> {
        self.units.insert(root.clone(), UnitDraft { name, parent: None, tags: BTreeMap::new() });
        let mut waiting = vec![root.clone()];
        while let Some(parent) = waiting.pop() {
            let call = self.client.list_organizational_units_for_parent().parent_id(parent.as_str());
            let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
            let pages = pages.map_err(|error| explained("ListOrganizationalUnitsForParent", error))?;
            for unit in pages.into_iter().flat_map(|page| page.organizational_units.unwrap_or_default()) {
                let id = unit_id("ListOrganizationalUnitsForParent", unit.id.as_deref().unwrap_or_default())?;
                let name = unit.name.unwrap_or_else(|| id.to_string());
                let draft = UnitDraft { name, parent: Some(parent.clone()), tags: BTreeMap::new() };
                // One that was moved meanwhile is met twice, and is where it was met last.
                if self.units.insert(id.clone(), draft).is_none() {
                    waiting.push(id);
                }
            }
            let call = self.client.list_accounts_for_parent().parent_id(parent.as_str());
            let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
            let pages = pages.map_err(|error| explained("ListAccountsForParent", error))?;
            for account in pages.into_iter().flat_map(|page| page.accounts.unwrap_or_default()) {
                self.take("ListAccountsForParent", account, parent.clone())?;
            }
        }
        Ok(())
    }

    /// Holds what was met against the list of all accounts.
    async fn meet_all(&mut self) -> anyhow::Result<()> {
        let pages: Result<Vec<_>, _> = self.client.list_accounts().into_paginator().send().collect().await;
        let pages = pages.map_err(|error| explained("ListAccounts", error))?;
        let all = pages.into_iter().flat_map(|page| page.accounts.unwrap_or_default());
        let mut there = BTreeMap::new();
        for account in all {
            let id = account_id("ListAccounts", account.id.as_deref().unwrap_or_default())?;
            there.insert(id, account);
        }
        self.accounts.retain(|id, _| there.contains_key(id));
        for (id, account) in there {
            if self.accounts.contains_key(&id) {
                continue;
            }
            let parents = self.client.list_parents().child_id(id.as_str()).send().await;
            let parents =
                parents.map_err(|error| explained("ListParents", error))?.parents.unwrap_or_default();
            let parent = parents.first().and_then(|parent| parent.id.as_deref()).unwrap_or_default();
            let parent = unit_id("ListParents", parent)?;
            if !self.units.contains_key(&parent) {
                bail!(
                    "account `{id}` is in unit `{parent}`, which was made while the organization was read; read it again"
                );
            }
            self.take("ListAccounts", account, parent)?;
        }
        Ok(())
    }

    fn take(&mut self, operation: &str, account: Account, unit: UnitId) -> anyhow::Result<()> {
        let id = account_id(operation, account.id.as_deref().unwrap_or_default())?;
        let details = AccountDetails {
            unit,
            state: state(&account),
            joined_at: account.joined_timestamp.map(|at| at.secs()),
            joined_method: account.joined_method.and_then(|of| JoinedMethod::parse(of.as_str())),
            left_at: None,
            tags: BTreeMap::new(),
        };
        self.accounts.insert(id, AccountDraft { name: account.name, email: account.email, details });
        Ok(())
    }

    /// Reads the tags of every unit and account, as far as an earlier call has not.
    async fn read_tags(&mut self, journal: &mut Journal) -> anyhow::Result<()> {
        let all = self.units.len() + self.accounts.len();
        let units = self.units.iter_mut().map(|(id, unit)| (id.as_str(), &mut unit.tags));
        let accounts = self.accounts.iter_mut().map(|(id, of)| (id.as_str(), &mut of.details.tags));
        for (number, (id, tags)) in units.chain(accounts).enumerate() {
            *tags = match journal.tags(id) {
                Some(known) => known.clone(),
                None => {
                    let read = tags_of(self.client, id).await?;
                    journal.keep(id, &read);
                    read
                }
            };
            if (number + 1) % SAID_EVERY == 0 {
                say!("tags of {} of {all} accounts and units", number + 1);
            }
        }
        Ok(())
    }
}

async fn tags_of(client: &Client, id: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let pages = client.list_tags_for_resource().resource_id(id).into_paginator().items().send();
    let tags: Result<Vec<_>, _> = pages.collect().await;
    let tags = tags.map_err(|error| explained("ListTagsForResource", error))?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Where an account is in its life; older servers tell the older word alone.
fn state(account: &Account) -> AccountState {
    let status = account.status.as_ref().map(|of| of.as_str());
    let said = account.state.as_ref().map(|of| of.as_str()).or(status);
    said.and_then(AccountState::parse).unwrap_or(AccountState::Active)
}

/// The billing transfers that the organization receives; `None` where whoever answers does not know of such.
async fn transfers(client: &Client) -> anyhow::Result<Option<Vec<InboundTransfer>>> {
    let mut transfers = Vec::new();
    let mut token = None;
    loop {
        let call = client.list_inbound_responsibility_transfers().r#type(ResponsibilityTransferType::Billing);
        let few = Config::builder().retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
        let page = match call.set_next_token(token).customize().config_override(few).send().await {
            Ok(page) => page,
            // Most organizations receive nobody's bill, and most callers may not ask for it.
            Err(error) if is_unknown(&error) => {
                say!(
                    "note: {}: billing transfers stay as they are known",
                    explained("ListInboundResponsibilityTransfers", error)
                );
                return Ok(None);
            }
            Err(error) => return Err(explained("ListInboundResponsibilityTransfers", error)),
        };
        for of in page.responsibility_transfers.unwrap_or_default() {
            transfers.push(transfer(of)?);
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(Some(transfers));
        }
    }
}

/// Whether an error says that there is nothing to be asked for.
fn is_unknown<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let SdkError::ServiceError(answer) = error else {
        // Whoever does not know an operation may answer with a page for people.
        return matches!(error, SdkError::ResponseError(_));
    };
    let known =
        ["TooManyRequestsException", "ThrottlingException", "ServiceException", "InvalidInputException"];
    !answer
        .err()
        .code()
        .is_some_and(|code| known.contains(&code) || code.contains("Token") || code.contains("Signature"))
}

fn transfer(of: ResponsibilityTransfer) -> anyhow::Result<InboundTransfer> {
    let operation = "ListInboundResponsibilityTransfers";
    let arn = of.arn.with_context(|| format!("{operation}: a transfer has no ARN"))?;
    let source = of.source.and_then(|source| source.management_account_id).unwrap_or_default();
    let status = of.status.as_ref().and_then(|status| Status::parse(status.as_str()));
    let start = of.start_timestamp.and_then(|at| month_of(at.secs()));
    // A transfer ends with the last second of a month.
    let end = of.end_timestamp.and_then(|at| month_of(at.secs())).map(BillingPeriod::next);
    Ok(InboundTransfer {
        source: account_id(operation, &source)?,
        status: status
            .ok_or_else(|| anyhow!("{operation}: transfer `{arn}` has no status that is known here"))?,
        start: start.ok_or_else(|| anyhow!("{operation}: transfer `{arn}` has no start"))?,
        end,
        arn,
    })
}

fn account_id(operation: &str, text: &str) -> anyhow::Result<AccountId> {
    AccountId::parse(text).ok_or_else(|| anyhow!("{operation}: `{text}` is no account id"))
}

fn unit_id(operation: &str, text: &str) -> anyhow::Result<UnitId> {
    UnitId::parse(text).ok_or_else(|| anyhow!("{operation}: `{text}` is no id of a root or unit"))
}
