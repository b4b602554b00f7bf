//! What is wrong with a user's settings, in one sentence that says where.

/// A refused configuration. Lines count from 1 and are the user's file's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is not TOML.
    #[error("line {line}: {message}")]
    Syntax {
        /// Where reading stopped.
        line: usize,
        /// What the reader expected.
        message: String,
    },
    /// A key that does not exist, or a value that does not fit its key.
    #[error("line {line}, {key}: {message}")]
    Key {
        /// Where the key or its value stands.
        line: usize,
        /// The dotted path of the key.
        key: String,
        /// Why it is refused.
        message: String,
    },
    /// A key that another one makes necessary.
    #[error("{key} must be set, because {because}")]
    Needed {
        /// The dotted path of the missing key.
        key: &'static str,
        /// What makes it necessary.
        because: &'static str,
    },
}
