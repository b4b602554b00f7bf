//! What SASL mechanisms (RFC 4422) carry, for every protocol that speaks them. SCRAM, which does
//! sums, has a module of its own.

mod mechanism;
mod oauthbearer;
mod plain;

pub use mechanism::Mechanism;
pub use oauthbearer::{OAuthBearer, Refusal};
pub use plain::Plain;
