//! Mutated input for everything that reads bytes of strangers, for a bounded time.
//!
//! `PROFORMA_FUZZ_SECONDS` is the time of each target, 3 without it. A run prints its seed; `PROFORMA_SEED` repeats it: the same cases
//! in the same order, as far as the time reaches. What a target holds to is more than "no panic": its module says what.

mod campaign;
mod example;
mod mutate;
mod random;
mod reading;
mod signed;
mod validating;
