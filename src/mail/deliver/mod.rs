//! Delivery: from a leased row to a reply.
//!
//! [`worker`] takes rows and hands them to [`local`] or, by destination, to
//! [`away`]: [`mx`] finds the servers, [`session`] is a connection to one of
//! them, [`conversation`] what is said over it. No transaction of the database
//! is open while the network is waited for.

pub mod away;
pub mod conversation;
pub mod draft;
pub mod envelope;
pub mod fates;
pub mod local;
pub mod mx;
pub mod parcel;
pub mod session;
mod tap;
pub mod worker;
