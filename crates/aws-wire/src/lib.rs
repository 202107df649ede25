//! AWS on the wire: Signature Version 4, strict JSON, routing and validation by a service model, errors, page tokens.
//!
//! Bytes and HTTP only. Knows no billing, opens no socket, reads no clock: time is an argument, keys are arguments.

pub mod errors;
pub mod json;
pub mod model;
pub mod page_token;
pub mod protocol;
pub mod query;
pub mod sigv4;
