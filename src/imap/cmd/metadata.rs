//! GETMETADATA and SETMETADATA (RFC 5464).

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::annotations::MAX_VALUE;
use crate::mail::mailbox::{Annotation, Mailboxes};
use crate::wire::imap::annotation::{Depth, EntryName};
use crate::wire::imap::command::{GetMetadata, SetMetadata};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::response::{Code, Writer};

/// Tells annotations of a mailbox, or of the server.
pub(in crate::imap) async fn get_metadata(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    wanted: &GetMetadata,
) -> Answer {
    let mailbox = wanted.mailbox.as_ref();
    let name = mailbox.map(MailboxName::as_str);
    let mut found = match mailboxes.annotations(who, name, &wanted.entries).await {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    let covered =
        |entry: &EntryName| wanted.entries.iter().any(|tree| tree.covers(entry, wanted.depth));
    found.retain(|annotation| covered(&annotation.entry));
    let max = wanted.max_size.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let longest = found.iter().map(|annotation| annotation.value.len()).max().unwrap_or(0);
    let (sent, long): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|annotation| annotation.value.len() <= max);
    if wanted.depth == Depth::Zero {
        let asked: Vec<_> = wanted
            .entries
            .iter()
            .filter(|entry| long.iter().all(|annotation| annotation.entry != **entry))
            .cloned()
            .collect();
        write_asked(out, mailbox, &asked, &sent);
    } else {
        let mut answer = out.metadata(mailbox);
        for annotation in &sent {
            answer.value(&annotation.entry, Some(&annotation.value));
        }
        answer.end();
    }
    let answer = Answer::ok("That is all");
    if long.is_empty() { answer } else { answer.with(Code::LongEntries(longest as u64)) }
}

/// One answer with each entry that was asked for; NIL for one without a value.
pub(super) fn write_asked(
    out: &mut Writer,
    mailbox: Option<&MailboxName>,
    asked: &[EntryName],
    found: &[Annotation],
) {
    let mut answer = out.metadata(mailbox);
    for entry in asked {
        let value = found.iter().find(|annotation| annotation.entry == *entry);
        answer.value(entry, value.map(|annotation| annotation.value.as_slice()));
    }
    answer.end();
}

/// Sets annotations, all or none.
pub(in crate::imap) async fn set_metadata(
    mailboxes: &Mailboxes,
    who: &Identity,
    set: &SetMetadata,
) -> Answer {
    if set.values.iter().flat_map(|(_, value)| value).any(|value| value.len() > MAX_VALUE) {
        return Answer::no(Code::MaxSize(MAX_VALUE as u64), "That value is too large");
    }
    let name = set.mailbox.as_ref().map(MailboxName::as_str);
    match mailboxes.annotate(who, name, &set.values).await {
        Ok(()) => Answer::ok("Noted"),
        Err(error) => error.into(),
    }
}
