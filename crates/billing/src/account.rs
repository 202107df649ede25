//! Account ids and the owner that an ARN names.

use std::fmt;

/// An account id, as opaque text: AWS writes twelve digits, leading zeros included; anonymised files hold others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Box<str>);

impl AccountId {
    /// The id as given; `None` when it is empty or holds anything but digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| Self(text.into()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id has AWS's form of twelve digits.
    #[must_use]
    pub fn has_twelve_digits(&self) -> bool {
        self.0.len() == 12
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The account that an ARN belongs to: its fifth field.
#[must_use]
pub fn arn_account(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (!account.is_empty()).then_some(account)
}

#[cfg(test)]
mod tests {
    //! Ids stay text; owners come out of ARNs.

    use super::*;

    #[test]
    fn ids_keep_their_digits() {
        assert_eq!(AccountId::parse("000123456789").unwrap().as_str(), "000123456789");
        assert!(!AccountId::parse("6568388779672").unwrap().has_twelve_digits());
        for text in ["", "12 34", "abc", "123-456"] {
            assert_eq!(AccountId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_owner_is_the_fifth_field() {
        let plan = "arn:aws:savingsplans::222222222222:savingsplan/1111";
        let reservation = "arn:aws:ec2:us-east-1:333333333333:reserved-instances/44";
        assert_eq!(arn_account(plan), Some("222222222222"));
        assert_eq!(arn_account(reservation), Some("333333333333"));
        assert_eq!(arn_account("arn:aws:savingsplans:::savingsplan/1"), None);
        assert_eq!(arn_account("nonsense"), None);
    }
}
