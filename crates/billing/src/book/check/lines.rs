//! Lines below the account: whose they are, whoever has the account.

use super::{Check, Entry};
use crate::book::GroupDraft;
use crate::line_filter::{LineFilter, canonical};

impl Check<'_> {
    /// A group's filters, each of which names a tag, a cost category or a resource.
    pub(super) fn lines(&mut self, entry: Entry, group: &GroupDraft) -> Vec<Option<LineFilter>> {
        let filter = |(element, draft)| {
            let place = entry.element("lines", element);
            let filter = self.line_filter(draft, &place)?;
            if !filter.names_dimensions() {
                let message = "names no tag, cost category or resource that lines must have; whole accounts go \
                               into `accounts`";
                return self.mistake(place, message);
            }
            Some(filter)
        };
        group.lines.iter().enumerate().map(filter).collect()
    }

    /// Filters that come twice: every line would be claimed by two groups.
    pub(super) fn lines_once(&mut self, groups: &[Vec<Option<LineFilter>>]) {
        let draft = self.draft;
        let mut known: Vec<(LineFilter, usize, usize)> = Vec::new();
        for (number, filters) in groups.iter().enumerate() {
            for (element, filter) in filters.iter().enumerate() {
                let Some(filter) = filter.as_ref().map(canonical) else { continue };
                match known.iter().find(|(other, ..)| *other == filter) {
                    Some((_, owner, first)) => {
                        let owner = &draft.billing_groups[*owner].name;
                        let message = format!(
                            "billing group `{owner}` already has these lines, in entry {} of its `lines`; remove one",
                            first + 1
                        );
                        let entry = Entry { table: "billing_groups", number };
                        self.mistake::<()>(entry.element("lines", element), message);
                    }
                    None => known.push((filter, number, element)),
                }
            }
        }
    }
}
