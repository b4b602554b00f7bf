//! Reports that domains ask for: DMARC aggregate reports (RFC 9990) and SMTP TLS reports
//! (RFC 8460), as values, as octets, and inside the messages that carry them.

pub mod dmarc;
mod find;
mod name;
pub mod tls;
mod unpack;

pub use find::{Found, find, is_likely};
pub use name::{file_name, subject};
pub use unpack::{MAX_UNPACKED, UnpackError, pack, unpack};

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No XML, or none of a report.
    #[error("XML: {0}")]
    Xml(String),
    /// No JSON, or none of a report.
    #[error("JSON: {0}")]
    Json(String),
}
