//! The IMAP conversation.
