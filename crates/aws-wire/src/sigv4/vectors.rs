//! AWS's signing test suite, all of it: each case in both forms, what the server's side says of it, and the signer.
//!
//! The vectors lie in the package of `aws-sigv4`, a dev-dependency that is never built.

use super::canonical::{self, Canonical};
use super::tests::{AKID, SECRET};
use super::*;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// 2015-08-30T12:36:00Z, the time of all cases.
const NOW: i64 = 1_440_938_160;

/// Cases whose canonical path S3 alone would sign: dot and empty segments kept. The signature is checked with that
/// path; the server refuses it.
const S3_FORM: &[&str] = &[
    "get-relative-relative-unnormalized",
    "get-relative-unnormalized",
    "get-slash-dot-slash-unnormalized",
    "get-slash-pointless-dot-unnormalized",
    "get-slash-unnormalized",
    "get-slashes-unnormalized",
];

/// Cases with a session token, which this server does not issue.
const SESSION_TOKEN: &[&str] = &["get-vanilla-with-session-token", "post-sts-header-before"];

/// The token joined the request after it was signed. The signature is checked without it; the server refuses the request: in the
/// header form for the unsigned token, in the query form because it is a POST.
const TOKEN_AFTER_SIGNING: &str = "post-sts-header-after";

/// Folders without context or signatures: canonical paths of the service they were seen at.
const PATHS_ONLY: &[&str] = &["double-encode-path", "double-url-encode"];

struct Case {
    name: String,
    folder: PathBuf,
    normalize: bool,
}

/// A request as the files write it.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let start = lines.next().expect("a request line");
        let (method, target) = start.split_once(' ').expect("a method");
        let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines {
            match (line.starts_with(' '), line.split_once(':')) {
                // A folded line, which a receiver joins with a space (RFC 9112, 5.2).
                (true, _) => fields.last_mut().expect("a line to continue").1.push_str(line),
                (false, Some((name, value))) => fields.push((name.to_owned(), value.to_owned())),
                (false, None) => panic!("{line}"),
            }
        }
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name: HeaderName = name.parse().expect("a header name");
            headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).expect("a header value"));
        }
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        Self { method, path, query, headers, body: body.as_bytes().to_vec() }
    }

    fn received(&self) -> Received<'_> {
        Received {
            method: &self.method,
            raw_path: &self.path,
            raw_query: &self.query,
            headers: &self.headers,
            body_sha256: body_sha256(&self.body),
        }
    }
}

fn suite() -> PathBuf {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .exec()
        .expect("cargo metadata finds the package of the vectors");
    let package = metadata.packages.iter().find(|package| package.name == "aws-sigv4");
    let manifest = &package.expect("aws-sigv4 is a dev-dependency").manifest_path;
    manifest.with_file_name("aws-signing-test-suite").join("v4").into()
}

fn cases() -> Vec<Case> {
    let mut folders: Vec<_> =
        fs::read_dir(suite()).expect("the suite").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    let name = |folder: &Path| folder.file_name().expect("a name").to_string_lossy().into_owned();
    folders.retain(|folder| !PATHS_ONLY.contains(&name(folder).as_str()));
    folders
        .into_iter()
        .map(|folder| {
            let context = fs::read(folder.join("context.json")).expect("a context");
            let context: serde_json::Value = serde_json::from_slice(&context).expect("a context in JSON");
            assert_eq!(context["timestamp"], "2015-08-30T12:36:00Z");
            assert_eq!(context["credentials"]["access_key_id"], AKID);
            Case { name: name(&folder), normalize: context["normalize"] == true, folder }
        })
        .collect()
}

impl Case {
    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file))
            .unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name))
    }

    /// The path that the case signs.
    fn path(&self, request: &Request) -> String {
        if self.normalize {
            return canonical::path(&request.path).expect("a path");
        }
        request
            .path
            .split('/')
            .map(|segment| canonical::encode(segment.as_bytes()))
            .collect::<Vec<_>>()
            .join("/")
    }

    /// The request as it was when it was signed.
    fn signed(&self, form: &str) -> Request {
        let mut request = Request::parse(&self.text(&format!("{form}-signed-request.txt")));
        if self.name == TOKEN_AFTER_SIGNING {
            request.headers.remove("x-amz-security-token");
            let kept = request.query.split('&').filter(|pair| !pair.starts_with("X-Amz-Security-Token="));
            request.query = kept.collect::<Vec<_>>().join("&");
        }
        request
    }
}

