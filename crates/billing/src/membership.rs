//! Membership: the billing group of every account of a month, those that joined one by themselves among them.

use crate::account::AccountId;
use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, TextId, TextMap};
use crate::commitment;
use crate::sharing::Sharing;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Which account is in which billing group. Groups are numbers in the book.
#[derive(Debug)]
pub struct Membership<'a> {
    cube: &'a Cube,
    book: &'a Book,
    by_text: TextMap<TextId, u32>,
    /// The group of each account that the book names, whether or not the cube has lines of it.
    named: BTreeMap<&'a str, usize>,
    /// Accounts that joined the group with `auto_associate`.
    pub auto_associated: Vec<String>,
}

impl<'a> Membership<'a> {
    /// The membership of a month.
    #[must_use]
    pub fn new(cube: &'a Cube, book: &'a Book) -> Self {
        let named = book.group_by_account(cube.period);
        // AWS associates no accounts of a billing transfer by itself.
        let transferred = book.transferred_accounts(cube.period);
        let automatic = book.auto_associating_group().and_then(|group| u32::try_from(group).ok());
        let mut by_text = TextMap::default();
        let mut auto_associated = Vec::new();
        for (account, id) in cube.accounts() {
            let by_name = named.get(account).and_then(|group| u32::try_from(*group).ok());
            let joins =
                by_name.is_none() && account != book.payer.as_str() && AccountId::parse(account).is_some();
            let joins = joins && !transferred.contains(account);
            if let Some(group) = by_name.or(automatic.filter(|_| joins)) {
                by_text.insert(id, group);
                if by_name.is_none() {
                    auto_associated.push(account.to_owned());
                }
            }
        }
        Self { cube, book, by_text, named, auto_associated }
    }

    /// The group of a class's account.
    #[must_use]
    pub fn group(&self, class: &ChargeClass) -> Option<u32> {
        self.by_text.get(&class.text(KeyColumn::UsageAccount)).copied()
    }

    /// The group of an account, which may have no line of its own this month.
    #[must_use]
    pub fn group_of_account(&self, account: &str) -> Option<u32> {
        let by_lines = self.cube.texts.find(account).and_then(|account| self.by_text.get(&account).copied());
        by_lines.or_else(|| self.named.get(account).and_then(|group| u32::try_from(*group).ok()))
    }

    /// The group that has the benefit of what an account has bought; none where the payer keeps it, or shares it in another way, and none
    /// where the group shows what the level above is invoiced: its commitments cover what they cover in the real bill.
    #[must_use]
    pub fn group_of_owner(&self, owner: &str) -> Option<u32> {
        let keeps = matches!(self.book.sharing, Sharing::Keep | Sharing::ProRata);
        if keeps && owner == self.book.payer.as_str() {
            return None;
        }
        self.group_of_account(owner).filter(|group| !self.book.passes_through(*group))
    }

    /// Whether the commitment that covers or charges a class is of the class's own group.
    #[must_use]
    pub fn owns(&self, class: &ChargeClass, group: u32) -> bool {
        self.group_of_owner(commitment::owner(self.cube, class)) == Some(group)
    }

    /// What commitments cover in a month follows from this: which accounts are families, whatever these are called, and which owners'
    /// commitments count. The same for any order of groups and accounts.
    #[must_use]
    pub fn families(&self) -> [u8; 32] {
        let mut accounts: BTreeMap<&str, u32> = BTreeMap::new();
        let of_month = self.cube.accounts().into_keys();
        for account in of_month.chain(self.named.keys().copied()) {
            accounts.extend(self.group_of_account(account).map(|group| (account, group)));
        }
        // A family is known by the first of its accounts.
        let mut first: BTreeMap<u32, &str> = BTreeMap::new();
        let mut hash = Sha256::new();
        for (account, group) in accounts {
            let family = *first.entry(group).or_insert(account);
            let counts = self.group_of_owner(account).is_some();
            hash.update(format!("{account} {family} {counts}\n"));
        }
        hash.finalize().into()
    }
}
