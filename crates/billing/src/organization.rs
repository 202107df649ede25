//! A payer's organization, as AWS Organizations has it: its units, and what it says of accounts beside their names.
//!
//! Source: AWS Organizations API reference, the shapes `Organization`, `Root`, `OrganizationalUnit`, `Account` and `ResponsibilityTransfer`.

mod draft;
mod tree;

use crate::account::AccountId;
use std::collections::BTreeMap;
use std::fmt;

pub use draft::{AccountDraft, InboundTransfer, OrganizationDraft, UnitDraft, derived_unit};
pub use tree::UnitTree;

/// The id of a root or of an organizational unit: `r-…` or `ou-…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(Box<str>);

impl UnitId {
    /// The id as AWS Organizations writes it; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let part = |text: &str, least: usize| {
            (least..=32).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        };
        let sound = match (text.strip_prefix("r-"), text.strip_prefix("ou-")) {
            (Some(root), _) => part(root, 4),
            (_, Some(unit)) => unit.split_once('-').is_some_and(|(root, own)| part(root, 4) && part(own, 8)),
            _ => false,
        };
        sound.then(|| Self(text.into()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the id of a root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.starts_with("r-")
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A word of AWS Organizations: every value of a kind with its name.
macro_rules! words {
    ($(#[$about:meta])* $kind:ident { $($(#[$of:meta])* $value:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $kind {
            $($(#[$of])* $value,)+
        }

        impl $kind {
            /// Every value with its name.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$value, $name)),+];

            /// The value of a name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().find_map(|(value, of)| (*of == name).then_some(*value))
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }
    };
}

words! {
    /// Which features of AWS Organizations an organization has.
    FeatureSet {
        /// All of them.
        All = "ALL",
        /// Bills alone.
        ConsolidatedBilling = "CONSOLIDATED_BILLING",
    }
}

words! {
    /// Where an account is in its life.
    AccountState {
        /// Made, and not ready yet.
        PendingActivation = "PENDING_ACTIVATION",
        /// In use.
        Active = "ACTIVE",
        /// Kept from being used by AWS.
        Suspended = "SUSPENDED",
        /// About to be closed.
        PendingClosure = "PENDING_CLOSURE",
        /// Closed: it leaves the organization some time later.
        Closed = "CLOSED",
    }
}

impl AccountState {
    /// The older word for it, `Status`, which knows three: an account that is not ready yet is active, one that is closed is suspended.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::PendingActivation | Self::Active => "ACTIVE",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Suspended | Self::Closed => "SUSPENDED",
        }
    }
}

words! {
    /// How an account came into the organization.
    JoinedMethod {
        /// It was there, and was invited.
        Invited = "INVITED",
        /// It was made in the organization.
        Created = "CREATED",
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id, `o-…`.
    pub id: String,
    /// The account that pays for it, and manages it.
    pub management_account: AccountId,
    /// That account's e-mail address, where it is known.
    pub management_email: Option<String>,
    /// Which features it has.
    pub features: FeatureSet,
    /// Its root.
    pub root: UnitId,
}

/// A root, or an organizational unit. One that has gone stays, with when that was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationalUnit {
    /// Its name: unique among the units of a parent.
    pub name: String,
    /// The unit that it is in; a root is in none.
    pub parent: Option<UnitId>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was missed first, in seconds since 1970-01-01T00:00:00Z; `None` as long as it is there.
    pub gone_at: Option<i64>,
}

/// What an organization says of an account beside name and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDetails {
    /// The unit that it is in, or was in when it left.
    pub unit: UnitId,
    /// Where it is in its life.
    pub state: AccountState,
    /// When it joined, in seconds since 1970-01-01T00:00:00Z, where that is known.
    pub joined_at: Option<i64>,
    /// How it joined, where that is known.
    pub joined_method: Option<JoinedMethod>,
    /// When it left, or was missed first.
    pub left_at: Option<i64>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    //! Ids and words.

    use super::*;

    #[test]
    fn ids_are_those_of_aws() {
        for text in ["r-ab12", "ou-ab12-abcd1234"] {
            assert_eq!(UnitId::parse(text).map(|id| id.to_string()).as_deref(), Some(text));
        }
        for text in ["", "r-", "r-abc", "ou-ab12", "ou-ab12-abc", "ou-AB12-abcd1234", "x-ab12", "r-ab12/"] {
            assert_eq!(UnitId::parse(text), None, "{text:?}");
        }
        assert!(UnitId::parse("r-ab12").is_some_and(|id| id.is_root()));
    }

    #[test]
    fn a_state_has_an_older_word() {
        let words: Vec<_> = AccountState::ALL.iter().map(|(state, _)| state.status()).collect();
        assert_eq!(words, ["ACTIVE", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "SUSPENDED"]);
        assert_eq!(JoinedMethod::parse("INVITED"), Some(JoinedMethod::Invited));
    }
}
