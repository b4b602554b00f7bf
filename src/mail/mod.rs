//! What mail means here: the decisions and their order.

pub mod client;
pub mod error;

pub use error::{Error, Reason};
