//! The SMTP conversation: ingress and submission.
//!
//! [`Server`] serves a listener, [`conn`] runs one from greeting to goodbye, [`session`] is what
//! it remembers, and each verb has a file of its own. [`channel`] keeps the deadlines, [`reply`] is
//! the one place that turns errors into codes.

mod accept;
mod auth;
mod bdat;
mod channel;
mod conn;
mod data;
mod ehlo;
mod mail;
mod pace;
mod rcpt;
mod reply;
mod server;
mod session;
mod simple;
mod starttls;
mod xclient;

pub use server::{Kind, Server, Services, Start};
