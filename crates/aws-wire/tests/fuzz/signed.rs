//! Signed requests, changed after they were signed.
//!
//! A changed request is accepted only if it is the same request: [`identity`] makes the canonical request once more, by other code than the
//! verifier's. What AWS's rules call the same (order and encoding of a query, spaces, empty segments, headers that are not signed) is accepted.
//! The requests are those of AWS's signing test suite and one of each operation of the models, signed in both forms.

use crate::campaign;
use crate::example::{self, MODELS};
use crate::mutate;
use crate::random::Random;
use aws_wire::json::Value;
use aws_wire::sigv4::{Expected, Presented, Received, SecretKey, SignatureError, Signer, body_sha256};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const AKID: &str = "AKIDEXAMPLE";
const REGION: &str = "eu-central-1";
const SERVICE: &str = "billingconductor";
/// 2026-11-22T00:00:30Z.
const NOW: i64 = 1_795_305_630;
/// Any time that a date can say, so that the canonical request alone decides.
const WINDOW_SECONDS: i64 = 1 << 40;

/// What a client or a proxy may add.
const HEADERS: &[&str] = &[
    "x-forwarded-for",
    "user-agent",
    "x-amz-target",
    "x-amzn-client-token",
    "content-type",
    "host",
    "date",
    "x-amz-date",
    "authorization",
];

#[derive(Debug, Clone)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Sent {
    /// As an HTTP server would hand them on; `None` if one would refuse them.
    fn header_map(&self) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            map.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_bytes(value).ok()?);
        }
        Some(map)
    }

    fn received<'a>(&'a self, headers: &'a HeaderMap) -> Received<'a> {
        Received {
            method: &self.method,
            raw_path: &self.path,
            raw_query: &self.query,
            headers,
            body_sha256: body_sha256(&self.body),
        }
    }

    fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_slice()).collect()
    }
}

fn secret() -> SecretKey {
    SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned())
}

/// What the server does, with one key in its store.
fn answer(sent: &Sent, headers: &HeaderMap) -> Result<(), SignatureError> {
    let received = sent.received(headers);
    let expected =
        Expected { service: SERVICE, regions: None, now_seconds: NOW, window_seconds: WINDOW_SECONDS };
    let presented = Presented::read(&received)?;
    presented.service();
    let claim = presented.check(&expected)?;
    if claim.access_key_id() != AKID {
        return Err(claim.refuse_unknown_key(&received));
    }
    claim.verify(&received, &secret())
}

// ---- The corpus

/// Requests before they are signed.
static PLAIN: LazyLock<Vec<Sent>> = LazyLock::new(|| {
    let mut plain: Vec<_> = vectors().iter().map(|text| parsed(text)).collect();
    let random = &mut Random::new(7);
    for model in MODELS.iter() {
        for (name, (method, path)) in &model.paths {
            let operation = model.service.operation(name).expect("an operation");
            let input = example::input(random, &model.service, operation);
            let path = path.replace(['{', '}'], "%2B");
            let pairs = input
                .query
                .iter()
                .map(|(name, value)| format!("{name}={}", value.replace(['"', ' ', '%'], "%20")));
            let query = pairs.collect::<Vec<_>>().join("&");
            let body = Value::Map(input.body).to_json().into_bytes();
            let mut headers = vec![("host".to_owned(), b"localhost:8080".to_vec())];
            headers.push(("content-type".to_owned(), model.service.protocol.content_type().into()));
            headers.extend(
                input.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())),
            );
            plain.push(Sent { method: method.clone(), path, query, headers, body });
        }
    }
    assert!(plain.len() > 70, "{} requests", plain.len());
    plain
});

/// `request.txt` of each case of AWS's suite, in the package of `aws-sigv4`, which is never built.
fn vectors() -> Vec<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let metadata =
        cargo_metadata::MetadataCommand::new().manifest_path(manifest).exec().expect("cargo metadata");
    let package =
        metadata.packages.iter().find(|package| package.name == "aws-sigv4").expect("a dev-dependency");
    let suite: PathBuf = package.manifest_path.with_file_name("aws-signing-test-suite").join("v4").into();
    let mut folders: Vec<_> =
        std::fs::read_dir(suite).expect("the suite").map(|it| it.expect("an entry").path()).collect();
    folders.sort();
    folders
        .iter()
        .map(|folder| std::fs::read_to_string(folder.join("request.txt")).expect("a request"))
        .collect()
}

