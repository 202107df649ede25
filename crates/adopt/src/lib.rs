//! What the programs share that read at AWS: the connection, and what its errors mean. They alone carry AWS's SDK.

pub mod connection;
pub mod failure;
