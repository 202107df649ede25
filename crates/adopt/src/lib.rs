//! What the programs share that read at AWS: the connection, and what its errors mean. They alone carry AWS's SDK.

/// Says a line on standard error; nobody listening is no reason to fail.
#[macro_export]
macro_rules! say {
    ($($arguments:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($arguments)*);
    }};
}

pub mod connection;
pub mod failure;
