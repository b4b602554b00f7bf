//! The SMTP grammar (RFC 5321 and its extensions): lines, commands, message content.
//!
//! [`line`] finds where a command ends, [`command`] says what it means, [`data`] finds where a
//! message ends and [`stuff`] writes one. All of it is pure: fed bytes, it answers values.
//!
//! The grammar is our own because a server must refuse what it cannot take literally. smtp-proto
//! mends instead: it drops quotes, source routes and stray CRs from paths, reads `<Postmaster>` as
//! `<>`, starts a chunk size over when its digits overflow, ignores arguments after `DATA`, and
//! knows no `ORCPT=utf-8` (RFC 6533). It is the oracle of the property tests in [`command`]:
//! whatever is accepted here, it must read the same way.

pub mod auth;
pub mod command;
pub mod data;
pub mod deliver_by;
pub mod header_guard;
pub mod line;
pub mod mail;
pub mod params;
pub mod path;
pub mod rcpt;
pub mod reply;
pub mod stuff;
pub mod xclient;
pub mod xtext;
