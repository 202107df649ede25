//! Where a request to a receiver may go: to the public internet, and where the operator has said so.
//!
//! A payer names its receivers; the operator's network is none of its business. So an address that is not public is refused (OWASP ASVS 1.3.6), in
//! whatever form it is written or found, unless the operator has named it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the operator has named beyond the public internet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    hosts: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

impl Allowed {
    /// Reads what the operator has named: hosts, addresses, networks as `10.1.0.0/16`.
    ///
    /// # Errors
    /// What is wrong, all of it.
    pub fn parse(entries: &[String]) -> Result<Self, Vec<String>> {
        let (mut allowed, mut problems) = (Self::default(), Vec::new());
        for entry in entries {
            match network(entry) {
                Some(network) => allowed.networks.push(network),
                None if is_host(entry) => allowed.hosts.push(entry.to_ascii_lowercase()),
                None => problems.push(format!(
                    "webhook receiver `{entry}` is no host, address or network; write it as hooks.example.com, 10.1.2.3 or 10.1.0.0/16"
                )),
            }
        }
        if problems.is_empty() { Ok(allowed) } else { Err(problems) }
    }

    /// Whether the operator has named a host, or an address as it stands in a URL.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) => self.has(address),
            Err(_) => self.hosts.iter().any(|named| named.eq_ignore_ascii_case(host)),
        }
    }

    /// Whether a request may go to an address that a host has.
    #[must_use]
    pub fn may(&self, host: &str, address: IpAddr) -> bool {
        is_public(address) || self.has(address) || self.names(host)
    }

    fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                shared(network.to_bits().into(), address.to_bits().into(), 32, *bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                shared(network.to_bits(), address.to_bits(), 128, *bits)
            }
            _ => false,
        })
    }
}

fn shared(one: u128, other: u128, width: u32, bits: u8) -> bool {
    (one ^ other).checked_shr(width.saturating_sub(u32::from(bits))).unwrap_or(0) == 0
}

fn network(entry: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match entry.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (entry, None),
    };
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some((address, bits))
}

fn is_host(entry: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // What has digits and dots only is an address that was miswritten.
    entry.split('.').all(is_label) && entry.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether anybody on the internet can reach an address: the special ranges of IANA's registries (RFC 6890) are not, nor is an address that carries one
/// of them.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_broadcast()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        // 6to4 and NAT64 lead to the IPv4 address that they carry.
        [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4(high, low)),
        // Teredo, documentation, and what is not global unicast.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    //! Addresses in every disguise.

    use super::*;

    fn allowed(entries: &[&str]) -> Allowed {
        Allowed::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_not_public_is_refused() {
        let nothing = Allowed::default();
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:a9fe:a9fe",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "2001::1",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!nothing.may("host.example.com", address.parse().unwrap()), "{address}");
        }
        for address in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2002:808:808::"]
        {
            assert!(nothing.may("host.example.com", address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_the_operator_names_is_allowed() {
        let named = allowed(&["10.1.0.0/16", "hooks.internal", "127.0.0.1", "fd00::/8"]);
        let may = |host: &str, address: &str| named.may(host, address.parse().unwrap());
        assert!(may("a.example.com", "10.1.255.255") && !may("a.example.com", "10.2.0.0"));
        assert!(may("Hooks.Internal", "192.168.0.9") && !may("other.internal", "192.168.0.9"));
        assert!(may("a.example.com", "127.0.0.1") && may("a.example.com", "::ffff:127.0.0.1"));
        assert!(!may("a.example.com", "127.0.0.2") && may("a.example.com", "fd99::1"));
        assert!(named.names("127.0.0.1") && named.names("[fd00::1]") && !named.names("127.0.0.2"));
        assert!(allowed(&["0.0.0.0/0"]).may("a.example.com", "10.0.0.1".parse().unwrap()));
        let wrong = ["10.0.0.0/33", "a b", "", "1.2.3", "http://x"].map(str::to_owned);
        assert_eq!(Allowed::parse(&wrong).unwrap_err().len(), 5);
    }
}
