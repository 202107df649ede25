//! Load for `proforma serve`: one operation from many connections, each request with a signature of its own.
//!
//! Requests a second and how long answers took, from the first byte sent to the last one received, as one line of text.

use aws_wire::sigv4::{Received, SecretKey, Signer, body_sha256};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// How it is called.
const USAGE: &str = "serve-load HOST:PORT CONNECTIONS SECONDS|COUNTx LABEL METHOD PATH [BODY]; \
                     {n} in path or body is the number of the request, in six digits";
const REGION: &str = "us-east-1";
const SERVICE: &str = "billingconductor";
/// A server that takes longer than this does not answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked, and how often.
struct Load<'a> {
    server: &'a str,
    connections: usize,
    until: Until,
    label: &'a str,
    method: &'a str,
    path: &'a str,
    body: &'a str,
    access_key_id: String,
    secret: SecretKey,
}

/// When it is enough.
#[derive(Clone, Copy)]
enum Until {
    Seconds(u64),
    Requests(u64),
}

/// What one connection has seen.
#[derive(Default)]
struct Seen {
    micros: Vec<u64>,
    failed: u64,
    /// The first answer that was not a success.
    complaint: Option<String>,
    bytes: u64,
}

/// Asks, and prints what came of it. The key is taken from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
pub fn run(arguments: &[String]) -> Result<(), String> {
    let load = Load::read(arguments)?;
    let numbers = AtomicU64::new(0);
    let started = Instant::now();
    let seen = std::thread::scope(|scope| {
        let connections: Vec<_> =
            (0..load.connections).map(|_| scope.spawn(|| connection(&load, &numbers, started))).collect();
        let joined =
            connections.into_iter().map(|thread| thread.join().map_err(|_| "a connection panicked")?);
        joined.collect::<Result<Vec<Seen>, String>>()
    })?;
    let took = started.elapsed();
    let mut micros: Vec<u64> = seen.iter().flat_map(|seen| seen.micros.iter().copied()).collect();
    micros.sort_unstable();
    let failed: u64 = seen.iter().map(|seen| seen.failed).sum();
    let bytes: u64 = seen.iter().map(|seen| seen.bytes).sum();
    let count = micros.len() as u64;
    let per_second = u128::from(count) * 1_000_000 / took.as_micros().max(1);
    println!(
        "operation={} connections={} requests={count} failed={failed} wall_ms={} requests_per_second={per_second} \
         p50_ms={} p99_ms={} max_ms={} bytes_per_answer={}",
        load.label,
        load.connections,
        took.as_millis(),
        milliseconds(quantile(&micros, 50)),
        milliseconds(quantile(&micros, 99)),
        milliseconds(micros.last().copied().unwrap_or_default()),
        bytes / count.max(1),
    );
    match seen.into_iter().find_map(|seen| seen.complaint) {
        Some(complaint) => Err(format!("{}: {failed} of {count} failed: {complaint}", load.label)),
        None => Ok(()),
    }
}

impl<'a> Load<'a> {
    fn read(arguments: &'a [String]) -> Result<Self, String> {
        let text = |place: usize| arguments.get(place).map(String::as_str).ok_or(USAGE);
        let number =
            |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is not a number: {USAGE}"));
        let until = match text(2)?.strip_suffix('x') {
            Some(count) => Until::Requests(number(count)?),
            None => Until::Seconds(number(text(2)?)?),
        };
        let variable = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
        Ok(Self {
            server: text(0)?,
            connections: usize::try_from(number(text(1)?)?).map_err(|error| error.to_string())?,
            until,
            label: text(3)?,
            method: text(4)?,
            path: text(5)?,
            body: arguments.get(6).map_or("", String::as_str),
            access_key_id: variable("AWS_ACCESS_KEY_ID")?,
            secret: SecretKey::new(variable("AWS_SECRET_ACCESS_KEY")?),
        })
    }

