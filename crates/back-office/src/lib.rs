//! back-office.
