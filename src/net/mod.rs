//! Sockets, TLS, DNS: no protocol.

pub mod acme;
pub mod connect;
pub mod dns;
pub mod hostname;
pub mod http_client;
pub mod limits;
pub mod listener;
pub mod meter;
mod proxied;
pub mod public;
pub mod rate;
mod read_buffer;
pub mod shutdown;
pub mod stream;
pub mod tls;
mod transport;