    /// The bytes of a request, signed now.
    fn request(&self, number: u64) -> Result<Vec<u8>, String> {
        let number = format!("{number:06}");
        let (path, body) = (self.path.replace("{n}", &number), self.body.replace("{n}", &number));
        let value = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, value(self.server)?);
        headers.insert(header::CONTENT_TYPE, value("application/json")?);
        headers.insert(header::CONTENT_LENGTH, value(&body.len().to_string())?);
        if matches!(self.until, Until::Requests(_)) {
            // What boto3 sends along with whatever it creates.
            headers.insert(HeaderName::from_static("x-amzn-client-token"), value(&format!("load-{number}"))?);
        }
        let (raw_path, raw_query) = path.split_once('?').unwrap_or((&path, ""));
        let received = Received {
            method: self.method,
            raw_path,
            raw_query,
            headers: &headers,
            body_sha256: body_sha256(body.as_bytes()),
        };
        let signer = Signer {
            access_key_id: &self.access_key_id,
            secret: &self.secret,
            region: REGION,
            service: SERVICE,
            time_seconds: now_seconds()?,
        };
        let added = signer.sign(&received).map_err(|error| error.to_string())?;
        let mut bytes = format!("{} {path} HTTP/1.1\r\n", self.method).into_bytes();
        for (name, value) in headers.iter().chain(&added) {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.as_bytes());
        Ok(bytes)
    }
}

/// Asks over one connection, one request after the other.
fn connection(load: &Load<'_>, numbers: &AtomicU64, started: Instant) -> Result<Seen, String> {
    let told = |error: std::io::Error| format!("{}: {error}", load.server);
    let stream = TcpStream::connect(load.server).map_err(told)?;
    stream.set_nodelay(true).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut seen = Seen::default();
    let mut body = Vec::new();
    loop {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let is_enough = match load.until {
            Until::Seconds(seconds) => started.elapsed() >= Duration::from_secs(seconds),
            Until::Requests(count) => number >= count,
        };
        if is_enough {
            return Ok(seen);
        }
        let request = load.request(number)?;
        let asked = Instant::now();
        reader.get_mut().write_all(&request).map_err(told)?;
        let status = answer(&mut reader, &mut body).map_err(told)?;
        seen.micros.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
        seen.bytes += body.len() as u64;
        if !(200..300).contains(&status) {
            seen.failed += 1;
            let text = String::from_utf8_lossy(&body).into_owned();
            seen.complaint.get_or_insert(format!("{status} {text}"));
        }
    }
}

/// Reads one answer: its status, and its body into `body`.
fn answer(reader: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<u16> {
    let broken = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| broken("an answer without a status"))?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(|_| broken("a length that is no number"))?;
            }
            Some(_) => {}
        }
    }
    body.resize(length, 0);
    reader.read_exact(body)?;
    Ok(status)
}

#[expect(clippy::disallowed_methods, reason = "a signature is of now, and this is a program's main part")]
fn now_seconds() -> Result<i64, String> {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    i64::try_from(since.as_secs()).map_err(|error| error.to_string())
}

/// The value below which so many in a hundred are.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// Microseconds, written as milliseconds.
fn milliseconds(micros: u64) -> String {
    format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    //! What is read of an answer, and which value is the 99th of a hundred.

    use super::*;

    #[test]
    fn answers_are_read_one_after_the_other() {
        let mut bytes: &[u8] =
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 404 Not Found\r\n\r\n";
        let mut body = Vec::new();
        assert_eq!(answer(&mut bytes, &mut body).unwrap(), 200);
        assert_eq!(body, b"{}");
        assert_eq!(answer(&mut bytes, &mut body).unwrap(), 404);
        assert!(body.is_empty() && bytes.is_empty());
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!((quantile(&hundred, 50), quantile(&hundred, 99)), (50, 99));
        assert_eq!((quantile(&[7], 99), quantile(&[], 99)), (7, 0));
        assert_eq!(milliseconds(12_345), "12.34");
    }
}
