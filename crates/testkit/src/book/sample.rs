//! .

/// .
pub struct BookOptions;
