//! Delivery: from a leased row to a reply.

pub mod conversation;
pub mod envelope;
pub mod fates;
mod tap;