#[test]
fn every_case_has_its_canonical_request_and_signature() {
    let mut compared = 0;
    for (case, form) in cases().iter().flat_map(|case| [(case, "header"), (case, "query")]) {
        let request = case.signed(form);
        let presigned = form == "query";
        let names = case.text(&format!("{form}-canonical-request.txt"));
        let names: Vec<String> =
            names.lines().rev().nth(1).expect("names").split(';').map(str::to_owned).collect();
        let pairs = canonical::query_pairs(&request.query).expect("a query");
        let canonical = Canonical {
            method: &request.method,
            path: &case.path(&request),
            query: &canonical::query(&pairs, presigned),
            headers: &request.headers,
            signed_headers: &names,
            body_sha256: &body_sha256(&request.body),
        }
        .bytes();
        let shown = String::from_utf8_lossy(&canonical);
        assert_eq!(shown, case.text(&format!("{form}-canonical-request.txt")), "{} {form}", case.name);
        let text =
            canonical::string_to_sign(&canonical, "20150830T123600Z", "20150830", "us-east-1", "service");
        assert_eq!(text, case.text(&format!("{form}-string-to-sign.txt")), "{} {form}", case.name);
        let signature =
            SecretKey::new(SECRET.to_owned()).signature("20150830", "us-east-1", "service", text.as_bytes());
        assert_eq!(signature, case.text(&format!("{form}-signature.txt")).trim(), "{} {form}", case.name);
        compared += 1;
    }
    assert_eq!(compared, 76);
}

/// What the server says of a request.
fn answer(request: &Request) -> Result<(), SignatureError> {
    let received = request.received();
    let expected = Expected { service: "service", regions: None, now_seconds: NOW, window_seconds: 300 };
    let claim = Presented::read(&received)?.check(&expected)?;
    claim.verify(&received, &SecretKey::new(SECRET.to_owned()))
}

#[test]
fn the_server_accepts_every_case_but_the_named() {
    let (mut accepted, mut refused) = (0, BTreeSet::new());
    for (case, form) in cases().iter().flat_map(|case| [(case, "header"), (case, "query")]) {
        let mut request = Request::parse(&case.text(&format!("{form}-signed-request.txt")));
        let name = case.name.as_str();
        let expected = match (name, form) {
            (TOKEN_AFTER_SIGNING, "header") => {
                Err(SignatureError::HeaderNotSigned("x-amz-security-token".to_owned()))
            }
            (_, "query") if request.method != "GET" => {
                Err(SignatureError::PresignedMethod(request.method.clone()))
            }
            _ if SESSION_TOKEN.contains(&name) => Err(SignatureError::SessionToken),
            _ if S3_FORM.contains(&name) => Err(SignatureError::Mismatch),
            _ => Ok(()),
        };
        assert_eq!(answer(&request), expected, "{name} {form}");
        match expected {
            Ok(()) => {
                accepted += 1;
                request.method = "HEAD".to_owned();
                assert!(answer(&request).is_err(), "{name} {form}");
            }
            Err(error) => assert!(refused.insert(format!("{name} {form} {}", error.code()))),
        }
    }
    assert_eq!(accepted + refused.len(), 76);
    assert_eq!(accepted, 50, "refused: {refused:#?}");
}

#[test]
fn the_signer_writes_every_signature_that_the_server_takes() {
    let mut written = 0;
    for case in cases().iter().filter(|case| !S3_FORM.contains(&case.name.as_str())) {
        let secret = SecretKey::new(SECRET.to_owned());
        let signer = Signer {
            access_key_id: AKID,
            secret: &secret,
            region: "us-east-1",
            service: "service",
            time_seconds: NOW,
        };
        for form in ["header", "query"] {
            let signed = case.signed(form);
            let mut request = case.signed(form);
            request.headers.remove("authorization");
            request.headers.remove("x-amz-date");
            if form == "header" {
                let added = signer.sign(&request.received()).expect("signed");
                assert_eq!(added["authorization"], signed.headers["authorization"], "{}", case.name);
                assert_eq!(added["x-amz-date"], signed.headers["x-amz-date"], "{}", case.name);
            } else {
                let own = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"];
                let kept = signed
                    .query
                    .split('&')
                    .filter(|pair| !own.iter().any(|name| pair.starts_with(&format!("X-Amz-{name}="))));
                request.query = kept.collect::<Vec<_>>().join("&");
                let query = signer.presign(&request.received(), 3600).expect("signed");
                let signature = case.text("query-signature.txt");
                assert!(query.ends_with(&format!("X-Amz-Signature={}", signature.trim())), "{}", case.name);
            }
            written += 1;
        }
    }
    assert_eq!(written, 2 * (38 - S3_FORM.len()));
}

#[test]
fn older_cases_have_their_canonical_path() {
    for name in PATHS_ONLY {
        let folder = suite().join(name);
        let read = |file| fs::read_to_string(folder.join(file)).expect("a file of the suite");
        let request = Request::parse(&read("request.txt"));
        let expected = read("header-canonical-request.txt");
        assert_eq!(canonical::path(&request.path).as_deref(), Ok(expected.lines().nth(1).expect("a path")));
    }
}
