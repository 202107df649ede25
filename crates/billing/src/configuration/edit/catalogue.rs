//! What operations on rules, plans, items and tags share: ranges of periods, names by ARN, unique names, counts, tags.

use crate::configuration::{
    Configuration, ConflictReason, Edit, Refusal, Resource, ResourceName, ResourceType, Span, Table,
    ValidationReason,
};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;
use std::fmt;

/// How many tags a resource may have.
const TAGS_MAX: usize = 200;

/// The billing periods `[start, end)`; without an end they go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodRange {
    /// The first period.
    pub start: BillingPeriod,
    /// The first period no more.
    pub end: Option<BillingPeriod>,
}

impl fmt::Display for PeriodRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(end) => write!(f, "{} to before {end}", self.start),
            None => write!(f, "{} and later", self.start),
        }
    }
}

impl PeriodRange {
    /// The periods that two ranges have in common.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let start = self.start.max(other.start);
        let end = match (self.end, other.end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        end.is_none_or(|end| start < end).then_some(Self { start, end })
    }

    /// Whether a span has some period of the range.
    #[must_use]
    pub fn meets<T>(self, span: &Span<T>) -> bool {
        self.and(Self::of(span)).is_some()
    }

    /// The periods of a span.
    #[must_use]
    pub const fn of<T>(span: &Span<T>) -> Self {
        Self { start: span.from, end: span.to }
    }

    /// Whether something that holds from the start until `until` holds in the whole range.
    pub(super) fn lasts(self, until: Option<Option<BillingPeriod>>) -> bool {
        match (until, self.end) {
            (None, _) | (Some(Some(_)), None) => false,
            (Some(None), _) => true,
            (Some(Some(until)), Some(end)) => end <= until,
        }
    }
}

/// How many of some spans hold in one period of a range, at most.
pub(super) fn most_at_once<'s, T: 's>(range: PeriodRange, spans: impl Iterator<Item = &'s Span<T>>) -> usize {
    let mut changes: BTreeMap<BillingPeriod, (usize, usize)> = BTreeMap::new();
    for span in spans.filter(|span| range.meets(span)) {
        changes.entry(span.from.max(range.start)).or_default().0 += 1;
        if let Some(to) = span.to {
            changes.entry(to).or_default().1 += 1;
        }
    }
    let (mut now, mut most) = (0, 0);
    for (begun, ended) in changes.into_values() {
        now = now + begun - ended;
        most = most.max(now);
    }
    most
}

/// The spans of all resources of a kind.
pub(super) fn all_spans<I: Ord + Clone, S: Clone + PartialEq>(
    table: &Table<I, S>,
) -> impl Iterator<Item = &Span<S>> {
    table.iter().flat_map(|(_, resource)| resource.versions.spans())
}

/// The resource, other than `but`, of which something is so in some period of a range.
pub(super) fn first_with<'t, I: Ord + Clone, S: Clone + PartialEq>(
    table: &'t Table<I, S>,
    range: PeriodRange,
    but: Option<&I>,
    is_so: impl Fn(&S) -> bool,
) -> Option<&'t I> {
    let found = |(id, resource): &(&I, &Resource<S>)| {
        Some(*id) != but
            && resource.versions.spans().iter().any(|span| is_so(&span.value) && range.meets(span))
    };
    table.iter().find(found).map(|(id, _)| id)
}

/// The id that an ARN or a bare id names, whatever is there by that id.
pub(in crate::configuration) fn own_id(
    configuration: &Configuration,
    kind: ResourceType,
    text: &str,
) -> Result<String, Refusal> {
    let Some(ResourceName { owner, id }) = ResourceName::parse(text) else {
        let message = format!("`{text}` is not the ARN of a {}", kind.words());
        return Err(Refusal::invalid(ValidationReason::InvalidArn, message));
    };
    match owner {
        Some((_, of)) if of != kind => {
            let message = format!("`{text}` is the ARN of a {}, not of a {}", of.words(), kind.words());
            Err(Refusal::invalid(ValidationReason::InvalidArn, message))
        }
        Some((account, _)) if account != configuration.payer.as_str() => {
            let message = format!(
                "`{text}` belongs to account `{account}`; name a {} of `{}`",
                kind.name(),
                configuration.payer
            );
            Err(Refusal::invalid(mismatched(kind), message))
        }
        _ => Ok(id),
    }
}

/// The reason for an ARN of another payer.
const fn mismatched(kind: ResourceType) -> ValidationReason {
    match kind {
        ResourceType::BillingGroup => ValidationReason::MismatchedBillinggroupArn,
        ResourceType::PricingPlan => ValidationReason::MismatchedPricingplanArn,
        ResourceType::PricingRule => ValidationReason::MismatchedPricingruleArn,
        ResourceType::CustomLineItem => ValidationReason::MismatchedCustomlineitemArn,
    }
}

/// The refusal for a name that another resource has.
pub(super) fn name_taken(
    configuration: &Configuration,
    (kind, id): (ResourceType, &str),
    name: &str,
) -> Refusal {
    let message = format!("a {} is already named `{name}`; choose another name", kind.words());
    Refusal::conflict(ConflictReason::ResourceNameConflict, &configuration.payer, (kind, id), message)
}

/// The refusal for a resource that is not there.
pub(super) fn not_found(kind: ResourceType, text: &str) -> Refusal {
    Refusal::NotFound { kind, id: text.to_owned() }
}

/// A member of the input that is not valid; the model of the API has no better reason for it.
pub(super) fn field_failed(field: &str, message: impl Into<String>) -> Refusal {
    let message = message.into();
    let fields = vec![(field.to_owned(), message.clone())];
    Refusal::Validation { reason: ValidationReason::FieldValidationFailed, message, fields }
}

/// Whether a resource that has `before` may be given tags.
///
/// # Errors
/// [`ValidationReason::FieldValidationFailed`] for keys that AWS reserves, and for more than 200 tags.
pub(super) fn check_tags(
    before: &BTreeMap<String, String>,
    tags: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    let reserved = |key: &&String| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if let Some(key) = tags.keys().find(reserved) {
        let message = format!("tag key `{key}` begins with `aws:`, which AWS reserves; choose another key");
        return Err(field_failed("Tags", message));
    }
    let count = before.len() + tags.keys().filter(|key| !before.contains_key(*key)).count();
    if count > TAGS_MAX {
        return Err(field_failed("Tags", format!("a resource has at most {TAGS_MAX} tags, not {count}")));
    }
    Ok(())
}

impl Edit<'_> {
    /// From the period of the write on.
    pub(super) const fn here_on(&self) -> PeriodRange {
        PeriodRange { start: self.moment.period, end: None }
    }

    /// A resource that begins now, and the id that nothing else has.
    pub(super) fn made<I: Ord + Clone, S: Clone + PartialEq>(
        &mut self,
        parse: impl Fn(&str) -> Option<I>,
        table: impl Fn(&Configuration) -> &Table<I, S>,
        tags: BTreeMap<String, String>,
    ) -> (I, Resource<S>) {
        let id = loop {
            match parse(&(self.fresh)()) {
                Some(id) if table(&self.next).get(&id).is_none() => break id,
                _ => {}
            }
        };
        let now = self.moment.now;
        let number = self.next_number();
        let versions = crate::configuration::Timeline::default();
        (id, Resource { number, created_at: now, modified_at: now, versions, tags })
    }
}
