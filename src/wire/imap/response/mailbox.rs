//! Responses about mailboxes: LIST, LSUB, STATUS, FLAGS, EXISTS, RECENT (RFC 3501 §7.2, §7.3).

use std::fmt::{self, Display};

use super::Writer;
use crate::domain::flags::Flags;
use crate::domain::ids::FolderId;
use crate::wire::imap::command::StatusItem;
use crate::wire::imap::flags::encode_flags;
use crate::wire::imap::mailbox::{DELIMITER, MailboxName};
use crate::wire::imap::special_use::SpecialUse;

/// What LIST tells of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListAttribute {
    /// `\HasChildren`: there are names below (RFC 5258 §4).
    HasChildren,
    /// `\HasNoChildren`: there are none.
    HasNoChildren,
    /// `\NoInferiors`: there can be none.
    NoInferiors,
    /// `\NonExistent`: a name without a mailbox (RFC 5258 §3).
    NonExistent,
    /// `\Noselect`: it cannot be selected.
    NoSelect,
    /// `\Subscribed` (RFC 5258 §3.2).
    Subscribed,
    /// What it is for (RFC 6154 §2).
    SpecialUse(SpecialUse),
}

impl ListAttribute {
    fn as_str(self) -> &'static str {
        match self {
            Self::HasChildren => "\\HasChildren",
            Self::HasNoChildren => "\\HasNoChildren",
            Self::NoInferiors => "\\NoInferiors",
            Self::NonExistent => "\\NonExistent",
            Self::NoSelect => "\\Noselect",
            Self::Subscribed => "\\Subscribed",
            Self::SpecialUse(special_use) => special_use.as_str(),
        }
    }
}

/// What STATUS tells of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusValue {
    /// How many, or up to where.
    Number(u64),
    /// Which mailbox it is.
    MailboxId(FolderId),
}

impl Display for StatusValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::MailboxId(id) => write!(f, "({id})"),
        }
    }
}

/// One line of LIST.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListLine<'a> {
    /// The mailbox.
    pub name: &'a MailboxName,
    /// What is told of it.
    pub attributes: &'a [ListAttribute],
    /// What of it is below (RFC 5258 §3.5).
    pub child_info: ChildInfo,
}

/// Why a name stands in an answer to RECURSIVEMATCH: what was selected by is below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChildInfo {
    /// A subscribed name.
    pub subscribed: bool,
    /// A name with a special use.
    pub special_use: bool,
}

impl ChildInfo {
    /// Whether there is anything to tell.
    pub fn any(self) -> bool {
        self.subscribed || self.special_use
    }
}

