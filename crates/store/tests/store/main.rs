//! The store on both engines: every test runs on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that does not get what it asks for has failed")]

mod audit;
mod backup;
mod configuration;
mod cut_off;
mod engines;
mod faults;
mod full_disk;
mod keys;
mod killed_server;
mod opening;
mod outbox;
mod races;
mod runs;
mod sample;
mod scenario;
mod size;