fn parsed(text: &str) -> Sent {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (start, fields) = head.split_once('\n').unwrap_or((head, ""));
    let (method, target) = start.split_once(' ').expect("a method");
    let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // A folded line goes on with the one before.
    let fields = fields.replace("\n ", " ");
    let headers = fields.lines().filter_map(|line| line.split_once(':'));
    let headers = headers
        .filter(|(name, _)| !name.to_ascii_lowercase().starts_with("x-amz-"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()));
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    Sent { method, path, query, headers: headers.collect(), body: body.as_bytes().to_vec() }
}

/// The corpus, signed: each request in its headers, and as a GET in its query.
static SIGNED: LazyLock<Vec<Sent>> = LazyLock::new(|| {
    let secret = secret();
    let signer =
        Signer { access_key_id: AKID, secret: &secret, region: REGION, service: SERVICE, time_seconds: NOW };
    let in_headers = |sent: &Sent| {
        let headers = sent.header_map().expect("headers of the corpus");
        let added = signer.sign(&sent.received(&headers)).expect("signed");
        let added = added.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        Sent { headers: sent.headers.iter().cloned().chain(added).collect(), ..sent.clone() }
    };
    let in_query = |sent: &Sent| {
        let got = Sent { method: "GET".to_owned(), ..sent.clone() };
        let headers = got.header_map().expect("headers of the corpus");
        let query = signer.presign(&got.received(&headers), 3600).expect("signed");
        Sent { query, ..got }
    };
    PLAIN.iter().flat_map(|sent| [in_headers(sent), in_query(sent)]).collect()
});

fn signed(random: &mut Random) -> Sent {
    random.pick(&SIGNED[..]).clone()
}

// ---- Which request it is, by other code than the verifier's

fn decoded(text: &str) -> Option<Vec<u8>> {
    let (bytes, mut at, mut out) = (text.as_bytes(), 0, Vec::new());
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digits =
                text.get(at + 1..at + 3).filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    Some(out)
}

fn encoded(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(one).collect()
}

fn pairs(query: &str) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    let pair = |piece: &str| match piece.find('=') {
        Some(at) => Some((decoded(&piece[..at])?, decoded(&piece[at + 1..])?)),
        None => Some((decoded(piece)?, Vec::new())),
    };
    pieces.map(pair).collect()
}

/// What a signature stands for: time, scope and key, and the canonical request with the body itself. `None` where that cannot be said.
fn identity(sent: &Sent) -> Option<Vec<Vec<u8>>> {
    let pairs = pairs(&sent.query)?;
    let authorization =
        sent.values("authorization").first().map(|it| String::from_utf8_lossy(it).into_owned());
    let parameter = |name: &str| match &authorization {
        Some(text) => {
            let (_, rest) = text.split_once(' ')?;
            let found = rest.split(',').find_map(|it| it.trim().strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned)
        }
        None => {
            let wanted = format!("X-Amz-{name}").into_bytes();
            let found = pairs.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        }
    };
    let time = match (&authorization, sent.values("x-amz-date").first(), sent.values("date").first()) {
        (None, _, _) => parameter("Date")?.into_bytes(),
        (Some(_), Some(time), _) | (Some(_), None, Some(time)) => time.trim_ascii().to_vec(),
        (Some(_), None, None) => return None,
    };
    let mut path: Vec<String> = Vec::new();
    for segment in sent.path.strip_prefix('/')?.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(path.pop()?),
            other => path.push(encoded(other.as_bytes())),
        }
    }
    let slash = if sent.path.ends_with('/') { "/" } else { "" };
    let signature = |name: &[u8]| authorization.is_none() && name == b"X-Amz-Signature";
    let kept = pairs.iter().filter(|(name, _)| !signature(name));
    let mut query: Vec<_> = kept.map(|(name, value)| (encoded(name), encoded(value))).collect();
    query.sort();
    let mut identity = vec![time, parameter("Credential")?.into_bytes(), sent.method.clone().into_bytes()];
    identity.push(format!("/{}{slash}", path.join("/")).replace("//", "/").into_bytes());
    identity.push(format!("{query:?}").into_bytes());
    for name in parameter("SignedHeaders")?.split(';') {
        let trimmed = |value: &&[u8]| {
            let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join(&b' ')
        };
        identity.push(name.as_bytes().to_vec());
        identity.push(sent.values(name).iter().map(trimmed).collect::<Vec<_>>().join(&b','));
    }
    identity.push(sent.body.clone());
    Some(identity)
}

