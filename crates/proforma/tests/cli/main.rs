//! Tests through the door that a user uses: the `proforma` program.

mod exported;
mod reports;
mod small_files;
mod support;

mod bad_columns;
mod bad_cost_files;
mod bad_deliveries;
mod bad_parquet;
mod bad_values;
mod books;
mod breakdowns;
mod differences;
mod explanations;
mod exports;
mod focus;
mod forms;
mod laws;
mod outputs;
mod previews;
mod publishing;
mod run_folders;
mod vectors;
