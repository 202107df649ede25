//! Names in a book: each thing of a kind has one of its own, by which others refer to it.

use crate::set_up::id_of;
use std::collections::{BTreeMap, BTreeSet};

/// The name of each thing of a kind, by id.
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Gives names. A name that comes again, or that a book keeps for something else, gets a number, and that is noticed.
    pub fn new(
        kind: &str,
        reserved: &[&str],
        named: &[(&Option<String>, &Option<String>)],
        notices: &mut Vec<String>,
        problems: &mut Vec<String>,
    ) -> Self {
        let mut taken: BTreeSet<String> = reserved.iter().map(|name| (*name).to_owned()).collect();
        let all: BTreeSet<&str> = named.iter().filter_map(|(_, name)| name.as_deref()).collect();
        let mut names = BTreeMap::new();
        for (arn, name) in named {
            let (Some(arn), Some(name)) = (arn, name) else {
                let arn = arn.as_deref().unwrap_or("without an ARN");
                problems.push(format!("a {kind} has no name, or no ARN: {arn}"));
                continue;
            };
            let mut unique = name.clone();
            for number in 2_u32.. {
                // A number must not make the name of another.
                let is_free = unique == *name || !all.contains(unique.as_str());
                if is_free && taken.insert(unique.clone()) {
                    break;
                }
                unique = format!("{name}-{number}");
            }
            if unique != *name {
                notices.push(format!(
                    "{kind} `{name}` ({}) is `{unique}` in the book: the name is taken",
                    id_of(arn)
                ));
            }
            names.insert(id_of(arn).to_owned(), unique);
        }
        Self(names)
    }

    /// The name of what an ARN or id names.
    pub fn of(&self, arn: &str) -> Option<&str> {
        self.0.get(id_of(arn)).map(String::as_str)
    }

    /// The same of what may have no ARN; that is a problem already, so that any text does.
    pub fn known(&self, arn: Option<&String>) -> String {
        arn.and_then(|arn| self.of(arn)).unwrap_or_default().to_owned()
    }
}
