//! What mail operations answer when they do not succeed.
//!
//! Each protocol translates these once: `smtp/reply.rs`, `imap/status.rs`,
//! `http/error.rs`.

use crate::store;

/// Why an operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It will not happen as asked, and the reason may be told.
    #[error("rejected: {}", .0.text())]
    Rejected(Reason),
    /// It did not happen now. The text is for the log, never for the wire.
    #[error("temporary: {0}")]
    Temporary(String),
    /// As [`Error::Temporary`]: nothing can be kept now, the object store is gone or a disk full.
    #[error("storage: {0}")]
    Storage(String),
    /// There is no such folder, message, row.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// There is one of that name already.
    #[error("there is such a {0} already")]
    Exists(&'static str),
    /// A rule of the mailbox refuses it, in these words: printable ASCII, at
    /// most 400 octets.
    #[error("refused by a rule")]
    Refused(String),
    /// Wrong credentials, or not allowed; no more is told.
    #[error("denied")]
    Denied,
    /// The mailbox is full.
    #[error("over quota")]
    OverQuota,
    /// A defect of ours. The text is for the log, never for the wire.
    #[error("internal: {0}")]
    Internal(String),
}

/// Reasons that a peer or a sender is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Nobody has this address.
    UnknownRecipient,
    /// The domain is not ours and the peer is not logged in.
    RelayDenied,
    /// The organisation or the mailbox is suspended.
    Suspended,
    /// The message has been here before, or through too many hosts.
    MailLoop,
    /// The reverse-path or a From, Sender or Resent-From is not the login's.
    SenderNotYours,
    /// The sender's domain is not proven by its DNS records.
    DomainNotVerified,
    /// There is no From field, or more than one, or one that cannot be read.
    BadFrom,
    /// The domain in From asks to have mail refused that nothing proves to be its own.
    NotAuthentic,
    /// The content filter is sure that it is spam.
    Spam,
    /// A stranger is to come again (RFC 6647).
    ComeAgain,
    /// The message is larger than the limit.
    TooBig,
    /// The message is larger than all that the mailbox may hold.
    NeverFits,
    /// What comes to a forwarding's return address is reports only.
    NoReport,
    /// Bare CR, bare LF or NUL in the message.
    BadContent,
    /// The name is not allowed for a folder.
    BadFolderName,
    /// The folder may not be changed so: INBOX stays.
    FolderFixed,
    /// Whoever asks may not.
    NoRights,
    /// The mailbox has as many annotations as it can have, or as large ones.
    TooManyAnnotations,
    /// The message that was to be replaced has gone.
    MessageGone,
    /// Nobody here knows how the octets are encoded.
    UnknownEncoding,
    /// No folder can be used so, or one is already (RFC 6154).
    SpecialUse,
    /// The text is no organisation's slug, or a reserved one.
    BadSlug,
    /// The name for people is empty or too long.
    BadName,
    /// The password is too short or too long.
    BadPassword,
    /// The text is no domain name.
    BadDomain,
    /// Another organisation has proven the domain.
    DomainElsewhere,
}

impl Reason {
    /// Enhanced status code (RFC 3463). Class 4 asks the peer to come again.
    pub fn status(self) -> (u8, u16, u16) {
        match self {
            Self::UnknownRecipient => (5, 1, 1),
            Self::Spam
            | Self::RelayDenied
            | Self::SenderNotYours
            | Self::DomainNotVerified
            | Self::NoReport => (5, 7, 1),
            // "Multiple authentication checks failed" (RFC 7372 §3.3)
            Self::NotAuthentic => (5, 7, 26),
            Self::ComeAgain => (4, 7, 1),
            Self::Suspended => (4, 2, 1),
            Self::MailLoop => (5, 4, 6),
            Self::BadFrom | Self::BadContent => (5, 6, 0),
            Self::TooBig => (5, 3, 4),
            Self::NeverFits => (5, 2, 3),
            Self::BadFolderName
            | Self::FolderFixed
            | Self::SpecialUse
            | Self::UnknownEncoding
            | Self::MessageGone
            | Self::NoRights
            | Self::TooManyAnnotations
            | Self::BadSlug
            | Self::BadName
            | Self::BadPassword
            | Self::BadDomain
            | Self::DomainElsewhere => (5, 0, 0),
        }
    }

    /// One plain sentence, without the final stop.
    pub fn text(self) -> &'static str {
        match self {
            Self::UnknownRecipient => "There is no such mailbox here",
            Self::RelayDenied => "Relaying is not allowed: that domain is not hosted here",
            Self::Suspended => "This mailbox is suspended, try again later",
            Self::MailLoop => "This message is going in circles",
            Self::SenderNotYours => "That sender address is not yours",
            Self::DomainNotVerified => "The sender's domain is not verified yet",
            Self::BadFrom => "The message must have exactly one From field with one address",
            Self::NotAuthentic => {
                "Neither SPF nor DKIM proves the From domain, whose DMARC policy is to refuse such mail"
            }
            Self::Spam => "This message looks like spam",
            Self::ComeAgain => "You are new here: come again in some minutes",
            Self::TooBig => "The message is too big",
            Self::NeverFits => "The message is larger than the mailbox",
            Self::NoReport => "Only reports come back to this address",
            Self::BadContent => "The message holds a bare CR, a bare LF or a NUL",
            Self::BadFolderName => "That is no name for a folder",
            Self::FolderFixed => "That folder cannot be changed so",
            Self::SpecialUse => "No folder can be used for that, or another one is",
            Self::MessageGone => "Somebody else has removed that message",
            Self::UnknownEncoding => "Nobody here can decode that",
            Self::NoRights => "That is not yours to do",
            Self::TooManyAnnotations => "There is no room for more annotations",
            Self::BadSlug => {
                "A slug is 1 to 40 of a-z, 0-9 and _, beginning with a letter, and no reserved word"
            }
            Self::BadName => "A name is neither empty nor that long",
            Self::BadPassword => "A password has 8 to 1024 octets",
            Self::BadDomain => "That is no domain name",
            Self::DomainElsewhere => "The domain belongs to another organisation",
        }
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::Rejected(reason)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound("row"),
            store::Error::OverQuota => Self::OverQuota,
            store::Error::Unavailable(text) => Self::Temporary(text),
            store::Error::Objects(text) => Self::Storage(text),
            passing @ (store::Error::Stale | store::Error::Outdated) => {
                Self::Temporary(passing.to_string())
            }
            other @ (store::Error::Conflict { .. }
            | store::Error::Corrupt(_)
            | store::Error::Internal(_)) => Self::Internal(other.to_string()),
        }
    }
}
