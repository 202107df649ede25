//! aws-api.
