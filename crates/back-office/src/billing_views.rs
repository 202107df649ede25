//! Billing views: whose cost a question is about, and who may ask.
//!
//! This is the one place where a caller and the ARN of a view become a [`View`]. A view is one of two kinds, or a custom one, which narrows another by an
//! expression: it is a third case here that names its source, and becomes the `filter` of [`query::answer::Scope`].
//!
//! Source: AWS Billing Conductor user guide, "Viewing pro forma billing data": the view of a standard group is
//! `arn:aws:billing::PAYER:billingview/billing-group-PRIMARY`, and for an account in a group the default is its pro forma data.

use crate::authorization::{Caller, Scope};
use crate::cost_explorer::CostExplorerRefusal;
use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::facts::FactsOfRun;
use billing::account::AccountId;
use billing::configuration::BillingGroupId;
use query::answer::{Costs, Scope as Seen};
use std::collections::BTreeSet;

/// Whose cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// What AWS charges the payer.
    Primary,
    /// What billing groups are charged: pro forma in every metric, and nothing else.
    BillingGroups {
        /// The groups.
        groups: BTreeSet<BillingGroupId>,
        /// The accounts of them that are seen; `None` is every one.
        accounts: Option<BTreeSet<AccountId>>,
    },
}

/// What the id of a billing group's view begins with.
const OF_GROUP: &str = "billing-group-";
/// The id of the payer's own view.
const PRIMARY: &str = "primary";

/// The ARN of the payer's own view.
#[must_use]
pub fn primary_arn(payer: &AccountId) -> String {
    format!("arn:aws:billing::{payer}:billingview/{PRIMARY}")
}

/// The ARN of a billing group's view.
#[must_use]
pub fn group_arn(payer: &AccountId, group: &BillingGroupId) -> String {
    format!("arn:aws:billing::{payer}:billingview/{OF_GROUP}{group}")
}

impl View {
    /// Whether it is the payer's own cost.
    #[must_use]
    pub const fn is_primary(&self) -> bool {
        matches!(self, Self::Primary)
    }

    /// What of a run is seen through it.
    #[must_use]
    pub fn seen(&self, run: &FactsOfRun) -> Seen {
        match self {
            Self::Primary => Seen { cost: Costs::Aws, accounts: None, filter: None },
            Self::BillingGroups { groups, accounts } => Seen {
                cost: Costs::ProForma(run.numbers(groups)),
                accounts: accounts.as_ref().map(|of| of.iter().map(ToString::to_string).collect()),
                filter: None,
            },
        }
    }
}

impl BackOffice {
    /// The view that a caller asks for, or its own. A customer has its own groups' views and no other: whatever else it names is denied, whether it
    /// is there or not.
    ///
    /// # Errors
    /// [`Error::Denied`] for a customer, [`CostExplorerRefusal::NotFound`] for a payer that names a view that there is not.
    pub async fn billing_view(&self, caller: &Caller, arn: Option<&str>) -> Answer<View> {
        let Some(arn) = arn else {
            return Ok(match &caller.scope {
                Scope::Payer => View::Primary,
                Scope::Groups { groups, accounts } => {
                    View::BillingGroups { groups: groups.clone(), accounts: accounts.clone() }
                }
            });
        };
        let unknown = || match caller.scope {
            Scope::Payer => Error::from(CostExplorerRefusal::NotFound(format!(
                "there is no billing view `{arn}`; leave BillingViewArn out for the payer's own, or name a billing group's: {}",
                format_args!("arn:aws:billing::{}:billingview/{OF_GROUP}PRIMARY_ACCOUNT_ID", caller.payer)
            ))),
            Scope::Groups { .. } => Error::Denied,
        };
        let id = id_of(arn, &caller.payer).ok_or_else(unknown)?;
        if id == PRIMARY {
            return if caller.sees_payer() { Ok(View::Primary) } else { Err(unknown()) };
        }
        let group = id.strip_prefix(OF_GROUP).and_then(BillingGroupId::parse).ok_or_else(unknown)?;
        let accounts = match &caller.scope {
            // A group that was deleted has months that it was charged for.
            Scope::Payer => {
                let current = self.current(&caller.payer).await?;
                current.groups.get(&group).map(|_| None)
            }
            Scope::Groups { groups, accounts } => groups.contains(&group).then(|| accounts.clone()),
        };
        let accounts = accounts.ok_or_else(unknown)?;
        Ok(View::BillingGroups { groups: BTreeSet::from([group]), accounts })
    }
}

/// The id in the ARN of a payer's view.
fn id_of<'a>(arn: &'a str, payer: &AccountId) -> Option<&'a str> {
    let rest = arn.strip_prefix("arn:aws").map(|rest| rest.split_once(':'))??.1;
    rest.strip_prefix("billing::")?.strip_prefix(payer.as_str())?.strip_prefix(":billingview/")
}

#[cfg(test)]
mod tests {
    //! ARNs of views.

    use super::*;

    #[test]
    fn a_view_is_of_one_payer() {
        let payer = AccountId::parse("999999999999").unwrap();
        for (arn, id) in [
            ("arn:aws:billing::999999999999:billingview/primary", Some("primary")),
            (
                "arn:aws-cn:billing::999999999999:billingview/billing-group-111111111111",
                Some("billing-group-111111111111"),
            ),
            ("arn:aws:billing::888888888888:billingview/primary", None),
            ("arn:aws:billingconductor::999999999999:billinggroup/111111111111", None),
            ("primary", None),
        ] {
            assert_eq!(id_of(arn, &payer), id, "{arn}");
        }
        assert_eq!(id_of(&primary_arn(&payer), &payer), Some(PRIMARY));
    }
}
