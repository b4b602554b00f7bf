//! Sockets, TLS, DNS: no protocol.

pub mod dns;
