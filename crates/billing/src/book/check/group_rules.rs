//! Rules of billing groups: what a book may say by which groups follow an organization.

use super::{Check, Entry};
use crate::account::AccountId;
use crate::book::{GroupDraft, SelectorDraft};
use crate::group_rule::{GroupRule, NamePattern, SELECTORS_MAX, Selector, TagSelector, UnitName};
use std::collections::BTreeSet;

/// What is wrong with a rule: the field, the number of its element, and why.
type Wrong = (&'static str, usize, String);

impl GroupDraft {
    /// The rule that it says, or everything that is wrong with it.
    ///
    /// # Errors
    /// Field, element and message of every mistake.
    pub fn rule(&self) -> Result<Option<GroupRule>, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let mut selectors = Vec::new();
        for (element, draft) in self.rule.iter().enumerate() {
            match selector(draft) {
                Ok(selector) => selectors.push(selector),
                Err(message) => wrong.push(("rule", element, message)),
            }
        }
        let mut except = BTreeSet::new();
        for (element, text) in self.rule_except.iter().enumerate() {
            match AccountId::parse(text) {
                Some(account) => except.extend([account]),
                None => wrong.push(("rule_except", element, format!("`{text}` is no account id"))),
            }
        }
        for (element, account) in self.rule_accounts.iter().enumerate() {
            if !self.accounts.contains(account) {
                let message = format!("account `{account}` is not among `accounts`; list it there, too");
                wrong.push(("rule_accounts", element, message));
            } else if *account == self.primary_account_id {
                let message = format!(
                    "`{account}` is the primary account, which stays in its group whatever rules say"
                );
                wrong.push(("rule_accounts", element, message));
            }
        }
        let without_rule = [("rule_except", &self.rule_except), ("rule_accounts", &self.rule_accounts)];
        if self.rule.is_empty() {
            for (field, _) in without_rule.iter().filter(|(_, values)| !values.is_empty()) {
                wrong.push((
                    field,
                    0,
                    "the billing group has no `rule`; add one, or leave this out".to_owned(),
                ));
            }
        }
        match (wrong.is_empty(), selectors.is_empty()) {
            (false, _) => Err(wrong),
            (true, true) => Ok(None),
            (true, false) => Ok(Some(GroupRule { selectors, except })),
        }
    }
}

fn selector(draft: &SelectorDraft) -> Result<Selector, String> {
    let unit = draft.organizational_unit.as_ref().map(|text| {
        UnitName::parse(text).ok_or_else(|| {
            format!("`{text}` has an empty part; write a path as Root/Customers/Harbor, or an id as ou-…")
        })
    });
    let name = draft.name_pattern.as_ref().map(|text| {
        NamePattern::parse(text)
            .ok_or_else(|| "an empty pattern fits no name; leave it out, or write `*` for any".to_owned())
    });
    if draft.tag_key.is_none() && !draft.tag_values.is_empty() {
        return Err("values of a tag need its key: give `tag_key`".to_owned());
    }
    let values = draft.tag_values.iter().cloned().collect();
    let tag = draft.tag_key.clone().map(|key| TagSelector { key, values });
    let selector = Selector { unit: unit.transpose()?, tag, name: name.transpose()? };
    match selector.is_empty() {
        true => Err("give `organizational_unit`, `tag_key` or `name_pattern`, or several of them".to_owned()),
        false => Ok(selector),
    }
}

impl SelectorDraft {
    /// A selector as a book has it.
    #[must_use]
    pub fn of(selector: &Selector) -> Self {
        let tag = selector.tag.as_ref();
        Self {
            organizational_unit: selector.unit.as_ref().map(ToString::to_string),
            tag_key: tag.map(|tag| tag.key.clone()),
            tag_values: tag.map(|tag| tag.values.iter().cloned().collect()).unwrap_or_default(),
            name_pattern: selector.name.as_ref().map(|name| name.as_str().to_owned()),
        }
    }
}

impl Check<'_> {
    /// Tells what is wrong with a group's rule. Nothing is priced by it, so that a book has no more of it.
    pub(super) fn group_rule(&mut self, entry: Entry, group: &GroupDraft) {
        if group.responsibility_transfer.is_some() && !group.rule.is_empty() {
            let message = format!(
                "billing group `{}` has its accounts from a billing transfer: it takes no rule",
                group.name
            );
            self.mistake::<()>(entry.field("rule"), message);
        }
        for (field, element, message) in group.rule().err().unwrap_or_default() {
            self.mistake::<()>(entry.element(field, element), message);
        }
        if group.rule.len() > SELECTORS_MAX {
            let message = format!("a rule has at most {SELECTORS_MAX} conditions, not {}", group.rule.len());
            self.mistake::<()>(entry.field("rule"), message);
        }
    }
}
