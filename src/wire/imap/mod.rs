//! The IMAP grammar (RFC 3501): bytes to commands, values to responses.
//!
//! Two stages in: [`frame`] finds the end of a command and enforces its bounds, [`command`] reads
//! what it says. One stage out: [`response`] writes answers. Around them one file per family of
//! values. Nothing here knows sessions, permissions or the clock.

pub mod annotation;
mod chars;
pub mod command;
mod cursor;
pub mod date;
pub mod error;
mod flags;
pub mod frame;
pub mod label;
pub mod mailbox;
pub mod name_form;
pub mod numbers;
pub mod partial_range;
pub mod pattern;
pub mod response;
pub mod section;
pub mod set;
pub mod shared_name;
pub mod special_use;
pub mod strings;
pub mod url;
pub mod utf7;
