//! Integration tests: the real server, a real Postgres, real sockets.
// Nothing is outside of a test: `pub` here means "for the other test files".
#![allow(unreachable_pub)]

mod domains;
mod doubles;
mod embedded;
mod main_job;
mod receive;
mod standards;
mod schema;
mod support;
mod tidy;
mod walls;
