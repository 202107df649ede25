//! From the wire's expressions and groups to those of `query`.

use super::invalid;
use super::shapes::{self, GroupDefinition, Values};
use back_office::error::Answer;
use query::dimension::{Dimension, Key};
use query::expression::{Condition, Expression, Matching};
use query::facts::Metric;

/// How deep expressions may stand in each other.
const DEPTH_MAX: usize = 32;
/// How many keys a question may be grouped by.
const GROUPS_MAX: usize = 2;

/// How a dimension is found by its name and the member that names it.
type Find = fn(&str, &str) -> Answer<Dimension>;

/// An expression with one root.
pub(crate) fn expression(given: &shapes::Expression) -> Answer<Expression> {
    within(given, 0, dimension)
}

/// The same about lines, which have a resource.
pub(super) fn expression_of_lines(given: &shapes::Expression) -> Answer<Expression> {
    within(given, 0, dimension_of_lines)
}

fn within(given: &shapes::Expression, depth: usize, find: Find) -> Answer<Expression> {
    if depth > DEPTH_MAX {
        return Err(invalid(format!(
            "Filter: expressions stand in each other more than {DEPTH_MAX} deep; write it flatter"
        )));
    }
    if given.product_attributes.is_some() {
        return Err(invalid(
            "Filter: product attributes are not in charge classes; filter by SERVICE, USAGE_TYPE or OPERATION",
        ));
    }
    let roots = [
        given.or.is_some(),
        given.and.is_some(),
        given.not.is_some(),
        given.dimensions.is_some(),
        given.tags.is_some(),
        given.cost_categories.is_some(),
    ];
    match roots.into_iter().filter(|is_there| *is_there).count() {
        0 => {
            return Err(invalid(
                "Filter: an expression is empty; give it one of And, Or, Not, Dimensions, Tags, CostCategories",
            ));
        }
        1 => {}
        _ => {
            return Err(invalid(
                "Expression has more than one roots. Only one root operator is allowed for each expression: And, Or, Not, Dimensions, Tags, \
                 CostCategories",
            ));
        }
    }
    let parts = |name: &str, parts: &[shapes::Expression]| {
        if parts.is_empty() {
            return Err(invalid(format!("Filter: {name} has no expressions; give it two or more")));
        }
        parts.iter().map(|part| within(part, depth + 1, find)).collect::<Answer<Vec<_>>>()
    };
    if let Some(or) = &given.or {
        return Ok(Expression::Or(parts("Or", or)?));
    }
    if let Some(and) = &given.and {
        return Ok(Expression::And(parts("And", and)?));
    }
    if let Some(not) = &given.not {
        return Ok(Expression::Not(Box::new(within(not, depth + 1, find)?)));
    }
    let of = |values: &Values, kind| condition(values, kind, find).map(Expression::Is);
    match (&given.dimensions, &given.tags, &given.cost_categories) {
        (Some(values), ..) => of(values, "DIMENSION"),
        (_, Some(values), _) => of(values, "TAG"),
        (.., Some(values)) => of(values, "COST_CATEGORY"),
        (None, None, None) => Err(invalid("Filter: an expression is empty")),
    }
}

fn condition(given: &Values, kind: &str, find: Find) -> Answer<Condition> {
    let name = given.key.as_deref().unwrap_or_default();
    let key = key(kind, name, "Filter", find)?;
    let has = |option: &str| given.match_options.iter().any(|of| of == option);
    let is_of_dimension = matches!(key, Key::Dimension(_));
    let allowed: &[&str] =
        if is_of_dimension { &["EQUALS", "CASE_SENSITIVE"] } else { &["EQUALS", "ABSENT", "CASE_SENSITIVE"] };
    if let Some(other) = given.match_options.iter().find(|option| !allowed.contains(&option.as_str())) {
        let message =
            format!("Filter: MatchOptions of {key} has `{other}`; give {} here", allowed.join(" or "));
        return Err(invalid(message));
    }
    let matching = match (has("ABSENT"), has("EQUALS"), given.values.is_empty()) {
        (true, true, _) => {
            return Err(invalid(format!(
                "Filter: MatchOptions of {key} has EQUALS and ABSENT; give one of them"
            )));
        }
        (true, false, false) => {
            return Err(invalid(format!(
                "Filter: {key} has Values with MatchOptions ABSENT; leave Values out"
            )));
        }
        (true, false, true) => Matching::Absent,
        (false, _, true) => return Err(invalid(format!("Filter: {key} has no Values; give one or more"))),
        (false, _, false) => Matching::Equals,
    };
    Ok(Condition { key, values: given.values.clone(), matching, is_case_sensitive: true })
}

/// The key of a type, by its name.
fn key(kind: &str, name: &str, member: &str, find: Find) -> Answer<Key> {
    if name.is_empty() {
        return Err(invalid(format!("{member}: a {kind} has no Key; name one")));
    }
    match kind {
        "TAG" => Ok(Key::Tag(name.to_owned())),
        "COST_CATEGORY" => Ok(Key::CostCategory(name.to_owned())),
        "PRODUCT_ATTRIBUTE" => Err(invalid(format!(
            "{member}: product attributes are not in charge classes; use SERVICE, USAGE_TYPE or OPERATION"
        ))),
        _ => find(name, member).map(Key::Dimension),
    }
}

