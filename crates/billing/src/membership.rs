//! Membership: the billing group of every account of a month, those that joined one by themselves among them, and of the lines below
//! accounts.

mod below;

use crate::account::AccountId;
use crate::billing_group::UsageWindow;
use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube, KeyColumn, TextId, TextMap};
use crate::commitment;
use crate::dimension::{DimensionValue, Kind};
use crate::line_filter;
use crate::period::day_of;
use crate::sharing::Sharing;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

use below::Below;
pub use below::Clash;

/// Which account, and which lines below it, are in which billing group. Groups are numbers in the book.
#[derive(Debug)]
pub struct Membership<'a> {
    cube: &'a Cube,
    book: &'a Book,
    by_text: TextMap<TextId, u32>,
    /// Of groups that have not every day: the days that they have.
    windows: BTreeMap<u32, UsageWindow>,
    /// When the part of the month begins that lines are of, by their dimensions.
    parts: TextMap<TextId, i32>,
    /// The group of each account that the book names, whether or not the cube has lines of it.
    named: BTreeMap<&'a str, usize>,
    below: Below<'a>,
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
        let (windows, parts) = (windows(cube, book), parts(cube));
        let below = Below::new(cube, book);
        Self { cube, book, by_text, windows, parts, named, below, auto_associated }
    }

    /// The group of a class's lines: the one that selects them by tag, cost category or resource, else that of their account; none on days that
    /// this group has not.
    #[must_use]
    pub fn group(&self, class: &ChargeClass) -> Option<u32> {
        let below = self.below.group(self.cube, class);
        let group = below.or_else(|| self.by_text.get(&class.text(KeyColumn::UsageAccount)).copied());
        if self.windows.is_empty() {
            return group;
        }
        let part = self.parts.get(&class.text(KeyColumn::DimensionSet)).copied();
        group.filter(|group| self.windows.get(group).is_none_or(|window| window.has_part(part)))
    }

    /// Lines that two groups select, if there are any: nobody can say whose they are.
    #[must_use]
    pub const fn clash(&self) -> Option<&Clash> {
        self.below.clash()
    }

    /// The filters that no line passes: the group, and the place among its filters.
    #[must_use]
    pub fn filters_in_vain(&self) -> Vec<(u32, usize)> {
        self.below.in_vain().collect()
    }

    /// The group of an account, which may have no line of its own this month. What it has bought is that group's.
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

    /// What commitments cover in a month follows from this: which accounts are families, whatever these are called, which owners'
    /// commitments count, and which lines are of which family. The same for any order of groups, accounts and filters.
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
        let below = self.book.groups.iter().zip(0..).filter(|(group, _)| !group.lines.is_empty());
        let below = below.map(|(group, number)| {
            let family = first.get(&number).copied().unwrap_or("none");
            format!("lines {family} {:?}\n", line_filter::sorted(&group.lines))
        });
        for (group, window) in &self.windows {
            let family = first.get(group).copied().unwrap_or("none");
            hash.update(format!("usage {family} {window:?}\n"));
        }
        // Groups without accounts have no order of their own.
        let mut below: Vec<String> = below.collect();
        below.sort();
        below.into_iter().for_each(|lines| hash.update(lines));
        hash.finalize().into()
    }
}

/// The days of groups that have not every day of the month, where its lines tell days.
fn windows(cube: &Cube, book: &Book) -> BTreeMap<u32, UsageWindow> {
    let told = (0..).zip(&book.groups).filter(|(_, group)| group.days_are_told(&cube.dimensions));
    let windows = told.map(|(number, group)| (number, group.usage.within(cube.period)));
    windows.filter(|(_, window)| !window.is_all()).collect()
}

/// When parts of the month begin, by dimension set.
fn parts(cube: &Cube) -> TextMap<TextId, i32> {
    let part = |(set, values): (&TextId, &Vec<DimensionValue>)| {
        let of = values.iter().find(|of| of.kind == Kind::PartOfMonth)?;
        Some((*set, day_of(&of.value)?))
    };
    cube.dimension_sets.iter().filter_map(part).collect()
}
