//! The store on both engines: every test runs on SQLite and on PostgreSQL.

mod audit;
mod backup;
mod configuration;
mod engines;
mod keys;
mod opening;
mod races;
mod runs;
mod sample;
mod size;
