//! The IMAP conversation (RFC 3501), with the extensions that [`capability`] names.
//!
//! [`server`] holds what connections share, [`conn`] is the loop of one of them: read a command, is
//! it allowed in this state ([`dispatch`]), carry it out ([`cmd`], one file a command), tell what
//! else happened to the mailbox ([`updates`]), answer. [`session`] is the state, [`view`] the
//! sequence numbers, [`status`] the one translation of errors.

mod answer;
mod capability;
mod channel;
mod cmd;
mod conn;
mod dispatch;
mod enabled;
mod names;
mod news;
mod notify;
mod progress;
mod resync;
mod selected;
mod server;
mod session;
mod status;
mod updates;
mod view;

pub use server::{Server, Services, Start};
