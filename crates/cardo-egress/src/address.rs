//! What an address says about where it leads.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// Where an address leads, in the eyes of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The internet.
    Public,
    /// A network of one's own: RFC 1918, RFC 4193, RFC 6598, and what is set aside for tests and documents.
    Private,
    /// This machine.
    Loopback,
    /// The link this machine is attached to, where clouds keep their metadata service.
    LinkLocal,
    /// No single machine: unspecified, multicast, broadcast, reserved.
    Special,
}

/// An address that may not be reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.message())]
pub struct Refusal {
    /// The host as the request names it.
    pub host: String,
    /// The address it stands for.
    pub address: IpAddr,
    /// Where that leads.
    pub kind: Kind,
}

impl Refusal {
    /// The key of the configuration that allows the address, if any does.
    pub fn key(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Private => Some("egress.allow_private"),
            Kind::Loopback => Some("egress.allow_loopback"),
            Kind::LinkLocal => Some("egress.allow_hosts"),
            Kind::Public | Kind::Special => None,
        }
    }

    fn message(&self) -> String {
        let Self { host, address, .. } = self;
        let target = match host.parse::<IpAddr>() {
            Ok(literal) if *address == literal => host.clone(),
            _ => format!("{host} ({address})"),
        };
        match self.kind {
            Kind::Private => {
                format!("{target} is a private address; egress.allow_private allows these")
            }
            Kind::Loopback => {
                format!("{target} is a loopback address; egress.allow_loopback allows these")
            }
            Kind::LinkLocal => {
                format!("{target} is a link-local address; egress.allow_hosts allows single hosts")
            }
            Kind::Public | Kind::Special => format!("{target} is not the address of one machine"),
        }
    }
}

impl Kind {
    /// Where an address leads; one that embeds an IPv4 address leads where that does.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        match (a, b, c, d) {
            (0 | 224..=255, ..) => Self::Special,
            (127, ..) => Self::Loopback,
            (169, 254, ..) => Self::LinkLocal,
            // RFC 1918, RFC 6598 (carrier-grade NAT), RFC 2544 (benchmarks), RFC 6890 (protocol assignments),
            // RFC 5737 (documents).
            (10, ..)
            | (172, 16..=31, ..)
            | (192, 168, ..)
            | (100, 64..=127, ..)
            | (198, 18 | 19, ..)
            | (192, 0, 0 | 2, _)
            | (198, 51, 100, _)
            | (203, 0, 113, _) => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address == Ipv6Addr::LOCALHOST {
            return Self::Loopback;
        }
        if let Some(embedded) = embedded_v4(address) {
            return Self::of_v4(embedded);
        }
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] => Self::Special,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // RFC 4193, RFC 3879 (site-local), RFC 3849 and RFC 9637 (documents), RFC 8215 (local NAT64),
            // RFC 4380 (Teredo, whose embedded address is that of a translator), RFC 6666 (discard), RFC 5180.
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..]
            | [0x2001, 0 | 2 | 0xdb8, ..]
            | [0x3fff, 0..=0xfff, ..]
            | [0x64, 0xff9b, 1, ..]
            | [0x100, 0, 0, 0, ..] => Self::Private,
            _ => Self::Public,
        }
    }
}

/// The IPv4 address within one of IPv6: mapped, compatible, translated (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) != (0, 0) => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(address: &str) -> Kind {
        Kind::of(address.parse().unwrap())
    }

    #[test]
    fn addresses_lead_where_their_documents_say() {
        let table: [(Kind, &[&str]); 5] = [
            (
                Kind::Public,
                &[
                    "8.8.8.8",
                    "1.1.1.1",
                    "172.32.0.1",
                    "100.128.0.1",
                    "2606:4700::1111",
                    "2a00:1450::1",
                ],
            ),
            (
                Kind::Private,
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "100.64.0.1",
                    "100.127.255.255",
                    "192.0.2.1",
                    "198.18.0.1",
                    "fc00::1",
                    "fdff::1",
                    "fec0::1",
                    "2001:db8::1",
                    "64:ff9b:1::1",
                ],
            ),
            (Kind::Loopback, &["127.0.0.1", "127.255.255.255", "::1"]),
            (Kind::LinkLocal, &["169.254.169.254", "fe80::1", "febf::1"]),
            (
                Kind::Special,
                &[
                    "0.0.0.0",
                    "0.1.2.3",
                    "224.0.0.1",
                    "255.255.255.255",
                    "240.0.0.1",
                    "::",
                    "ff02::1",
                ],
            ),
        ];
        for (expected, addresses) in table {
            for address in addresses {
                assert_eq!(kind(address), expected, "{address}");
            }
        }
    }

    proptest! {
        #[test]
        fn an_embedded_address_leads_where_it_would_alone(bits in any::<u32>()) {
            let v4 = Ipv4Addr::from_bits(bits);
            let plain = Kind::of(v4.into());
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for embedding in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(Kind::of(embedding.into()), plain, "{}", embedding);
            }
        }
    }

    #[test]
    fn a_refusal_names_the_key_that_allows_it() {
        let refusal = |address: &str| Refusal {
            host: "example.org".to_owned(),
            address: address.parse().unwrap(),
            kind: kind(address),
        };
        assert_eq!(
            refusal("10.0.0.1").to_string(),
            "example.org (10.0.0.1) is a private address; egress.allow_private allows these"
        );
        assert_eq!(refusal("::1").key(), Some("egress.allow_loopback"));
        assert_eq!(refusal("224.0.0.1").key(), None);
    }
}
