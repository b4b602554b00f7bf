//! What a message may cost to take apart (CVE-2020-12100, CVE-2024-23184, CVE-2026-27859).

/// Containers (multiparts and messages) inside each other.
pub(super) const MAX_DEPTH: usize = 100;
/// Entities of all kinds, the message itself included.
pub(super) const MAX_PARTS: usize = 10_000;
/// Parameters of one Content-Type or Content-Disposition.
pub(super) const MAX_PARAMETERS: usize = 128;
/// Octets of one header block.
pub(super) const MAX_HEADER: usize = 256 * 1024;
/// Octets of one ENVELOPE, BODY or BODYSTRUCTURE, so that answers stay bounded too.
pub(super) const MAX_STRUCTURE: usize = 1024 * 1024;
/// Mailboxes read from one address field: as many as one SMTP transaction may have.
pub(super) const MAX_MAILBOXES: usize = 1000;

/// The bound a message went past. It is kept as it is then, and treated as opaque: one text body,
/// no parts, no attachments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Bound {
    /// More than 100 containers inside each other.
    #[error("nested more than 100 deep")]
    Depth,
    /// More than 10,000 parts.
    #[error("more than 10,000 parts")]
    Parts,
    /// More than 128 parameters on one field.
    #[error("more than 128 parameters on one field")]
    Parameters,
    /// A header block over 256 KiB.
    #[error("a header over 256 KiB")]
    Header,
    /// A structure that takes over 1 MiB to describe.
    #[error("a structure over 1 MiB")]
    Structure,
}
