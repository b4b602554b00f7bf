//! Sockets, TLS, DNS: no protocol.

pub mod dns;
mod read_buffer;
pub mod stream;
pub mod tls;
mod transport;
