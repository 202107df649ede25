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
    /// The billing groups, by id; `None` is the payer. Nobody becomes the payer by having no group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeSet<String>>,
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
                groups: Some(groups.iter().map(ToString::to_string).collect()),
                accounts: accounts.as_ref().map(|of| of.iter().map(ToString::to_string).collect()),
            },
        }
    }

    /// Whether it is the payer.
    #[must_use]
    pub const fn is_payer(&self) -> bool {
        self.groups.is_none()
    }

    /// The holder as one that asks for what it keeps, when nobody does.
    pub(crate) fn caller(&self, desk: &BackOffice, payer: &AccountId) -> Answer<Caller> {
        let asking = Caller { principal: "proforma".to_owned(), ..desk.operator(payer, String::new()) };
        let Some(groups) = &self.groups else { return Ok(asking) };
        let group = |id: &String| BillingGroupId::parse(id).ok_or_else(|| Error::internal(id.clone()));
        let account = |id: &String| AccountId::parse(id).ok_or_else(|| Error::internal(id.clone()));
        let groups = groups.iter().map(group).collect::<Answer<_>>()?;
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

#[cfg(test)]
mod tests {
    //! Who is whom.

    use super::*;

    #[test]
    fn nobody_becomes_the_payer_by_seeing_nothing() {
        let nothing = Holder::of_scope(&Scope::Groups { groups: BTreeSet::new(), accounts: None });
        assert!(!nothing.is_payer() && nothing != Holder::default());
        let kept: Holder = serde_json::from_str(&serde_json::to_string(&nothing).unwrap()).unwrap();
        assert_eq!(kept, nothing);
        assert!(Holder::of_scope(&Scope::Payer).is_payer());
    }
}
