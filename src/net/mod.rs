//! Sockets, TLS, DNS: no protocol.
