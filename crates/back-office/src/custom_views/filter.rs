//! The filter of a view as AWS's API has it: JSON, with instants in seconds since 1970-01-01T00:00:00Z.

use billing::billing_view::{FilterLines, ViewFilter};
use serde_json::{Map, Value, json};

/// The one dimension that views are narrowed by.
const LINKED_ACCOUNT: &str = "LINKED_ACCOUNT";

/// A filter as JSON.
pub(super) fn to_json(filter: &ViewFilter) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    match &filter.lines {
        Some(FilterLines::Accounts(values)) => {
            put("dimensions", json!({"key": LINKED_ACCOUNT, "values": values}))
        }
        Some(FilterLines::Tag(key, values)) => put("tags", json!({"key": key, "values": values})),
        Some(FilterLines::CostCategory(key, values)) => {
            put("costCategories", json!({"key": key, "values": values}))
        }
        None => None,
    };
    let mut range = Map::new();
    for (name, instant) in [("beginDateInclusive", filter.begin_s), ("endDateInclusive", filter.end_s)] {
        if let Some(instant) = instant {
            range.insert(name.to_owned(), instant.into());
        }
    }
    if !range.is_empty() {
        members.insert("timeRange".to_owned(), range.into());
    }
    members.into()
}

/// A filter that was kept.
pub(super) fn of_text(text: &str) -> Result<ViewFilter, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("a filter that is no JSON: {error}"))?;
    let of = |name: &str| -> Option<(String, Vec<String>)> {
        let member = value.get(name)?;
        let values = member.get("values")?.as_array()?.iter();
        let values = values.map(|value| value.as_str().map(str::to_owned)).collect::<Option<_>>()?;
        Some((member.get("key")?.as_str()?.to_owned(), values))
    };
    let lines = of("dimensions").map(|(_, values)| FilterLines::Accounts(values));
    let lines = lines.or_else(|| of("tags").map(|(key, values)| FilterLines::Tag(key, values)));
    let lines =
        lines.or_else(|| of("costCategories").map(|(key, values)| FilterLines::CostCategory(key, values)));
    let instant = |name: &str| value.get("timeRange")?.get(name)?.as_i64();
    let filter =
        ViewFilter { lines, begin_s: instant("beginDateInclusive"), end_s: instant("endDateInclusive") };
    match to_json(&filter) == value {
        true => Ok(filter),
        false => Err("a filter that says more than is known".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    //! A filter is read as it was written.

    use super::*;

    #[test]
    fn a_filter_comes_back() {
        let values = || vec!["a".to_owned(), "b".to_owned()];
        for lines in [
            None,
            Some(FilterLines::Accounts(values())),
            Some(FilterLines::Tag("team".to_owned(), values())),
            Some(FilterLines::CostCategory("unit".to_owned(), values())),
        ] {
            for (begin_s, end_s) in [(None, None), (Some(1), None), (Some(1), Some(2))] {
                let filter = ViewFilter { lines: lines.clone(), begin_s, end_s };
                assert_eq!(of_text(&to_json(&filter).to_string()), Ok(filter));
            }
        }
        assert!(of_text("{").is_err() && of_text(r#"{"or":[]}"#).is_err());
    }
}
