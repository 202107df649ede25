//! The billing desk of the program: the server, and the commands that are done through it or at its data directory.
//!
//! A command builds the input of an operation and asks a [`door`] for its answer; whether behind it is the data directory or a server makes no
//! difference to what is allowed, checked and written down.

mod command;
mod data;
mod door;
mod instant;
mod issuing;
mod keeping;
mod output;
mod secret_file;
mod serve;
mod settings;
mod tls;

pub use command::{accounts, adopt, book, close, import, init, keys, periods, runs};
pub use issuing::own_invoices;
pub use keeping::{backup, migrate, restore, verify};
pub use serve::serve;