impl Writer {
    /// ```abnf
    /// mailbox-data         = "LIST" SP mailbox-list
    /// mailbox-list         = "(" [mbx-list-flags] ")" SP DQUOTE QUOTED-CHAR DQUOTE SP mailbox
    ///                        [SP mbox-list-extended]
    /// mbox-list-extended   = "(" [mbox-list-extended-item ...] ")"    ; RFC 5258
    /// childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted ... ")"
    /// ```
    pub fn list(&mut self, line: ListLine<'_>) {
        self.list_head("LIST", line.attributes);
        self.mailbox(line.name);
        self.put(match line.child_info {
            ChildInfo { subscribed: true, special_use: true } => {
                " (\"CHILDINFO\" (\"SUBSCRIBED\" \"SPECIAL-USE\"))"
            }
            ChildInfo { subscribed: true, .. } => " (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            ChildInfo { special_use: true, .. } => " (\"CHILDINFO\" (\"SPECIAL-USE\"))",
            ChildInfo { .. } => "",
        });
        self.end();
    }

    /// The answer to a LIST that asks for the delimiter (RFC 3501 §6.3.8).
    pub fn list_root(&mut self) {
        self.list_head("LIST", &[ListAttribute::NoSelect]);
        self.put("\"\"");
        self.end();
    }

    /// A mailbox has a new name (RFC 9051 §6.3.9.7).
    ///
    /// ```abnf
    /// oldname-extended-item = "OLDNAME" SP "(" mailbox ")"
    /// ```
    pub fn list_renamed(&mut self, from: &MailboxName, to: &MailboxName) {
        self.list_head("LIST", &[]);
        self.mailbox(to);
        self.put(" (\"OLDNAME\" (");
        self.mailbox(from);
        self.put("))");
        self.end();
    }

    /// ```abnf
    /// mailbox-data =/ "LSUB" SP mailbox-list
    /// ```
    pub fn lsub(&mut self, name: &MailboxName, attributes: &[ListAttribute]) {
        self.list_head("LSUB", attributes);
        self.mailbox(name);
        self.end();
    }

    fn list_head(&mut self, response: &str, attributes: &[ListAttribute]) {
        let attributes: Vec<_> = attributes.iter().map(|attribute| attribute.as_str()).collect();
        self.put(&format!("* {response} ({}) \"{DELIMITER}\" ", attributes.join(" ")));
    }

    /// ```abnf
    /// mailbox-data    =/ "STATUS" SP mailbox SP "(" [status-att-list] ")"
    /// status-att-list = status-att SP status-value *(SP status-att SP status-value)
    /// status-value    = number / "(" objectid ")"    ; RFC 8474
    /// ```
    pub fn status(&mut self, name: &MailboxName, items: &[(StatusItem, StatusValue)]) {
        self.put("* STATUS ");
        self.mailbox(name);
        let items: Vec<_> =
            items.iter().map(|(item, value)| format!("{} {value}", item.as_str())).collect();
        self.put(&format!(" ({})", items.join(" ")));
        self.end();
    }

    /// The flags that the mailbox knows.
    ///
    /// ```abnf
    /// mailbox-data =/ "FLAGS" SP flag-list
    /// ```
    pub fn flags(&mut self, flags: &Flags) {
        self.put("* FLAGS ");
        encode_flags(&mut self.out, flags, None);
        self.end();
    }

    /// ```abnf
    /// mailbox-data =/ number SP "EXISTS"
    /// ```
    pub fn exists(&mut self, number: u32) {
        self.numbered(number, " EXISTS\r\n");
    }

    /// ```abnf
    /// mailbox-data =/ number SP "RECENT"
    /// ```
    pub fn recent(&mut self, number: u32) {
        self.numbered(number, " RECENT\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flags::Keyword;
    use crate::wire::imap::response::tests::written;

    fn name(name: &str) -> MailboxName {
        MailboxName::new(name).unwrap()
    }

    #[test]
    fn list_lsub_status() {
        // RFC 3501 §6.3.8 to §6.3.10, RFC 5258 §5.
        assert_eq!(written(Writer::list_root), "* LIST (\\Noselect) \"/\" \"\"\r\n");
        let line = |name: &str, attributes: &[ListAttribute], subscribed| {
            let name = MailboxName::new(name).unwrap();
            let child_info = ChildInfo { subscribed, special_use: false };
            written(|w| w.list(ListLine { name: &name, attributes, child_info }))
        };
        assert_eq!(
            line("~/Mail/foo", &[ListAttribute::NoSelect], false),
            "* LIST (\\Noselect) \"/\" ~/Mail/foo\r\n"
        );
        assert_eq!(
            line("Foo", &[], true),
            "* LIST () \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        );
        assert_eq!(
            line(
                "Entwürfe 1",
                &[ListAttribute::HasNoChildren, ListAttribute::SpecialUse(SpecialUse::Drafts)],
                false
            ),
            "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Entw&APw-rfe 1\"\r\n"
        );
        // RFC 9051 §6.3.9.7.
        assert_eq!(
            written(|w| w.list_renamed(&name("OldMailbox"), &name("NewMailbox"))),
            "* LIST () \"/\" NewMailbox (\"OLDNAME\" (OldMailbox))\r\n"
        );
        assert_eq!(
            written(|w| w.lsub(&name("#news.comp.mail.mime"), &[])),
            "* LSUB () \"/\" #news.comp.mail.mime\r\n"
        );
        assert_eq!(
            written(|w| w.status(
                &name("blurdybloop"),
                &[
                    (StatusItem::Messages, StatusValue::Number(231)),
                    (StatusItem::UidNext, StatusValue::Number(44292))
                ]
            )),
            "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)\r\n"
        );
    }

    #[test]
    fn sizes_and_flags() {
        assert_eq!(written(|w| w.exists(23)), "* 23 EXISTS\r\n");
        assert_eq!(written(|w| w.recent(5)), "* 5 RECENT\r\n");
        let keywords = vec![Keyword::new("$Forwarded").unwrap()];
        let flags = Flags {
            answered: true,
            flagged: true,
            deleted: true,
            seen: true,
            draft: true,
            keywords,
        };
        assert_eq!(
            written(|w| w.flags(&flags)),
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)\r\n"
        );
    }
}
