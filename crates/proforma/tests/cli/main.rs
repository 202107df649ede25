//! Tests through the door that a user uses: the `proforma` program.

mod coverage;
mod exported;
mod reports;
mod sharing;
mod small_files;
mod support;
mod tiers;

mod bad_columns;
mod bad_cost_files;
mod bad_deliveries;
mod bad_parquet;
mod bad_values;
mod below_account;
mod books;
mod breakdowns;
mod covered_lines;
mod differences;
mod engine;
mod explanations;
mod exports;
mod focus;
mod forms;
mod hierarchy;
mod laws;
mod outputs;
mod policies;
mod previews;
mod price_lists;
mod publishing;
mod resale;
mod run_folders;
mod vectors;
