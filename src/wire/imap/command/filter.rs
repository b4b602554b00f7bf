//! Which mailboxes a command is about, without naming each (RFC 5465 §6, RFC 7377 §2).

use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::mailbox::{DELIMITER, MailboxName};

/// The most mailboxes named in one filter.
const MAX_NAMES: usize = 200;

/// Mailboxes that need not be open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    /// `PERSONAL`, and `INBOXES`: rules may deliver into any folder.
    Personal,
    /// `SUBSCRIBED`
    Subscribed,
    /// `SUBTREE`: these, and all below them.
    Subtree(Vec<MailboxName>),
    /// `SUBTREE-ONE`: these, and those one level below them.
    SubtreeOne(Vec<MailboxName>),
    /// `MAILBOXES`: these alone.
    Mailboxes(Vec<MailboxName>),
}

impl Filter {
    /// Whether a mailbox is among them.
    pub fn matches(&self, name: &MailboxName, subscribed: bool) -> bool {
        match self {
            Self::Personal => true,
            Self::Subscribed => subscribed,
            Self::Subtree(tops) => tops.iter().any(|top| name == top || name.is_below(top)),
            Self::SubtreeOne(tops) => {
                let above = name.as_str().rsplit_once(DELIMITER).map(|(above, _)| above);
                tops.iter().any(|top| name == top || above == Some(top.as_str()))
            }
            Self::Mailboxes(names) => names.contains(name),
        }
    }
}

/// What follows the word of a filter, which is given in upper case; `None` for any other word.
///
/// ```abnf
/// filter-mailboxes = "inboxes" / "personal" / "subscribed" / "subtree" SP one-or-more-mailbox /
///                    "subtree-one" SP one-or-more-mailbox / "mailboxes" SP one-or-more-mailbox
/// ```
pub(super) fn filter(cursor: &mut Cursor<'_>, word: &[u8]) -> Parsed<Option<Filter>> {
    Ok(Some(match word {
        b"INBOXES" | b"PERSONAL" => Filter::Personal,
        b"SUBSCRIBED" => Filter::Subscribed,
        b"SUBTREE" => Filter::Subtree(mailboxes(cursor)?),
        b"SUBTREE-ONE" => Filter::SubtreeOne(mailboxes(cursor)?),
        b"MAILBOXES" => Filter::Mailboxes(mailboxes(cursor)?),
        _ => return Ok(None),
    }))
}

/// ```abnf
/// one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
/// ```
fn mailboxes(cursor: &mut Cursor<'_>) -> Parsed<Vec<MailboxName>> {
    cursor.sp()?;
    if cursor.peek() == Some(b'(') {
        return cursor.list(MAX_NAMES, "mailboxes", false, Cursor::mailbox);
    }
    Ok(vec![cursor.mailbox()?])
}
