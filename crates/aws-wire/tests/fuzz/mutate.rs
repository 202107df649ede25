//! Bytes changed a little: what is nearly valid reaches further than noise.

use crate::random::Random;

/// Pieces on which readers of JSON, forms, addresses and headers tend to stumble.
const PIECES: &[&str] = &[
    "\0",
    "\u{feff}",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udfff\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-",
    "-0",
    "0",
    "00",
    "1e5",
    "1E+999999999999999999999",
    "1e-400",
    ".",
    "9223372036854775808",
    "-9223372036854775809",
    "0.1",
    "e",
    "%",
    "%2",
    "%2F",
    "%2f",
    "%25",
    "%00",
    "%ff",
    "%c3%28",
    "%E2%82%AC",
    "+",
    "&",
    "=",
    "&&",
    ";",
    "/",
    "//",
    "/./",
    "/../",
    "..",
    "?",
    "#",
    " ",
    "  ",
    " a ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "é",
    "😀",
    "\u{202e}",
    "\u{7f}",
    "<",
    "*",
    "(",
    ")",
    "a{9,9}",
    "X-Amz-Signature=",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "host",
    "x-amz-date",
    "UNSIGNED-PAYLOAD",
    "AWS4-HMAC-SHA256",
];

/// One to eight changes; most cases have few. `donors` lend their parts.
pub fn bytes(random: &mut Random, original: &[u8], donors: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    let changes = if random.percent(70) { 1 } else { 2 + random.below(7) };
    for _ in 0..changes {
        change(random, &mut bytes, donors);
    }
    bytes
}

/// The same for text: what is no longer UTF-8 gets replacement characters.
pub fn text(random: &mut Random, original: &str) -> String {
    String::from_utf8_lossy(&bytes(random, original.as_bytes(), &[])).into_owned()
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, donors: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    let reach = if random.percent(80) { 4 } else { 200 };
    let end = (at + 1 + random.below(reach)).min(bytes.len());
    let piece = random.pick(PIECES).as_bytes();
    match random.below(9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.draw().to_le_bytes()[0],
        2 => drop(bytes.drain(at..end)),
        3 => drop(bytes.splice(at..end, piece.iter().copied())),
        4 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        5 => bytes.truncate(at),
        6 => {
            // Depth and length: the same piece many times.
            let many = piece.repeat(1 + random.below(200));
            bytes.splice(at..at, many);
        }
        7 if !donors.is_empty() => {
            let donor = random.pick(donors);
            let from = random.below(donor.len() + 1);
            let to = (from + random.below(60)).min(donor.len());
            bytes.splice(at..end, donor[from..to].iter().copied());
        }
        _ => drop(bytes.splice(at..at, piece.iter().copied())),
    }
}
