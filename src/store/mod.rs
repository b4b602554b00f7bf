//! Postgres and the object store: SQL, schemas, transactions, objects. No policy.
//!
//! Tables of an organisation are reached through a [`tenant::Tenant`] handle
//! only; tables of `public` that span organisations through [`db::Db`].

pub mod activity;
pub mod addresses;
pub mod annotations;
pub mod app_passwords;
pub mod arrived_reports;
pub mod correspondents;
pub mod credentials;
pub mod db;
pub mod delivery_routes;
pub mod demo;
pub mod domain_keys;
pub mod domains;
pub mod emails;
pub mod embedded;
pub mod entries;
pub mod error;
pub mod fetch;
pub mod flags;
pub mod folder_rights;
pub mod folders;
pub mod gate;
pub mod hits;
pub mod inspect;
mod labels;
pub mod lessons;
pub mod master_key;
pub mod members;
pub mod migrate;
pub mod node;
pub mod notify;
pub mod objects;
pub mod opt_in;
pub mod outbound;
mod postmaster;
pub mod quota;
pub mod recipients;
pub mod report_counts;
pub mod resync;
pub mod rule_messages;
pub mod scram;
pub mod search;
pub mod search_index;
pub mod standings;
pub mod suppression;
pub mod sweep;
pub mod tenant;
pub mod tenants;
pub mod token_owner;
pub mod tracking;
pub mod tx;
pub mod unsubscribes;
pub mod warmup;

pub use error::Error;
