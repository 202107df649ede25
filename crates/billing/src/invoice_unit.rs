//! Invoice units: sets of accounts whose charges are invoiced to one receiver, and which sets may stand beside each other.
//!
//! Sources: AWS Billing user guide, "AWS invoice configuration"; the service model of AWS Invoicing, version 2024-12-01. Name and receiver of a unit
//! are never changed: whoever wants another one deletes the unit and makes a new one.

use crate::account::AccountId;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// How many units a payer has at most.
pub const UNITS_MAX: usize = 500;
/// How many accounts a rule has of either kind at most.
pub const ACCOUNTS_MAX: usize = 1_000;
/// How many tags a resource of invoicing has at most.
pub const TAGS_MAX: usize = 200;

/// An invoice unit, as it stands at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceUnit {
    /// The last part of its ARN.
    pub id: String,
    /// Unique among those of the payer; it is printed on the invoice.
    pub name: String,
    /// The account that gets the invoices.
    pub receiver: AccountId,
    /// What the operator says of it.
    pub description: Option<String>,
    /// Whether the tax settings of the receiver are not those of the accounts.
    pub is_tax_inheritance_disabled: bool,
    /// The accounts whose charges it has.
    pub linked_accounts: BTreeSet<AccountId>,
    /// The payers of other organizations whose transferred bills it has.
    pub bill_source_accounts: BTreeSet<AccountId>,
}

/// Why a unit may not be. In the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The name has characters that no name has.
    Name,
    /// The payer has as many units as it may.
    TooManyUnits,
    /// The rule has more accounts than it may.
    TooManyAccounts,
    /// Another unit has the name.
    DuplicateName,
    /// An account is none of the payer's.
    NoMember,
    /// Another unit has the account.
    NotExclusive,
    /// A member of one unit receives the invoices of another one.
    Receiver,
}

/// A unit that may not be, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The member of the input that is at fault.
    pub field: &'static str,
    /// The thing, the value and the way out.
    pub message: String,
}

/// Which accounts are the payer's.
pub trait Family {
    /// Whether an account is one of the payer's organization, or may be.
    fn has(&self, account: &AccountId) -> bool;
    /// Whether a payer of another organization transfers its bill to this one, or may.
    fn has_source(&self, account: &AccountId) -> bool;
}

/// Whether a new unit may stand beside those that there are.
///
/// # Errors
/// [`Refusal`], the first one in the order of [`Reason`].
pub fn check_new(units: &[InvoiceUnit], new: &InvoiceUnit, family: &impl Family) -> Result<(), Refusal> {
    if !is_name(&new.name) {
        let message = format!(
            "`{}` is no name of an invoice unit: it takes letters, digits, spaces, `-` and `_`, and no space at either end",
            new.name
        );
        return Err(Refusal { reason: Reason::Name, field: "Name", message });
    }
    if units.len() >= UNITS_MAX {
        let message =
            format!("the payer has {UNITS_MAX} invoice units, the most that are allowed; delete one first");
        return Err(Refusal { reason: Reason::TooManyUnits, field: "", message });
    }
    if let Some(other) = units.iter().find(|unit| unit.name == new.name) {
        let message = format!("invoice unit `{}` has the name `{}`; take another name", other.id, other.name);
        return Err(Refusal { reason: Reason::DuplicateName, field: "Name", message });
    }
    if !family.has(&new.receiver) {
        return Err(no_member("InvoiceReceiver", &new.receiver));
    }
    check_rule(units, new, family)
}

/// Whether a unit may have the accounts that it has, beside the others; it may be among them as it was before.
///
/// # Errors
/// [`Refusal`], the first one in the order of [`Reason`].
pub fn check_rule(units: &[InvoiceUnit], unit: &InvoiceUnit, family: &impl Family) -> Result<(), Refusal> {
    for (field, accounts) in [
        ("Rule.LinkedAccounts", &unit.linked_accounts),
        ("Rule.BillSourceAccounts", &unit.bill_source_accounts),
    ] {
        if accounts.len() > ACCOUNTS_MAX {
            let message = format!("{} accounts; an invoice unit has at most {ACCOUNTS_MAX}", accounts.len());
            return Err(Refusal { reason: Reason::TooManyAccounts, field, message });
        }
    }
    // The accounts of a bill that is transferred are another organization's.
    if unit.bill_source_accounts.is_empty()
        && let Some(stranger) = unit.linked_accounts.iter().find(|account| !family.has(account))
    {
        return Err(no_member("Rule.LinkedAccounts", stranger));
    }
    if let Some(stranger) = unit.bill_source_accounts.iter().find(|account| !family.has_source(account)) {
        return Err(Refusal {
            reason: Reason::NoMember,
            field: "Rule.BillSourceAccounts",
            message: format!(
                "account {stranger} transfers no bill to this payer; make the billing transfer known first"
            ),
        });
    }
    units.iter().filter(|other| other.id != unit.id).try_for_each(|other| beside(other, unit))
}

/// Whether two units may stand beside each other: no account is in both, and a member of one receives for the other only where it receives for both.
fn beside(other: &InvoiceUnit, unit: &InvoiceUnit) -> Result<(), Refusal> {
    for (field, ours, theirs) in [
        ("Rule.LinkedAccounts", &unit.linked_accounts, &other.linked_accounts),
        ("Rule.BillSourceAccounts", &unit.bill_source_accounts, &other.bill_source_accounts),
    ] {
        if let Some(account) = ours.intersection(theirs).next() {
            let message =
                format!("invoice unit `{}` already has account {account}; remove it there first", other.name);
            return Err(Refusal { reason: Reason::NotExclusive, field, message });
        }
    }
    for (members_of, receives_for) in [(other, unit), (unit, other)] {
        let receiver = &receives_for.receiver;
        if members_of.linked_accounts.contains(receiver) && members_of.receiver != *receiver {
            return Err(Refusal {
                reason: Reason::Receiver,
                field: if receives_for.id == unit.id { "InvoiceReceiver" } else { "Rule.LinkedAccounts" },
                message: format!(
                    "account {receiver} receives the invoices of unit `{}` and is a member of unit `{}`, whose receiver is {}; \
                     a member of a unit receives for another one only where it receives for its own, too",
                    receives_for.name, members_of.name, members_of.receiver
                ),
            });
        }
    }
    Ok(())
}

fn no_member(field: &'static str, account: &AccountId) -> Refusal {
    let message = format!(
        "account {account} is not of the payer's organization; declare it with `proforma accounts import`"
    );
    Refusal { reason: Reason::NoMember, field, message }
}

/// Letters, digits, separators of any script, `-` and `_`; neither the first nor the last is a space.
fn is_name(name: &str) -> bool {
    let is_separator = |c: char| {
        matches!(
            c,
            ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
        )
    };
    let is_taken = |c: char| c.is_alphanumeric() || is_separator(c) || c == '-' || c == '_';
    !name.is_empty() && !name.starts_with(' ') && !name.ends_with(' ') && name.chars().all(is_taken)
}
