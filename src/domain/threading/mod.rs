//! Conversations, found anew each time a client asks (RFC 5256 §3).
//!
//! Nothing here recurses: how deep answers go is up to whoever writes them.

mod containers;
mod ordered_subject;
mod references;
mod subjects;
#[cfg(test)]
mod tests;

pub use ordered_subject::ordered_subject;
pub use references::references;

/// What threading looks at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Threaded {
    /// Its number, for the answer.
    pub number: u32,
    /// Its identifier.
    pub message_id: Option<String>,
    /// What it answers, oldest first: References, or one identifier of In-Reply-To.
    pub references: Vec<String>,
    /// Its base subject, with case folded.
    pub base_subject: String,
    /// Its subject is that of a reply or a forward.
    pub is_reply: bool,
    /// When it was sent, in seconds since 1970.
    pub sent: i64,
}

/// Trees of messages.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forest {
    /// The nodes of all trees, in no order.
    pub nodes: Vec<Node>,
    /// The roots, as indices into `nodes`, in the order of their threads.
    pub roots: Vec<usize>,
}

/// A message in its conversation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Node {
    /// The message's number; `None` for one that is not there, whose answers are.
    pub number: Option<u32>,
    /// Its answers, as indices, in order.
    pub children: Vec<usize>,
}
