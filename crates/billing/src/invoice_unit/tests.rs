//! Which units may stand beside each other.

use super::*;

struct Anybody;

impl Family for Anybody {
    fn has(&self, account: &AccountId) -> bool {
        account.as_str() != "999999999999"
    }

    fn has_source(&self, account: &AccountId) -> bool {
        self.has(account)
    }
}

fn account(number: u64) -> AccountId {
    AccountId::parse(&format!("{number:012}")).unwrap()
}

fn unit(id: &str, receiver: u64, linked: &[u64]) -> InvoiceUnit {
    InvoiceUnit {
        id: id.to_owned(),
        name: format!("unit {id}"),
        receiver: account(receiver),
        description: None,
        is_tax_inheritance_disabled: false,
        linked_accounts: linked.iter().copied().map(account).collect(),
        bill_source_accounts: BTreeSet::new(),
    }
}

/// The reason for which a new unit is refused beside others.
fn refused(units: &[InvoiceUnit], new: &InvoiceUnit) -> Option<(Reason, &'static str)> {
    check_new(units, new, &Anybody).err().map(|refusal| (refusal.reason, refusal.field))
}

#[test]
fn an_account_is_in_one_unit() {
    let units = [unit("a", 1, &[2, 3])];
    assert_eq!(refused(&units, &unit("b", 1, &[4])), None);
    assert_eq!(refused(&units, &unit("b", 1, &[4, 3])), Some((Reason::NotExclusive, "Rule.LinkedAccounts")));
    let sourced = |id: &str| InvoiceUnit { bill_source_accounts: [account(7)].into(), ..unit(id, 1, &[]) };
    assert_eq!(
        refused(&[sourced("a")], &sourced("b")),
        Some((Reason::NotExclusive, "Rule.BillSourceAccounts"))
    );
    assert!(check_rule(&units, &unit("a", 1, &[3, 4]), &Anybody).is_ok(), "a unit is not beside itself");
}

#[test]
fn a_receiver_serves_several_units_but_a_member_only_with_its_own() {
    let of_itself = [unit("a", 2, &[2, 3])];
    assert_eq!(refused(&of_itself, &unit("b", 2, &[4])), None, "it receives for its own unit, too");
    let of_another = [unit("a", 1, &[2, 3])];
    assert_eq!(refused(&of_another, &unit("b", 2, &[4])), Some((Reason::Receiver, "InvoiceReceiver")));
    // The other way round: the receiver of a unit that is there becomes a member of the new one.
    assert_eq!(
        refused(&[unit("a", 5, &[2])], &unit("b", 1, &[5])),
        Some((Reason::Receiver, "Rule.LinkedAccounts"))
    );
    assert_eq!(refused(&[unit("a", 5, &[2])], &unit("b", 5, &[5])), None);
}

#[test]
fn names_are_unique_and_of_letters() {
    let named = |name: &str| InvoiceUnit { name: name.to_owned(), ..unit("b", 1, &[]) };
    for name in ["R&D", "a.b", " a", "a ", "a\nb", ""] {
        assert_eq!(refused(&[], &named(name)), Some((Reason::Name, "Name")), "{name:?}");
    }
    for name in ["Forschung Süd", "研究_開発-2", "a\u{3000}b"] {
        assert_eq!(refused(&[], &named(name)), None, "{name:?}");
    }
    assert_eq!(refused(&[unit("a", 1, &[])], &named("unit a")), Some((Reason::DuplicateName, "Name")));
}

#[test]
fn numbers_have_limits_and_accounts_a_family() {
    let full: Vec<_> = (0..UNITS_MAX).map(|number| unit(&number.to_string(), 1, &[])).collect();
    assert_eq!(refused(&full, &unit("new", 1, &[])), Some((Reason::TooManyUnits, "")));
    assert_eq!(refused(&full[1..], &unit("new", 1, &[])), None);
    let many: Vec<u64> = (1..=1_001).collect();
    assert_eq!(refused(&[], &unit("a", 1, &many)), Some((Reason::TooManyAccounts, "Rule.LinkedAccounts")));
    assert_eq!(refused(&[], &unit("a", 1, &many[1..])), None);
    let stranger = 999_999_999_999;
    assert_eq!(refused(&[], &unit("a", stranger, &[])), Some((Reason::NoMember, "InvoiceReceiver")));
    assert_eq!(refused(&[], &unit("a", 1, &[stranger])), Some((Reason::NoMember, "Rule.LinkedAccounts")));
    let of_transfer = InvoiceUnit { bill_source_accounts: [account(7)].into(), ..unit("a", 1, &[stranger]) };
    assert_eq!(refused(&[], &of_transfer), None, "its accounts are another organization's");
}
