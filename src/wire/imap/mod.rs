//! The IMAP grammar.
