//! What a report can be broken down by, and filtered.

use super::Month;
use crate::failure::Failure;
use billing::book::Book;
use billing::breakdown::{Part, Source};
use billing::charge_class::KeyColumn;
use billing::dimension::Kind;
use billing::period::date_text;
use std::collections::BTreeSet;

/// A key of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Group,
    /// The group right above.
    Parent,
    /// The group at the top.
    Root,
    Service,
    Day,
    Account,
    Region,
    UsageType,
    Operation,
    LineItemType,
    Tag(String),
    CostCategory(String),
}

/// The keys that are one word.
const PLAIN: [(&str, Key); 10] = [
    ("group", Key::Group),
    ("parent", Key::Parent),
    ("root", Key::Root),
    ("service", Key::Service),
    ("day", Key::Day),
    ("account", Key::Account),
    ("region", Key::Region),
    ("usage-type", Key::UsageType),
    ("operation", Key::Operation),
    ("line-item-type", Key::LineItemType),
];

impl Key {
    fn parse(text: &str, book: &Book) -> Result<Self, Failure> {
        if let Some((_, key)) = PLAIN.iter().find(|(name, _)| *name == text) {
            return Ok(key.clone());
        }
        let kept = |kind: &str, setting: &str, name: &str, names: &BTreeSet<String>| {
            if names.contains(name) {
                return Ok(name.to_owned());
            }
            let problem = format!("the run has not kept the {kind} `{name}`");
            let hint = format!(
                "name it in the book, `[reports] {setting} = [\"{name}\"]`, and price the month again"
            );
            Err(Failure::input(problem).hint(hint))
        };
        let dimensions = book.dimensions();
        match text.split_once(':') {
            Some(("tag", name)) => Ok(Self::Tag(kept("tag", "tags", name, &dimensions.tags)?)),
            Some(("cost-category", name)) => {
                let names = &dimensions.cost_categories;
                Ok(Self::CostCategory(kept("cost category", "cost_categories", name, names)?))
            }
            _ => {
                let known: Vec<&str> = PLAIN.iter().map(|(name, _)| *name).collect();
                let known = known.join(", ");
                Err(Failure::input(format!("`{text}` is no key of a report"))
                    .hint(format!("keys are {known}, tag:KEY and cost-category:NAME")))
            }
        }
    }

    /// The name of the key's column.
    pub fn column(&self) -> String {
        match self {
            Self::Group => "billing_group".to_owned(),
            Self::Tag(name) => format!("tag:{name}"),
            Self::CostCategory(name) => format!("cost_category:{name}"),
            plain => {
                let name = PLAIN.iter().find(|(_, key)| key == plain).map_or("", |(name, _)| *name);
                name.replace('-', "_")
            }
        }
    }

    /// A part's value; an empty one is none.
    pub fn value(&self, month: &Month<'_>, part: &Part) -> Option<String> {
        match (self, part.source) {
            (Self::Day, _) => part.date.map(date_text),
            (Self::Group, _) => part.group.map(|group| month.run.book.groups[group].name.clone()),
            (Self::Parent, _) => {
                let parent = part.group.and_then(|group| month.hierarchy.parent(group));
                parent.map(|group| month.run.book.groups[group].name.clone())
            }
            (Self::Root, _) => {
                let root = part.group.map(|group| month.hierarchy.root(group));
                root.map(|group| month.run.book.groups[group].name.clone())
            }
            (Self::LineItemType, Source::Covered(_) | Source::Negation(_)) => {
                month.covered_type(part).map(ToOwned::to_owned)
            }
            (_, Source::Class(_) | Source::Covered(_) | Source::Negation(_)) => {
                month.class_of(part).and_then(|class| self.value_of_class(month, class))
            }
            (Self::Service, Source::Item(statement, item)) => {
                Some(month.statements[statement].items[item].product.clone())
            }
            (Self::Account, Source::Item(statement, item)) => {
                Some(month.statements[statement].items[item].account.clone())
            }
            (Self::LineItemType, Source::Item(statement, item)) => {
                Some(month.statements[statement].items[item].line_item_type.to_owned())
            }
            _ => None,
        }
    }

    fn value_of_class(&self, month: &Month<'_>, class: usize) -> Option<String> {
        let cube = &month.run.cube;
        let class = &cube.classes[class];
        let text = |column| cube.filled(class, column).map(ToOwned::to_owned);
        let dimension = |kind, name: &str| cube.dimension(class, kind, name).map(ToOwned::to_owned);
        match self {
            Self::Service => Some(cube.product(class).to_owned()).filter(|text| !text.is_empty()),
            Self::Account => text(KeyColumn::UsageAccount),
            Self::Region => text(KeyColumn::Region),
            Self::UsageType => text(KeyColumn::UsageType),
            Self::Operation => text(KeyColumn::Operation),
            Self::LineItemType => text(KeyColumn::LineItemType),
            Self::Tag(name) => dimension(Kind::Tag, name),
            Self::CostCategory(name) => dimension(Kind::CostCategory, name),
            Self::Day | Self::Group | Self::Parent | Self::Root => None,
        }
    }
}

/// The keys of `--by`.
pub fn parse_keys(texts: &[String], book: &Book) -> Result<Vec<Key>, Failure> {
    let keys = texts.iter().map(|text| Key::parse(text.trim(), book)).collect::<Result<Vec<_>, _>>()?;
    match keys.iter().enumerate().find(|(number, key)| keys[..*number].contains(key)) {
        Some((number, _)) => {
            Err(Failure::input(format!("--by names `{}` twice", texts[number])).hint("name every key once"))
        }
        None => Ok(keys),
    }
}

/// What a part must, or must not, have.
pub struct Filter {
    pub key: Key,
    values: Vec<String>,
    negated: bool,
}

impl Filter {
    /// Whether a part is let through; no value is the empty one.
    pub fn passes(&self, month: &Month<'_>, part: &Part) -> bool {
        let value = self.key.value(month, part).unwrap_or_default();
        self.values.contains(&value) != self.negated
    }
}

/// The filters of `--filter`.
pub fn parse_filters(texts: &[String], book: &Book) -> Result<Vec<Filter>, Failure> {
    let filter = |text: &String| {
        let (key, values) = text.split_once('=').ok_or_else(|| {
            Failure::input(format!("`{text}` is no filter"))
                .hint("write KEY=VALUE,…, or KEY!=VALUE,… for all but these values")
        })?;
        let negated = key.ends_with('!');
        let key = Key::parse(key.trim_end_matches('!').trim(), book)?;
        Ok(Filter { key, values: values.split(',').map(|value| value.trim().to_owned()).collect(), negated })
    };
    texts.iter().map(filter).collect()
}