// ---- The targets

fn changed(random: &mut Random, sent: &mut Sent) {
    let at = random.below(sent.headers.len());
    match random.below(10) {
        0 => sent.method = mutate::text(random, &sent.method),
        1 => sent.path = mutate::text(random, &sent.path),
        2 | 3 => sent.query = mutate::text(random, &sent.query),
        4 => sent.body = mutate::bytes(random, &sent.body, &[]),
        5 => drop(sent.headers.remove(at)),
        7 => sent.headers[at].1.extend_from_slice(random.pick(&[" x", ",x", "\tx"]).as_bytes()),
        6 => {
            let value = sent.headers[at].1.clone();
            sent.headers.push(((*random.pick(HEADERS)).to_owned(), value));
        }
        _ => sent.headers[at].1 = mutate::bytes(random, &sent.headers[at].1, &[]),
    }
}

#[test]
fn a_changed_request_is_accepted_only_if_it_is_the_same() {
    let make = |random: &mut Random| {
        let original = signed(random);
        let mut sent = original.clone();
        for _ in 0..1 + random.below(2) {
            changed(random, &mut sent);
            if sent.headers.is_empty() {
                sent = original.clone();
            }
        }
        (original, sent)
    };
    campaign::run("signature", make, |(original, sent)| {
        let Some(headers) = sent.header_map() else { return };
        if answer(sent, &headers).is_ok() {
            assert_eq!(identity(sent), identity(original), "accepted, though it is another request");
        }
    });
}

/// Rewrites what AWS's rules do not distinguish.
fn rewritten(random: &mut Random, sent: &mut Sent) {
    match random.below(6) {
        0 => sent.path = format!("{}{}", random.pick(&["/", "/.", "/x/.."]), sent.path),
        1 => {
            let mut pieces: Vec<_> = sent.query.split('&').collect();
            for last in (1..pieces.len()).rev() {
                pieces.swap(last, random.below(last + 1));
            }
            sent.query = pieces.join(*random.pick(&["&", "&&"]));
        }
        2 => {
            // Escapes for letters, and in lower case; after the change the pairs are the same bytes.
            let letter = char::from(random.pick(b"aeXtz09-").to_owned());
            let escape = format!("%{:02x}", u32::from(letter));
            let pieces = sent.query.split('%').enumerate().map(|(at, piece)| {
                let (digits, rest) = piece.split_at(if at == 0 { 0 } else { 2 });
                digits.to_ascii_lowercase() + &rest.replace(letter, &escape)
            });
            sent.query = pieces.collect::<Vec<_>>().join("%");
        }
        3 => {
            let at = random.below(sent.headers.len());
            let (name, value) = &mut sent.headers[at];
            if name != "authorization" {
                *value = [b"  ", value.as_slice(), b"\t "].concat();
            }
        }
        4 => sent.headers.push(("x-forwarded-for".to_owned(), b"10.0.0.1".to_vec())),
        _ => sent.headers.reverse(),
    }
}

#[test]
fn the_same_request_written_otherwise_is_accepted() {
    let make = |random: &mut Random| {
        let mut sent = signed(random);
        let names: BTreeSet<_> = sent.headers.iter().map(|(name, _)| name.clone()).collect();
        let repeats = names.len() < sent.headers.len();
        for _ in 0..random.below(4) {
            let before = sent.headers.clone();
            rewritten(random, &mut sent);
            // The values of one header keep their order.
            if repeats && sent.headers.first() != before.first() {
                sent.headers = before;
            }
        }
        sent
    };
    campaign::run("same request", make, |sent| {
        let headers = sent.header_map().expect("nothing was added that is no header");
        assert_eq!(answer(sent, &headers), Ok(()));
    });
}
