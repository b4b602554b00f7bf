//! A range of addresses, such as `192.0.2.0/24` (RFC 4632).

use std::net::IpAddr;

use serde::Deserialize;

/// A network prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    bits: u128,
    length: u32,
    v6: bool,
}

impl Network {
    /// Whether `ip` lies within. An IPv4 address mapped into IPv6 is the IPv4 address.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv6() == self.v6 && prefix(ip, self.length) == self.bits
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no network such as 192.0.2.0/24");
        let (ip, length) = text.split_once('/').ok_or_else(wrong)?;
        let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
        let length: u32 = length.parse().map_err(|_| wrong())?;
        if length > width(ip) {
            return Err(wrong());
        }
        Ok(Self { bits: prefix(ip, length), length, v6: ip.is_ipv6() })
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

fn width(ip: IpAddr) -> u32 {
    if ip.is_ipv6() { 128 } else { 32 }
}

/// The first `length` bits, the rest cut off.
fn prefix(ip: IpAddr, length: u32) -> u128 {
    let bits = match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    bits.checked_shr(width(ip).saturating_sub(length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(network: &str, ip: &str) -> bool {
        network.parse::<Network>().unwrap().contains(ip.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        assert!(
            within("66.249.80.0/20", "66.249.80.0") && within("66.249.80.0/20", "66.249.95.255")
        );
        assert!(
            !within("66.249.80.0/20", "66.249.79.255") && !within("66.249.80.0/20", "66.249.96.0")
        );
        assert!(within("17.0.0.0/8", "::ffff:17.1.2.3"));
        assert!(within("2001:db8::/32", "2001:db8:1::1") && !within("2001:db8::/32", "2001:db9::"));
        assert!(within("0.0.0.0/0", "203.0.113.9") && !within("0.0.0.0/0", "2001:db8::1"));
        assert!(within("::/0", "2001:db8::1"));
        assert!(within("192.0.2.7/32", "192.0.2.7") && !within("192.0.2.7/32", "192.0.2.6"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in ["", "1.2.3.4", "1.2.3.4/33", "::/129", "1.2.3/8", "1.2.3.4/-1", "x/8"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