/// A dimension by its name.
pub(super) fn dimension(name: &str, member: &str) -> Answer<Dimension> {
    let of_classes = |dimension: &Dimension| !dimension.is_of_lines();
    Dimension::parse(name).filter(of_classes).ok_or_else(|| {
        let known: Vec<&str> = Dimension::ALL.into_iter().filter(of_classes).map(Dimension::name).collect();
        let known = known.join(", ");
        let of_lines = Dimension::parse(name).is_some();
        if of_lines {
            return invalid(format!(
                "{member}: `{name}` is told by lines alone; ask GetCostAndUsageWithResources for it"
            ));
        }
        invalid(format!("{member}: the cost data cannot tell the dimension `{name}`; it tells {known}"))
    })
}

/// The same of lines, which have a resource.
fn dimension_of_lines(name: &str, member: &str) -> Answer<Dimension> {
    match Dimension::parse(name).filter(|dimension| dimension.is_of_lines()) {
        Some(of_lines) => Ok(of_lines),
        None => dimension(name, member),
    }
}

/// The keys that a question is grouped by.
pub(crate) fn group_by(given: &[GroupDefinition]) -> Answer<Vec<Key>> {
    keys(given, dimension)
}

/// The same about lines, which have a resource.
pub(super) fn group_by_of_lines(given: &[GroupDefinition]) -> Answer<Vec<Key>> {
    keys(given, dimension_of_lines)
}

fn keys(given: &[GroupDefinition], find: Find) -> Answer<Vec<Key>> {
    if given.len() > GROUPS_MAX {
        return Err(invalid(format!(
            "GroupBy: {} groups are too many; give at most {GROUPS_MAX}",
            given.len()
        )));
    }
    let mut keys = Vec::with_capacity(given.len());
    for of in given {
        let key = key(&of.r#type, &of.key, "GroupBy", find)?;
        if let Key::Dimension(dimension) = &key
            && !dimension.is_for_groups()
            && *dimension != Dimension::Region
        {
            return Err(invalid(format!(
                "GroupBy: `{}` is for filters; group by another dimension",
                dimension.name()
            )));
        }
        if keys.contains(&key) {
            return Err(invalid(format!("GroupBy: {key} stands there twice; name every key once")));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Metrics by their names, as `UnblendedCost` or `UNBLENDED_COST`.
pub(crate) fn metrics(given: &[String]) -> Answer<Vec<Metric>> {
    if given.is_empty() {
        return Err(invalid(format!("Metrics: none is named; give one or more of {}", names())));
    }
    let mut metrics = Vec::with_capacity(given.len());
    for name in given {
        let metric = metric(name)
            .ok_or_else(|| invalid(format!("Metrics: `{name}` is not one; metrics are {}", names())))?;
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    Ok(metrics)
}

/// A metric by its name.
pub(crate) fn metric(name: &str) -> Option<Metric> {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    Metric::ALL.into_iter().find_map(|(metric, of)| (plain(of) == plain(name)).then_some(metric))
}

fn names() -> String {
    Metric::ALL.map(|(_, name)| name).join(", ")
}

#[cfg(test)]
mod tests {
    //! What is refused of expressions.

    use super::*;
    use back_office::error::Error;

    fn read(text: &str) -> Result<Expression, String> {
        expression(&serde_json::from_str(text).unwrap()).map_err(|error| match error {
            Error::CostExplorer(refusal) => refusal.to_string(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn an_expression_has_one_root() {
        let service = r#"{"Dimensions": {"Key": "SERVICE", "Values": ["a"]}}"#;
        assert!(read(service).is_ok());
        assert!(read(&format!(r#"{{"Not": {service}}}"#)).is_ok());
        assert!(
            read(&format!(
                r#"{{"And": [{service}, {{"Tags": {{"Key": "t", "MatchOptions": ["ABSENT"]}}}}]}}"#
            ))
            .is_ok()
        );
        let two =
            r#"{"Dimensions": {"Key": "SERVICE", "Values": ["a"]}, "Tags": {"Key": "t", "Values": ["a"]}}"#;
        assert!(read(two).unwrap_err().starts_with("Expression has more than one roots."));
        for (text, says) in [
            ("{}", "an expression is empty"),
            (r#"{"And": []}"#, "And has no expressions"),
            (r#"{"Dimensions": {"Key": "USAGE_TYPE_GROUP", "Values": ["a"]}}"#, "cannot tell the dimension"),
            (r#"{"Dimensions": {"Key": "SERVICE"}}"#, "has no Values"),
            (
                r#"{"Dimensions": {"Key": "SERVICE", "Values": ["a"], "MatchOptions": ["ABSENT"]}}"#,
                "MatchOptions",
            ),
            (r#"{"Tags": {"Key": "t", "Values": ["a"], "MatchOptions": ["ABSENT"]}}"#, "leave Values out"),
        ] {
            assert!(read(text).unwrap_err().contains(says), "{text}");
        }
    }

    #[test]
    fn metrics_have_two_spellings() {
        assert_eq!(metric("UNBLENDED_COST"), Some(Metric::UnblendedCost));
        assert_eq!(metric("NetAmortizedCost"), Some(Metric::NetAmortizedCost));
        assert_eq!(metric("Cost"), None);
    }
}
