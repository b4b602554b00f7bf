//! The IMAP grammar (RFC 3501): bytes to commands, values to responses.

mod chars;
pub mod strings;
