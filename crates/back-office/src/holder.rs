//! Who keeps a budget or a saved report: the payer, or whoever sees certain billing groups.
//!
//! What somebody keeps is answered out of what it may see, also when nobody is there to ask, and is nobody else's: a customer finds no name of another's
//! budget, and a colleague who is narrowed to some accounts none of a colleague who is not.

use crate::authorization::{Caller, Role, Scope};
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::principals::scope_of;
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::Standing;

/// Who keeps something: by what it may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The billing groups, by id; none of the payer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    groups: BTreeSet<String>,
    /// The accounts, where they are narrowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accounts: Option<BTreeSet<String>>,
}

impl Holder {
    /// Who asks, as a holder.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        Self::of_scope(&caller.scope)
    }

    fn of_scope(scope: &Scope) -> Self {
        match scope {
            Scope::Payer => Self::default(),
            Scope::Groups { groups, accounts } => Self {
                groups: groups.iter().map(ToString::to_string).collect(),
                accounts: accounts.as_ref().map(|of| of.iter().map(ToString::to_string).collect()),
            },
        }
    }

    /// Whether it is the payer.
    #[must_use]
    pub fn is_payer(&self) -> bool {
        self.groups.is_empty()
    }

    /// The holder as one that asks for what it keeps, when nobody does.
    pub(crate) fn caller(&self, desk: &BackOffice, payer: &AccountId) -> Answer<Caller> {
        let asking = Caller { principal: "proforma".to_owned(), ..desk.operator(payer, String::new()) };
        if self.is_payer() {
            return Ok(asking);
        }
        let group = |id: &String| BillingGroupId::parse(id).ok_or_else(|| Error::internal(id.clone()));
        let account = |id: &String| AccountId::parse(id).ok_or_else(|| Error::internal(id.clone()));
        let groups = self.groups.iter().map(group).collect::<Answer<_>>()?;
        let accounts = self.accounts.as_ref();
        let accounts = accounts.map(|of| of.iter().map(account).collect::<Answer<_>>()).transpose()?;
        Ok(Caller { role: Role::GroupViewer, scope: Scope::Groups { groups, accounts }, ..asking })
    }
}

impl BackOffice {
    /// Everybody who may keep something: the payer, and who has a principal that may be used. What was kept by somebody whose last principal is gone goes to
    /// nobody.
    pub(crate) async fn holders(&self, payer: &AccountId) -> Answer<BTreeSet<Holder>> {
        let principals = self.0.store.principals(payer, "", usize::MAX).await.map_err(Error::internal)?;
        let mut holders = BTreeSet::from([Holder::default()]);
        for principal in principals.iter().filter(|of| of.standing == Standing::Active) {
            let role = Role::parse(&principal.role).ok_or_else(|| Error::internal(principal.role.clone()))?;
            holders.insert(Holder::of_scope(&scope_of(role, principal)?));
        }
        Ok(holders)
    }
}
