//! The HTTP edge: the tracking pixel and links, unsubscribing, health, and a page for people.
//!
//! No request body but the form that unsubscribes is read, and nothing in a URL
//! is ever a target.

mod acme;
mod confirm;
mod connection;
mod discovery;
mod error;
mod headers;
mod health;
mod home;
mod metrics;
mod page;
mod peer;
mod router;
mod server;
mod track;
mod unsubscribe;

pub use home::{Home, Kind, Service};
pub use metrics::metrics;
pub use router::{Edge, router};
pub use server::Server;
