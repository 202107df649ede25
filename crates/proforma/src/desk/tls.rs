//! The certificate and the key of a server that speaks HTTPS itself.

use super::secret_file::open_to_others;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The only protocol that the server speaks inside TLS.
const PROTOCOL: &[u8] = b"http/1.1";

/// Reads a certificate chain and its private key, PEM both.
///
/// # Errors
/// Everything that is wrong with the two files.
pub fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, Vec<String>> {
    // A second choice of the provider is no change.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (cert_shown, key_shown) = (cert.display(), key.display());
    let mut problems: Vec<String> = open_to_others(key, 0o007).into_iter().collect();
    let chain = bytes("certificate", cert).and_then(|pem| {
        let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
            format!("certificate `{cert_shown}` holds no certificate in PEM: -----BEGIN CERTIFICATE-----")
        })
    });
    let secret = bytes("key", key).and_then(|pem| {
        PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
            format!("key `{key_shown}` holds no private key in PEM, unencrypted: -----BEGIN PRIVATE KEY-----")
        })
    });
    match (chain, secret) {
        (Ok(chain), Ok(secret)) => {
            match ServerConfig::builder().with_no_client_auth().with_single_cert(chain, secret) {
                Ok(mut config) if problems.is_empty() => {
                    config.alpn_protocols = vec![PROTOCOL.to_vec()];
                    return Ok(Arc::new(config));
                }
                Ok(_) => {}
                Err(error) => problems.push(format!(
                    "certificate `{cert_shown}` and key `{key_shown}` cannot be used together: {error}"
                )),
            }
        }
        (chain, secret) => problems.extend(chain.err().into_iter().chain(secret.err())),
    }
    Err(problems)
}

fn bytes(what: &str, path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{what} `{}` cannot be read: {error}", path.display()))
}
