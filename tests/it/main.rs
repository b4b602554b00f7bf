//! Integration tests: the real server, a real Postgres, real sockets.
// Nothing is outside of a test: `pub` here means "for the other test files".
#![allow(unreachable_pub)]
// A test that cannot go on fails where it stands, in helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acme;
mod authenticity;
mod bursts;
mod cli;
mod dkim;
mod domains;
mod doubles;
mod edge;
mod egress;
mod embedded;
mod imap;
mod main_job;
mod oauth;
mod objects;
mod receive;
mod reports;
mod rules;
mod schema;
mod smtp;
mod spam;
mod standards;
mod support;
mod tidy;
mod walls;
