//! Judges signed requests as the server does: a JSON object a line in, an answer a line out. Tests ask it about requests that others signed.
//!
//! In: `method`, `path` and `query` as sent, `headers` as pairs, `body`, `service`, `now_seconds`, `access_key_id`, `secret`.
//! Out: `accepted`, or the code of the refusal and its message.

use aws_wire::sigv4::{Expected, Presented, Received, SecretKey, SignatureError, body_sha256};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

/// AWS's JSON services allow five minutes.
const WINDOW_SECONDS: i64 = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
    service: String,
    now_seconds: i64,
    access_key_id: String,
    secret: String,
}

fn answer(asked: Asked) -> Result<Result<(), SignatureError>, Box<dyn Error>> {
    let mut headers = HeaderMap::new();
    for (name, value) in &asked.headers {
        headers.append(name.parse::<HeaderName>()?, HeaderValue::from_bytes(value.as_bytes())?);
    }
    let received = Received {
        method: &asked.method,
        raw_path: &asked.path,
        raw_query: &asked.query,
        headers: &headers,
        body_sha256: body_sha256(asked.body.as_bytes()),
    };
    let expected = Expected {
        service: &asked.service,
        regions: None,
        now_seconds: asked.now_seconds,
        window_seconds: WINDOW_SECONDS,
    };
    let claim = match Presented::read(&received).and_then(|presented| presented.check(&expected)) {
        Ok(claim) => claim,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if claim.access_key_id() != asked.access_key_id {
        return Ok(Err(claim.refuse_unknown_key(&received)));
    }
    Ok(claim.verify(&received, &SecretKey::new(asked.secret)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        match answer(serde_json::from_str(&line?)?)? {
            Ok(()) => writeln!(out, "accepted")?,
            Err(refusal) => writeln!(out, "{}: {refusal}", refusal.code())?,
        }
    }
    Ok(())
}
