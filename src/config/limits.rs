//! `[limits]` and `[timeouts]`: what one peer may ask for, and how long it may take.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;

use super::{Size, Span};

/// Bounds on one peer, one message and one listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The largest message taken, in any way.
    pub message_size: Size,
    /// Recipients of one SMTP transaction.
    pub recipients: NonZeroUsize,
    /// Connections to each listener.
    pub connections: NonZeroUsize,
    /// Connections from one client address to each listener.
    pub connections_per_address: NonZeroUsize,
    /// New connections to each listener from one client address.
    pub connections_per_minute: NonZeroU32,
    /// The same from its network.
    pub connections_per_minute_network: NonZeroU32,
    /// Messages by SMTP from one client address.
    pub messages_per_hour: NonZeroU32,
    /// The same from its network.
    pub messages_per_hour_network: NonZeroU32,
    /// Messages that one IMAP command may name (RFC 9738); 0 is any number.
    pub messages_per_command: u32,
    /// Refused commands before an SMTP session is closed.
    pub errors: NonZeroU32,
    /// Bytes per second of message content.
    pub minimum_rate: NonZeroU32,
}

/// A deadline for each phase of a conversation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// A TLS handshake, from either side.
    pub tls_handshake: Span,
    /// Waiting for an SMTP command.
    pub smtp_command: Span,
    /// Waiting for more of a message.
    pub smtp_data: Span,
    /// Storing a message that has been read.
    pub processing: Span,
    /// Connecting to another mail server.
    pub remote_connect: Span,
    /// Waiting for its reply.
    pub remote_reply: Span,
    /// Writing more of a message to it.
    pub remote_data: Span,
    /// Waiting for its reply to a whole message.
    pub remote_end: Span,
    /// IMAP before login, the whole of it.
    pub imap_login: Span,
    /// IMAP after login, between two commands.
    pub imap_idle: Span,
    /// Finishing what is in hand at the end.
    pub shutdown: Span,
}

impl Timeouts {
    /// How long the database may take over one statement: a little less than `processing`, so
    /// that what was given up here is given up there, not carried out later.
    pub fn statement(&self) -> Duration {
        self.processing.duration() / 8 * 7
    }
}
