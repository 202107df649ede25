//! An organization as somebody tells it, a file or AWS: what is there now, whole.

use super::{AccountDetails, FeatureSet, UnitId};
use crate::account::AccountId;
use crate::period::BillingPeriod;
use crate::responsibility_transfer::Status;
use std::collections::BTreeMap;

/// What is told of an organization. Units are a tree below one root, and every account is in one of them: whoever makes a draft has checked that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationDraft {
    /// Its id, where it is told.
    pub id: Option<String>,
    /// The account that manages it, where it is told.
    pub management_account: Option<AccountId>,
    /// That account's address, where it is told.
    pub management_email: Option<String>,
    /// Its features, where they are told.
    pub features: Option<FeatureSet>,
    /// Its root.
    pub root: UnitId,
    /// The units, the root among them.
    pub units: BTreeMap<UnitId, UnitDraft>,
    /// The accounts.
    pub accounts: BTreeMap<AccountId, AccountDraft>,
    /// The billing transfers that the payer receives; `None` where nothing is said of them.
    pub transfers: Option<Vec<InboundTransfer>>,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitDraft {
    /// Its name.
    pub name: String,
    /// The unit that it is in; the root is in none.
    pub parent: Option<UnitId>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDraft {
    /// Its name; `None` where it is not told.
    pub name: Option<String>,
    /// Its address; `None` where it is not told.
    pub email: Option<String>,
    /// The rest.
    pub details: AccountDetails,
}

/// A billing transfer that the payer receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundTransfer {
    /// Its ARN.
    pub arn: String,
    /// The management account whose bill is transferred.
    pub source: AccountId,
    /// What AWS Organizations says of it.
    pub status: Status,
    /// The first period whose bill is transferred.
    pub start: BillingPeriod,
    /// The first period whose bill no more is.
    pub end: Option<BillingPeriod>,
}

impl OrganizationDraft {
    /// The names from the root to a unit.
    #[must_use]
    pub fn path(&self, unit: &UnitId) -> Vec<String> {
        let mut path = Vec::new();
        let mut next = Some(unit);
        // A tree is no deeper than it has units.
        while let Some(of) = next.and_then(|id| self.units.get(id)).filter(|_| path.len() <= self.units.len())
        {
            path.push(of.name.clone());
            next = of.parent.as_ref();
        }
        path.reverse();
        path
    }
}

/// The id of a unit of which only the path of names is known: the same for the same path. One name is the root.
#[must_use]
pub fn derived_unit(path: &[String]) -> Option<UnitId> {
    let (root, below) = path.split_first()?;
    let own = base36(hash(std::slice::from_ref(root)), 4);
    UnitId::parse(&match below {
        [] => format!("r-{own}"),
        _ => format!("ou-{own}-{}", base36(hash(path), 13)),
    })
}

/// FNV-1a over names, each with its length.
fn hash(names: &[String]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for name in names {
        (name.len() as u64).to_be_bytes().into_iter().chain(name.bytes()).for_each(&mut take);
    }
    hash
}

/// The last digits of a number, with letters.
fn base36(mut number: u64, digits: usize) -> String {
    let mut text = Vec::with_capacity(digits);
    for _ in 0..digits {
        text.push(char::from_digit(u32::try_from(number % 36).unwrap_or_default(), 36).unwrap_or('0'));
        number /= 36;
    }
    text.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    //! Ids that are made of paths.

    use super::*;

    #[test]
    fn a_path_has_one_id() {
        let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let id = |text: &str| derived_unit(&path(text)).unwrap();
        assert!(id("Root").is_root() && !id("Root/A").is_root());
        assert_eq!(id("Root/A"), id("Root/A"));
        assert_ne!(id("Root/A/B"), id("Root/AB"));
        assert_ne!(id("Root/A"), id("Other/A"));
        assert_eq!(derived_unit(&[]), None);
    }
}
