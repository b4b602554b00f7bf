//! Values and their invariants: no I/O, no wire format, no table.
//!
//! Every type here is made by a fallible constructor and is then right for
//! the rest of its life, so that no later code has to check it again.

pub mod address;
pub mod casemap;
pub mod deliver_by;
pub mod envelope;
pub mod fault;
pub mod flags;
pub mod grams;
pub mod hex;
pub mod hit;
pub mod ids;
pub mod label;
pub mod mta_sts;
pub mod network;
pub mod outcome;
pub mod queue;
pub mod report;
pub mod rights;
pub mod rule;
pub mod slug;
pub mod smarthost;
pub mod threading;
pub mod token;
pub mod verdict;
pub mod warmup;
