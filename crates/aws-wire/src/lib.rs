//! aws-wire.
