//! What the tests share: doubles for what we do not own.

pub mod dns;
pub mod remote_mx;
