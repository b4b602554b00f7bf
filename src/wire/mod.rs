//! Bytes to values and back: no sessions, no tenants, no clock.

pub mod address_mac;
pub mod auth_results;
pub mod dkim;
pub mod imap;
pub mod jwt;
pub mod list_unsubscribe;
pub mod mime;
pub mod mta_sts;
pub mod prometheus;
pub mod proxy;
pub mod report;
pub mod sasl;
pub mod scram;
pub mod smtp;
pub mod srs;
pub mod uri;
pub mod verp;
pub mod x509;
