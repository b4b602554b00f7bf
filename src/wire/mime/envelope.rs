//! ENVELOPE (RFC 3501 §7.4.2), ready to send.

use super::address::{Item, RawMailbox};
use super::headers::unfold;
use super::origin::Origin;
use crate::wire::imap::strings::{encode_nstring, encode_string};

/// Appends the envelope of a message. Values stay as they are in the header, encoded words too; only
/// folds and the quoting of names are undone.
///
/// ```abnf
/// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP
///            env-cc SP env-bcc SP env-in-reply-to SP env-message-id ")"
/// ```
pub(super) fn encode_envelope(out: &mut Vec<u8>, origin: &Origin<'_>) {
    out.push(b'(');
    encode_value(out, origin.date);
    out.push(b' ');
    encode_value(out, origin.subject);
    // "The server MUST default the reply-to and sender from the from field" (RFC 3501 §7.4.2).
    let or_from = |list| if has_mailbox(list) { list } else { &origin.from };
    let sender = or_from(&origin.sender);
    let reply_to = or_from(&origin.reply_to);
    for list in [&origin.from, sender, reply_to, &origin.to, &origin.cc, &origin.bcc] {
        out.push(b' ');
        encode_list(out, list);
    }
    out.push(b' ');
    encode_value(out, origin.in_reply_to);
    out.push(b' ');
    encode_value(out, origin.message_id);
    out.push(b')');
}

/// Appends a value on one line, or NIL.
pub(super) fn encode_value(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => encode_octets(out, &unfold(value)),
        None => encode_nstring(out, None),
    }
}

/// Appends a string without its NULs: no string on the wire can hold one (RFC 3501 §9, CHAR8).
pub(super) fn encode_octets(out: &mut Vec<u8>, octets: &[u8]) {
    if octets.contains(&0) {
        let without: Vec<_> = octets.iter().copied().filter(|&byte| byte != 0).collect();
        encode_string(out, &without);
    } else {
        encode_string(out, octets);
    }
}

fn has_mailbox(list: &[Item]) -> bool {
    list.iter().any(|item| matches!(item, Item::Mailbox(_)))
}

/// ```abnf
/// env-from = "(" 1*address ")" / nil
/// ```
fn encode_list(out: &mut Vec<u8>, list: &[Item]) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for item in list {
        match item {
            Item::Mailbox(mailbox) => encode_mailbox(out, mailbox),
            Item::GroupStart(name) => {
                out.extend_from_slice(b"(NIL NIL ");
                encode_octets(out, name);
                out.extend_from_slice(b" NIL)");
            }
            Item::GroupEnd => out.extend_from_slice(b"(NIL NIL NIL NIL)"),
        }
    }
    out.push(b')');
}

/// A host that is missing is an empty string: NIL would make the mailbox a group.
///
/// ```abnf
/// address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
/// ```
fn encode_mailbox(out: &mut Vec<u8>, mailbox: &RawMailbox) {
    let (local, domain) = mailbox.local_and_domain();
    out.push(b'(');
    encode_value(out, mailbox.name.as_deref());
    out.push(b' ');
    encode_value(out, mailbox.route.as_deref());
    out.push(b' ');
    encode_octets(out, &local);
    out.push(b' ');
    encode_octets(out, domain);
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(block: &[u8]) -> String {
        let mut out = Vec::new();
        encode_envelope(&mut out, &Origin::read(block));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_example_of_rfc_3501() {
        // RFC 3501 §8: the header fetched there, and the envelope given for it.
        let header = b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n\
            From: Terry Gray <gray@cac.washington.edu>\r\n\
            Subject: IMAP4rev1 WG mtg summary and minutes\r\n\
            To: imap@cac.washington.edu\r\n\
            cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
            Message-Id: <B27397-0100000@cac.washington.edu>\r\n\
            MIME-Version: 1.0\r\n\
            Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n";
        let expected = "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \
            \"IMAP4rev1 WG mtg summary and minutes\" \
            ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
            ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
            ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
            ((NIL NIL \"imap\" \"cac.washington.edu\")) \
            ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")\
            (\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
            \"<B27397-0100000@cac.washington.edu>\")";
        assert_eq!(envelope(header), expected);
    }

    #[test]
    fn absent_is_nil_and_empty_is_an_empty_string() {
        assert_eq!(envelope(b""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        assert_eq!(
            envelope(b"Subject:\r\nFrom:\r\nTo: \r\nIn-Reply-To: \r\n\r\n"),
            "(NIL \"\" NIL NIL NIL NIL NIL NIL \"\" NIL)"
        );
    }

    #[test]
    fn groups_encoded_words_and_folds() {
        let header = b"From: =?utf-8?q?J=C3=BCrgen?=\r\n <j@x.de>\r\nSender: s@x.de\r\n\
            To: List: a@b, \"c d\"@e;, f\r\nSubject: =?utf-8?q?=C3=BC?=\r\n\ttwo\r\n\r\n";
        let expected = "(NIL \"=?utf-8?q?=C3=BC?=\ttwo\" \
            ((\"=?utf-8?q?J=C3=BCrgen?=\" NIL \"j\" \"x.de\")) ((NIL NIL \"s\" \"x.de\")) \
            ((\"=?utf-8?q?J=C3=BCrgen?=\" NIL \"j\" \"x.de\")) \
            ((NIL NIL \"List\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL \"c d\" \"e\")(NIL NIL NIL NIL)\
            (NIL NIL \"f\" \"\")) NIL NIL NIL NIL)";
        assert_eq!(envelope(header), expected);
    }

    #[test]
    fn a_line_break_in_a_bad_place_cannot_end_the_answer() {
        let mut out = Vec::new();
        encode_envelope(&mut out, &Origin::read(b"Subject: a\r * OK\r\n\r\n"));
        assert!(out.starts_with(b"(NIL {7}\r\na\r * OK "));
    }
}
