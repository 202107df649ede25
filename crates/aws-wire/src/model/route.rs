//! Which operation a request asks for.

use super::{Operation, Protocol, Segment, Service};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use thiserror::Error;

/// The values of the labels in a path, decoded, by the label's name.
pub type Labels = BTreeMap<String, String>;

/// A request that asks for no operation of the service.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    #[error("`{0}` is not an operation of this service")]
    UnknownOperation(String),

    #[error("label `{0}` of the path is not percent-encoded UTF-8")]
    Label(String),
}

impl Service {
    /// Finds the operation: by method and path, each label one encoded segment; or by `target`, which is the value of `X-Amz-Target` in
    /// aws-json and of the parameter `Action` in the query protocol.
    pub fn route(
        &self,
        method: &str,
        raw_path: &str,
        target: Option<&str>,
    ) -> Result<(&Operation, Labels), RouteError> {
        if self.protocol == Protocol::RestJson {
            return self.route_by_path(method, raw_path);
        }
        let unknown =
            || RouteError::UnknownOperation(target.unwrap_or("a request without target").to_owned());
        let name = match (&self.target_prefix, target) {
            (Some(prefix), Some(target)) => {
                target.strip_prefix(prefix.as_str()).and_then(|rest| rest.strip_prefix('.'))
            }
            (None, target) => target,
            (Some(_), None) => None,
        };
        let method = method == "POST" || method == "GET" && self.protocol == Protocol::Query;
        let operation = name.filter(|_| method && raw_path == "/").and_then(|name| self.operation(name));
        Ok((operation.ok_or_else(unknown)?, Labels::new()))
    }

    fn route_by_path(&self, method: &str, raw_path: &str) -> Result<(&Operation, Labels), RouteError> {
        let unknown = || RouteError::UnknownOperation(format!("{method} {raw_path}"));
        let segments: Vec<_> = raw_path.strip_prefix('/').ok_or_else(unknown)?.split('/').collect();
        let candidates = self.operations().filter(|operation| operation.method == method);
        // Where a literal and a label both match, the literal is meant.
        let found =
            candidates.filter(|operation| matches(&operation.path, &segments)).min_by_key(|operation| {
                operation.path.iter().filter(|it| matches!(it, Segment::Label(_))).count()
            });
        let operation = found.ok_or_else(unknown)?;
        let mut labels = Labels::new();
        for (segment, given) in operation.path.iter().zip(segments) {
            if let Segment::Label(name) = segment {
                let decoded = percent_decode_str(given).decode_utf8();
                let value = decoded.map_err(|_| RouteError::Label(name.clone()))?;
                labels.insert(name.clone(), value.into_owned());
            }
        }
        Ok((operation, labels))
    }
}

fn matches(path: &[Segment], segments: &[&str]) -> bool {
    let fits = |(segment, given): (&Segment, &&str)| match segment {
        Segment::Literal(text) => text == given,
        Segment::Label(_) => !given.is_empty(),
    };
    path.len() == segments.len() && path.iter().zip(segments).all(fits)
}
