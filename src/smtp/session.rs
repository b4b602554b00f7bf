//! What a session remembers.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::domain::address::Address;
use crate::domain::envelope::{MailFrom, Recipient};
use crate::mail::client::{Client, Identity};
use crate::mail::recipients::Local;

use super::bdat::Chunks;

/// One peer, from greeting to goodbye.
pub(super) struct Session {
    /// The other end of the connection.
    pub(super) connected: IpAddr,
    /// The client: the same, or whom a server in front speaks for.
    pub(super) peer: IpAddr,
    /// What that client called itself, as the server in front tells.
    pub(super) told: Option<Hello>,
    /// What it said in EHLO or HELO.
    pub(super) hello: Option<Hello>,
    /// Who it is, after AUTH.
    pub(super) login: Option<Identity>,
    /// The transaction in hand.
    pub(super) phase: Phase,
}

/// EHLO or HELO.
pub(super) struct Hello {
    /// What the client calls itself.
    pub(super) name: String,
    /// It was EHLO.
    pub(super) esmtp: bool,
}

/// How far a transaction has come (RFC 5321 §3.3).
pub(super) enum Phase {
    /// None has begun.
    Idle,
    /// MAIL was accepted, and perhaps recipients.
    Mail(Envelope),
    /// BDAT has begun: only BDAT goes on, only RSET and EHLO go back (RFC 3030 §3).
    Chunks(Envelope, Box<Chunks>),
}

/// Sender and recipients.
pub(super) struct Envelope {
    /// What MAIL said.
    pub(super) mail_from: MailFrom,
    /// The content need not be lines, and comes by BDAT (RFC 3030 §3).
    pub(super) binary: bool,
    /// Octets of the message as MAIL said (RFC 1870); 0 where it did not.
    pub(super) size: u64,
    /// The recipients accepted so far.
    pub(super) recipients: Recipients,
    /// Their addresses: one given twice is one recipient.
    pub(super) seen: HashSet<Address>,
}

/// Recipients, by who may have them.
pub(super) enum Recipients {
    /// On ingress: mailboxes of ours.
    Local(Vec<(Recipient, Local)>),
    /// On submission: anybody.
    Any(Vec<Recipient>),
}

impl Recipients {
    /// How many.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Local(list) => list.len(),
            Self::Any(list) => list.len(),
        }
    }
}

impl Session {
    /// A peer that has said nothing yet.
    pub(super) fn new(peer: IpAddr) -> Self {
        Self { connected: peer, peer, told: None, hello: None, login: None, phase: Phase::Idle }
    }

    /// The same peer, that has said nothing yet (RFC 3207 §4.2).
    pub(super) fn anew(self) -> Self {
        Self { peer: self.peer, told: self.told, ..Self::new(self.connected) }
    }

    /// Ends the transaction in hand, if there is one.
    pub(super) fn reset(&mut self) {
        self.phase = Phase::Idle;
    }

    /// Takes the transaction out; the session is idle after it.
    pub(super) fn take_phase(&mut self) -> Phase {
        std::mem::replace(&mut self.phase, Phase::Idle)
    }

    /// The peer, as the trace fields tell it.
    pub(super) fn client(&self, tls: Option<String>) -> Client {
        let hello = self.told.as_ref().or(self.hello.as_ref());
        Client {
            ip: self.peer,
            helo: hello.map(|hello| hello.name.clone()).unwrap_or_default(),
            tls,
            esmtp: hello.is_some_and(|hello| hello.esmtp),
            login: self.login.clone(),
        }
    }
}
