//! Which addresses may be called for somebody else: those of the public internet, and no others. What a name stands for
//! is asked once and the very address that passed is called, so that no second answer slips in.
//!
//! The networks are those of the registries of special purposes of [IPv4][four] and [IPv6][six].
//!
//! [four]: https://www.iana.org/assignments/iana-ipv4-special-registry
//! [six]: https://www.iana.org/assignments/iana-ipv6-special-registry

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that are no part of the public internet, each with the length of its prefix.
const SPECIAL_FOUR: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Of IPv6 only what is handed out to the public counts, but for these networks in it.
const PUBLIC_SIX: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const SPECIAL_SIX: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];
/// Networks whose addresses carry one of IPv4, with how many bits from the right it begins.
const CARRIES_FOUR: &[(Ipv6Addr, u32, u32)] = &[
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 0),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, 0),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 80),
];

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_FOUR
            .iter()
            .any(|(network, length)| (u32::from(address) ^ u32::from(*network)).leading_zeros() >= *length),
        IpAddr::V6(address) => {
            let lies_in = |(network, length): (Ipv6Addr, u32)| {
                (u128::from(address) ^ u128::from(network)).leading_zeros() >= length
            };
            let carried = CARRIES_FOUR.iter().find(|(network, length, _)| lies_in((*network, *length)));
            match carried {
                Some((_, _, shift)) => {
                    let low = (u128::from(address) >> shift) & u128::from(u32::MAX);
                    u32::try_from(low).is_ok_and(|four| is_public(IpAddr::V4(four.into())))
                }
                None => lies_in(PUBLIC_SIX) && !SPECIAL_SIX.iter().copied().any(lies_in),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_public_internet_is_not_called() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:c0a8:101::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "4000::1",
        ] {
            let address = text.parse().unwrap_or_else(|_| panic!("{text} is no address"));
            assert!(!is_public(address), "{text}");
        }
    }

    #[test]
    fn the_public_internet_may_be_called() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            let address = text.parse().unwrap_or_else(|_| panic!("{text} is no address"));
            assert!(is_public(address), "{text}");
        }
    }
}
