//! The price list of a run: read by a child once the month is known, kept in the run, and from then on believed only as kept.

use crate::cli::READ_COST_FILES;
use crate::failure::Failure;
use crate::publish::{Draft, as_marked};
use crate::reader::{Children, refused};
use billing::charge_class::Cube;
use billing::price_list::PriceList;
use cost_data::hash::hex;
use cost_data::price_list::kept::{self, PRICE_LIST_FILE};
use cost_data::price_list::{Needs, PriceReport, PriceRequest};
use cost_data::worker::{self, Prices, WorkerError};
use std::path::{Path, PathBuf};

/// What a run knows of AWS's price list.
#[derive(Default)]
pub struct Listed {
    /// The prices; none where no list was given.
    pub prices: PriceList,
    /// The SHA-256 of the file that they are kept in, in hexadecimal, where there is one.
    pub sha256: Option<String>,
    /// What there is to say about it.
    pub report: PriceReport,
    /// How many SKUs the month's usage has.
    pub skus: usize,
    /// How many of them the list lacks.
    pub skus_lacking: usize,
}

/// Lets a child read the price list, if one is given; what the month needs of it lands in the draft.
pub fn read(places: &[PathBuf], children: &Children, cube: &Cube, draft: &Draft) -> Result<Listed, Failure> {
    if places.is_empty() {
        return Ok(Listed::default());
    }
    let limits = children.limits(places)?;
    let (needs, scratch) = (Needs::of(cube), children.scratch.clone());
    let request = PriceRequest { places: places.to_vec(), needs, threads: children.threads(), scratch };
    let program = children.program()?;
    let kept = draft.path(PRICE_LIST_FILE);
    let read = worker::read_prices(&program, READ_COST_FILES, &request, limits, &kept).map_err(failed)?;
    let Prices { list: prices, sha256, report } = read;
    let skus = request.needs.skus.len();
    let skus_lacking = skus - prices.prices.len();
    Ok(Listed { prices, sha256: Some(hex(&sha256)), report, skus, skus_lacking })
}

/// What an earlier run of the month knows of the price list.
pub fn of_run(cube: &Cube, prices: PriceList, sha256: Option<String>, warnings: Vec<String>) -> Listed {
    if sha256.is_none() {
        return Listed::default();
    }
    let skus = Needs::of(cube).skus.len();
    let skus_lacking = skus - prices.prices.len();
    Listed { prices, sha256, report: PriceReport { warnings, ..PriceReport::default() }, skus, skus_lacking }
}

fn failed(error: WorkerError) -> Failure {
    match error {
        WorkerError::Refused(refusal) => refused(&refusal, true),
        WorkerError::Stopped(why) => {
            Failure::input(format!("the price list cannot be read: the reader was stopped: {why}"))
        }
        other => Failure::Other(other.into()),
    }
}

/// The prices in a run's folder, which must have the hash that the run's mark says; none where it says none.
pub fn open(folder: &Path, expected: Option<&str>) -> Result<PriceList, String> {
    let Some(expected) = expected else { return Ok(PriceList::default()) };
    let (prices, sha256) =
        kept::read(&folder.join(PRICE_LIST_FILE)).map_err(|error| format!("`{PRICE_LIST_FILE}` {error}"))?;
    match as_marked(&sha256) == expected {
        true => Ok(prices),
        false => Err(format!("`{PRICE_LIST_FILE}` is damaged, or of another run")),
    }
}
