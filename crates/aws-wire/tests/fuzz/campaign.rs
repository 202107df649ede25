//! One target for its time: make a case, run it, and say which case it was where it fails.

use crate::random::Random;
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// A case that takes longer is a way to stop a server; ordinary cases take less than a thousandth of it.
const CASE_SECONDS_MAX: u64 = 10;

/// Between two cases and their seeds, so that cases of neighbouring first seeds differ.
const STEP: u64 = 0xD1B5_4A32_D192_ED03;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a whole number")))
}

/// Past the capture of the test harness: the seed of a case that never ends must be seen.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("the standard error is open");
}

/// Runs cases until the time is over. `check` panics at what must not be.
pub fn run<C: Debug>(target: &str, make: impl Fn(&mut Random) -> C, check: impl Fn(&C)) {
    let first = number("PROFORMA_SEED").unwrap_or_else(|| RandomState::new().hash_one(target) >> 32);
    let time = Duration::from_secs(number("PROFORMA_FUZZ_SECONDS").unwrap_or(3));
    say(&format!("fuzz {target}: PROFORMA_SEED={first}"));
    let (start, mut cases) = (Instant::now(), 0_u64);
    while start.elapsed() < time {
        let case = make(&mut Random::new(first.wrapping_add(cases.wrapping_mul(STEP))));
        let began = Instant::now();
        let failed = catch_unwind(AssertUnwindSafe(|| check(&case)));
        let too_slow = began.elapsed().as_secs() >= CASE_SECONDS_MAX;
        if failed.is_err() || too_slow {
            let why = if too_slow { "takes too long" } else { "fails" };
            say(&format!("fuzz {target}: case {cases} of PROFORMA_SEED={first} {why}: {case:?}"));
            failed.unwrap_or_else(|panic| resume_unwind(panic));
            panic!("case {cases} took {:?}", began.elapsed());
        }
        cases += 1;
    }
    let per_second = u128::from(cases) * 1000 / start.elapsed().as_millis().max(1);
    say(&format!("fuzz {target}: {cases} cases, {per_second} a second"));
}
