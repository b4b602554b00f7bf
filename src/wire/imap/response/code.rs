//! Response codes: what a status means to a program (RFC 3501 §7.1, RFC 5530).

use crate::domain::flags::Flags;
use crate::domain::ids::FolderId;
use crate::wire::imap::command::Tag;
use crate::wire::imap::flags::encode_flags;
use crate::wire::imap::numbers::NumberSet;

/// A response code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code<'a> {
    /// Show the text to the user.
    Alert,
    /// The mailbox to be made is there (RFC 5530).
    AlreadyExists,
    /// What UIDs appended messages got, in their order (RFC 4315 §3).
    AppendUid {
        /// The UIDVALIDITY of their mailbox.
        uid_validity: u32,
        /// Their UIDs.
        uids: &'a NumberSet,
    },
    /// Wrong name or password; which one is not said (RFC 5530).
    AuthenticationFailed,
    /// Known, but not allowed to act for that user (RFC 5530).
    AuthorizationFailed,
    /// The charset of SEARCH is none of `US-ASCII` and `UTF-8`.
    BadCharset,
    /// CATENATE was given a URL of nothing that could be had (RFC 4469 §5).
    BadUrl(&'a str),
    /// NOTIFY asks for an event that is not among these (RFC 5465 §5).
    BadEvent(&'static [&'static str]),
    /// Never possible here (RFC 5530).
    Cannot,
    /// What the server can do.
    Capability(&'a [&'a str]),
    /// The mailbox selected before is closed now (RFC 7162 §3.2.11).
    Closed,
    /// What travels is compressed already (RFC 4978 §3).
    CompressionActive,
    /// What UIDs copied messages got (RFC 4315 §3): the n-th of `from` became the n-th of `to`.
    /// Not written at all when nothing was copied.
    CopyUid {
        /// The UIDVALIDITY of the mailbox copied to.
        uid_validity: u32,
        /// UIDs in the mailbox copied from.
        from: &'a NumberSet,
        /// UIDs in the mailbox copied to.
        to: &'a NumberSet,
    },
    /// Somebody has removed the message (RFC 5530).
    ExpungeIssued,
    /// The highest mod-sequence in the mailbox (RFC 7162 §3.1.2.1).
    HighestModSeq(u64),
    /// The command of this tag is still being worked on; nobody knows for how long (RFC 9585).
    InProgress(&'a Tag),
    /// A bound of the server was reached (RFC 5530).
    Limit,
    /// METADATA LONGENTRIES: the largest value that was not sent, in octets (RFC 5464 §4.2.1).
    LongEntries(u64),
    /// METADATA MAXSIZE: the largest value that can be set, in octets (RFC 5464 §4.3).
    MaxSize(u64),
    /// METADATA TOOMANY: no more annotations (RFC 5464 §4.3).
    TooMany,
    /// The mailbox's id, which outlives its name (RFC 8474 §4.1).
    MailboxId(FolderId),
    /// Too many messages for one command (RFC 9738 §3.1).
    MessageLimit {
        /// How many it takes.
        most: u32,
        /// The lowest UID of those that it took; `None` when it took none.
        lowest: Option<u32>,
    },
    /// The messages, by sequence number or UID, that were not stored because somebody else changed
    /// them (RFC 7162 §3.1.3).
    Modified(&'a NumberSet),
    /// The mailbox keeps no mod-sequences (RFC 7162 §3.1.2.2).
    NoModSeq,
    /// NOTIFY is off: there is more to tell than the server tells (RFC 5465 §5.8).
    NotificationOverflow,
    /// No such mailbox (RFC 5530).
    NonExistent,
    /// Not allowed (RFC 5530).
    NoPerm,
    /// The quota is used up (RFC 5530).
    OverQuota,
    /// The flags that can be changed for good.
    PermanentFlags {
        /// Those that exist.
        flags: &'a Flags,
        /// `\*`: new keywords can be made.
        any_keyword: bool,
    },
    /// Not without TLS (RFC 5530).
    PrivacyRequired,
    /// The mailbox cannot be changed.
    ReadOnly,
    /// The mailbox can be changed.
    ReadWrite,
    /// The server is at fault (RFC 5530).
    ServerBug,
    /// The message is larger than the server takes (RFC 7889 §4).
    TooBig,
    /// The mailbox is not there but could be made.
    TryCreate,
    /// The next UID.
    UidNext(u32),
    /// The mailbox's UIDVALIDITY.
    UidValidity(u32),
    /// Sequence numbers are not used any more (RFC 9586 §3.2).
    UidRequired,
    /// A part of the server is out of order for now (RFC 5530).
    Unavailable,
    /// A part cannot be decoded (RFC 9051 §6.4.5).
    UnknownCte,
    /// The sequence number of the first message that is not seen.
    Unseen(u32),
    /// The special use is not for this mailbox (RFC 6154 §6).
    UseAttr,
}

impl Code<'_> {
    /// Appends the code in its brackets, and a space.
    ///
    /// ```abnf
    /// "[" resp-text-code "]" SP
    /// ```
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        if matches!(self, Code::CopyUid { from, .. } if from.is_empty()) {
            return;
        }
        out.push(b'[');
        out.extend_from_slice(self.name().as_bytes());
        self.arguments(out);
        out.extend_from_slice(b"] ");
    }

    fn name(self) -> &'static str {
        match self {
            Code::Alert => "ALERT",
            Code::AlreadyExists => "ALREADYEXISTS",
            Code::AppendUid { .. } => "APPENDUID",
            Code::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Code::AuthorizationFailed => "AUTHORIZATIONFAILED",
            Code::BadCharset => "BADCHARSET",
            Code::BadEvent(_) => "BADEVENT",
            Code::BadUrl(_) => "BADURL",
            Code::Cannot => "CANNOT",
            Code::Capability(_) => "CAPABILITY",
            Code::Closed => "CLOSED",
            Code::CompressionActive => "COMPRESSIONACTIVE",
            Code::CopyUid { .. } => "COPYUID",
            Code::ExpungeIssued => "EXPUNGEISSUED",
            Code::HighestModSeq(_) => "HIGHESTMODSEQ",
            Code::InProgress(_) => "INPROGRESS",
            Code::Limit => "LIMIT",
            Code::LongEntries(_) => "METADATA LONGENTRIES",
            Code::MaxSize(_) => "METADATA MAXSIZE",
            Code::TooMany => "METADATA TOOMANY",
            Code::MailboxId(_) => "MAILBOXID",
            Code::MessageLimit { .. } => "MESSAGELIMIT",
            Code::Modified(_) => "MODIFIED",
            Code::NoModSeq => "NOMODSEQ",
            Code::NonExistent => "NONEXISTENT",
            Code::NotificationOverflow => "NOTIFICATIONOVERFLOW",
            Code::NoPerm => "NOPERM",
            Code::OverQuota => "OVERQUOTA",
            Code::PermanentFlags { .. } => "PERMANENTFLAGS",
            Code::PrivacyRequired => "PRIVACYREQUIRED",
            Code::ReadOnly => "READ-ONLY",
            Code::ReadWrite => "READ-WRITE",
            Code::ServerBug => "SERVERBUG",
            Code::TooBig => "TOOBIG",
            Code::TryCreate => "TRYCREATE",
            Code::UidNext(_) => "UIDNEXT",
            Code::UidRequired => "UIDREQUIRED",
            Code::UidValidity(_) => "UIDVALIDITY",
            Code::Unavailable => "UNAVAILABLE",
            Code::Unseen(_) => "UNSEEN",
            Code::UnknownCte => "UNKNOWN-CTE",
            Code::UseAttr => "USEATTR",
        }
    }

    fn arguments(self, out: &mut Vec<u8>) {
        let text = match self {
            Code::AppendUid { uid_validity, uids } => format!(" {uid_validity} {uids}"),
            Code::BadCharset => " (US-ASCII UTF-8)".to_owned(),
            Code::BadEvent(names) => format!(" ({})", names.join(" ")),
            Code::BadUrl(url) => format!(" \"{}\"", shown(url)),
            Code::Capability(names) => format!(" {}", names.join(" ")),
            Code::CopyUid { uid_validity, from, to } => format!(" {uid_validity} {from} {to}"),
            Code::HighestModSeq(number) | Code::LongEntries(number) | Code::MaxSize(number) => {
                format!(" {number}")
            }
            Code::InProgress(tag) => format!(" (\"{}\" NIL NIL)", tag.as_str()),
            Code::MailboxId(id) => format!(" ({id})"),
            Code::MessageLimit { most, lowest: Some(uid) } => format!(" {most} {uid}"),
            Code::MessageLimit { most, lowest: None } => format!(" {most}"),
            Code::Modified(left) => format!(" {left}"),
            Code::UidNext(number) | Code::UidValidity(number) | Code::Unseen(number) => {
                format!(" {number}")
            }
            Code::PermanentFlags { flags, any_keyword } => {
                out.push(b' ');
                return encode_flags(out, flags, any_keyword.then_some("\\*"));
            }
            _ => return,
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// The longest part of a URL that is shown again, in characters.
const MAX_URL: usize = 1000;

/// A URL without what would end the code or the line.
///
/// ```abnf
/// url-resp-text = 1*(%x01-09 / %x0B-0C / %x0E-5B / %x5D-FE)
/// ```
fn shown(url: &str) -> String {
    let plain = |c: &char| c.is_ascii_graphic() && !matches!(c, ']' | '"' | '\\');
    url.chars().take(MAX_URL).filter(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::parse_command;

    fn encoded(code: Code<'_>) -> String {
        let mut out = Vec::new();
        code.encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn codes_with_arguments() {
        // The examples of RFC 3501 §6.3.1, RFC 4315 §3 and RFC 7162 §3.1.2.1.
        let flags = Flags { deleted: true, seen: true, ..Flags::default() };
        let permanent = |any_keyword| encoded(Code::PermanentFlags { flags: &flags, any_keyword });
        assert_eq!(permanent(true), "[PERMANENTFLAGS (\\Deleted \\Seen \\*)] ");
        assert_eq!(permanent(false), "[PERMANENTFLAGS (\\Deleted \\Seen)] ");
        assert_eq!(encoded(Code::UidValidity(3_857_529_045)), "[UIDVALIDITY 3857529045] ");
        assert_eq!(encoded(Code::UidNext(4392)), "[UIDNEXT 4392] ");
        assert_eq!(encoded(Code::Unseen(12)), "[UNSEEN 12] ");
        let uids = [3955].into_iter().collect();
        assert_eq!(
            encoded(Code::AppendUid { uid_validity: 38505, uids: &uids }),
            "[APPENDUID 38505 3955] "
        );
        assert_eq!(encoded(Code::HighestModSeq(715_194_045_007)), "[HIGHESTMODSEQ 715194045007] ");
        assert_eq!(
            encoded(Code::Capability(&["IMAP4rev1", "IDLE"])),
            "[CAPABILITY IMAP4rev1 IDLE] "
        );
        // RFC 9738 §3.1.
        let limit = |lowest| encoded(Code::MessageLimit { most: 1000, lowest });
        assert_eq!(limit(Some(23_221)), "[MESSAGELIMIT 1000 23221] ");
        assert_eq!(limit(None), "[MESSAGELIMIT 1000] ");
        // RFC 5464 §4.2.1.
        assert_eq!(encoded(Code::LongEntries(2199)), "[METADATA LONGENTRIES 2199] ");
        assert_eq!(encoded(Code::TooMany), "[METADATA TOOMANY] ");
        // RFC 4469 §3.
        let url = "/INBOX;UIDVALIDITY=785799047/;UID=113330;section=1.5.9";
        assert_eq!(
            encoded(Code::BadUrl(url)),
            "[BADURL \"/INBOX;UIDVALIDITY=785799047/;UID=113330;section=1.5.9\"] "
        );
        assert_eq!(encoded(Code::BadUrl("a]\r\n\"b")), "[BADURL \"ab\"] ");
        // RFC 9585 §4.
        let noop = parse_command(b"A001 NOOP\r\n").unwrap();
        assert_eq!(encoded(Code::InProgress(&noop.tag)), "[INPROGRESS (\"A001\" NIL NIL)] ");
        assert_eq!(encoded(Code::BadCharset), "[BADCHARSET (US-ASCII UTF-8)] ");
    }

    #[test]
    fn copyuid_is_left_out_when_nothing_was_copied() {
        let from: NumberSet = [304, 319, 320].into_iter().collect();
        let to: NumberSet = (3956..=3958).collect();
        let code = Code::CopyUid { uid_validity: 38505, from: &from, to: &to };
        assert_eq!(encoded(code), "[COPYUID 38505 304,319:320 3956:3958] ");
        let none = NumberSet::default();
        assert_eq!(encoded(Code::CopyUid { uid_validity: 1, from: &none, to: &none }), "");
    }
}
