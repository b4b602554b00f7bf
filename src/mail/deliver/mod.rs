//! Delivery: from a leased row to a reply.
//!
//! [`worker`] takes rows and puts them into `lanes`, one for each destination.
//! A `carrier` works in one lane: it hands a row to [`local`] or to [`away`],
//! where [`mx`] finds the servers that [`mta_sts`] allows, or [`smarthost`] the one that a [`route`]
//! leads to, [`session`] is a connection to one of them,
//! [`conversation`] what is said over it, and `pool` keeps those that may be
//! used again. No transaction of the database is open while the network is
//! waited for.

pub mod away;
mod carrier;
pub mod conversation;
pub mod draft;
pub mod envelope;
pub mod fates;
mod lanes;
pub mod local;
pub mod mta_sts;
pub mod mx;
mod parcel;
pub mod pool;
mod return_path;
pub mod route;
pub mod session;
pub mod smarthost;
mod tap;
pub mod target;
mod window;
pub mod worker;
