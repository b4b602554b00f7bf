//! Who is asking, also through a proxy.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::domain::network::Network;

/// The other end of the connection, put into each request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// The client's address: the peer's, or, where the peer is a trusted proxy,
/// the last address in `X-Forwarded-For` that is no trusted proxy itself.
/// What stands before it was written by the client and is believed by nobody.
pub(super) fn client(peer: Peer, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_proxy = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut client = peer.0.to_canonical();
    let fields: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let hops = fields.into_iter().rev().filter_map(|field| field.to_str().ok());
    for hop in hops.flat_map(|field| field.rsplit(',')) {
        if !is_proxy(client) {
            break;
        }
        let Ok(ip) = hop.trim().parse::<IpAddr>() else { break };
        client = ip.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for field in forwarded {
            headers.append("x-forwarded-for", field.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|n| n.parse().unwrap()).collect();
        client(Peer(peer.parse().unwrap()), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_who_it_is() {
        assert_eq!(asked("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(asked("203.0.113.9", &["198.51.100.1"], &["127.0.0.0/8"]), "203.0.113.9");
        assert_eq!(asked("::ffff:203.0.113.9", &[], &[]), "203.0.113.9");
    }

    #[test]
    fn a_proxy_is_believed_about_its_own_peer_only() {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"];
        assert_eq!(asked("127.0.0.1", &["1.1.1.1, 198.51.100.1"], &proxies), "198.51.100.1");
        assert_eq!(asked("127.0.0.1", &["198.51.100.1, 10.1.1.1"], &proxies), "198.51.100.1");
        assert_eq!(asked("127.0.0.1", &["198.51.100.1", "10.1.1.1"], &proxies), "198.51.100.1");
        assert_eq!(asked("127.0.0.1", &["198.51.100.1, rubbish"], &proxies), "127.0.0.1");
        assert_eq!(asked("127.0.0.1", &[], &proxies), "127.0.0.1");
    }
}
