//! The header of the PROXY protocol, version 2, by which a proxy in front tells who is connecting
//! (HAProxy's proxy-protocol.txt, section 2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Octets before the part whose length they tell.
pub const HEAD: usize = 16;
/// The longest rest that is read: addresses take 36 octets, and what a proxy may add is skipped.
const MAX_REST: usize = 4096;
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The first [`HEAD`] octets, understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    kind: Kind,
    /// Octets that follow.
    pub rest: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// The proxy speaks for itself, or does not know for whom: the connection is what it seems.
    Local,
    Tcp4,
    Tcp6,
}

impl Head {
    /// Reads the head; `None` where it is another protocol, or something that no TCP proxy says.
    pub fn parse(head: &[u8; HEAD]) -> Option<Self> {
        let [signature @ .., command, family, high, low] = head;
        if signature != SIGNATURE {
            return None;
        }
        let kind = match (command, family) {
            (0x20, _) | (0x21, 0x00) => Kind::Local,
            (0x21, 0x11) => Kind::Tcp4,
            (0x21, 0x21) => Kind::Tcp6,
            _ => return None,
        };
        let rest = usize::from(u16::from_be_bytes([*high, *low]));
        (rest <= MAX_REST).then_some(Self { kind, rest })
    }

    /// Who is connecting, by the octets that follow the head; `own` is the connection's own other
    /// end. `None` where they are too few.
    pub fn client(self, rest: &[u8], own: SocketAddr) -> Option<SocketAddr> {
        let (ip, port): (IpAddr, usize) = match self.kind {
            Kind::Local => return Some(own),
            Kind::Tcp4 => (Ipv4Addr::from(*rest.first_chunk::<4>()?).into(), 8),
            Kind::Tcp6 => (Ipv6Addr::from(*rest.first_chunk::<16>()?).into(), 32),
        };
        let [high, low] = *rest.get(port..)?.first_chunk::<2>()?;
        // Both ports have to be there, though only the client's is told.
        let whole = rest.len() >= port + 4;
        whole.then(|| SocketAddr::new(ip.to_canonical(), u16::from_be_bytes([high, low])))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    fn client(header: &[u8]) -> Option<String> {
        let head = Head::parse(header.first_chunk()?)?;
        let own = "192.0.2.9:9".parse().unwrap();
        Some(head.client(header.get(HEAD..)?, own)?.to_string())
    }

    #[test]
    fn tells_the_client() {
        let v4 = [203, 0, 113, 7, 192, 0, 2, 1, 0xd4, 0x31, 0, 25];
        assert_eq!(client(&header(0x21, 0x11, &v4)).as_deref(), Some("203.0.113.7:54321"));
        // More than the addresses is let through.
        let more = [&v4[..], &[3, 0, 1, 7]].concat();
        assert_eq!(client(&header(0x21, 0x11, &more)).as_deref(), Some("203.0.113.7:54321"));
        let ip: Ipv6Addr = "2001:db8::7".parse().unwrap();
        let v6 = [&ip.octets()[..], &[0; 16], &[0xd4, 0x31, 0, 25]].concat();
        assert_eq!(client(&header(0x21, 0x21, &v6)).as_deref(), Some("[2001:db8::7]:54321"));
        assert_eq!(client(&header(0x20, 0, &[])).as_deref(), Some("192.0.2.9:9"));
        assert_eq!(client(&header(0x21, 0, b"tlv")).as_deref(), Some("192.0.2.9:9"));
    }

    #[test]
    fn what_is_something_else_is_refused() {
        let v4 = [203, 0, 113, 7, 192, 0, 2, 1, 0xd4, 0x31, 0, 25];
        assert_eq!(client(&header(0x21, 0x11, &v4[..11])), None);
        assert_eq!(client(&header(0x21, 0x12, &v4)), None);
        assert_eq!(client(&header(0x22, 0x11, &v4)), None);
        assert_eq!(client(&header(0x11, 0x11, &v4)), None);
        assert_eq!(client(b"PROXY TCP4 203.0.113.7 192.0.2.1 54321 25\r\n"), None);
        let long = header(0x21, 0x11, &[0; MAX_REST + 1]);
        assert_eq!(client(&long), None);
    }

    proptest! {
        #[test]
        fn no_octets_panic(command: u8, family: u8, rest in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = client(&header(command, family, &rest));
        }
    }
}
