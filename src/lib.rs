//! koltrix-mail: a self-hosted, multi-tenant mail server with a tracking edge.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod app;
pub mod config;
pub mod domain;
pub mod http;
pub mod imap;
pub mod mail;
pub mod net;
pub mod smtp;
pub mod store;
pub mod wire;
