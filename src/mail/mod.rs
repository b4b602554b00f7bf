//! What mail means here: the decisions and their order.

pub mod arc;
pub mod authenticity;
pub mod body;
pub mod changes;
pub mod client;
pub mod deliver;
pub mod directory;
pub mod dkim;
pub mod domains;
pub mod error;
pub mod filters;
pub mod gate;
pub mod health;
pub mod housekeeping;
pub mod incoming;
pub mod ingest;
pub mod judge;
pub mod keys;
pub mod login;
pub mod mailbox;
pub mod outcome;
pub mod password;
pub mod queue;
pub mod recipients;
pub mod render;
pub mod report;
pub mod rules;
pub mod schedule;
pub mod seal;
pub mod search_index;
pub mod spam;
pub mod spool;
pub mod submit;
pub mod throttle;
pub mod tracking;

pub use error::{Error, Reason};
