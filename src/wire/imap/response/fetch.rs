//! FETCH responses, item by item (RFC 3501 §7.4.2).

use time::OffsetDateTime;

use super::Writer;
use crate::domain::flags::Flags;
use crate::domain::ids::{EmailId, ThreadId};
use crate::wire::imap::command::Content;
use crate::wire::imap::date::encode_date_time;
use crate::wire::imap::flags::encode_flags;
use crate::wire::imap::label::LabelName;
use crate::wire::imap::strings::{encode_literal_header, encode_string};

impl Writer {
    /// Begins the answer for one message; write its items, at least one, then
    /// [`FetchWriter::end`].
    ///
    /// ```abnf
    /// message-data =/ nz-number SP "FETCH" SP msg-att
    /// msg-att      = "(" msg-att-item *(SP msg-att-item) ")"
    /// ```
    pub fn fetch(&mut self, sequence: u32) -> FetchWriter<'_> {
        self.numbered(sequence, " FETCH (");
        FetchWriter { writer: self, first: true }
    }

    /// The same for a client that knows messages by their UIDs alone.
    ///
    /// ```abnf
    /// message-data =/ uniqueid SP "UIDFETCH" SP msg-att    ; RFC 9586
    /// ```
    pub fn uid_fetch(&mut self, uid: u32) -> FetchWriter<'_> {
        self.numbered(uid, " UIDFETCH (");
        FetchWriter { writer: self, first: true }
    }
}

/// The answer for one message, half written.
#[derive(Debug)]
pub struct FetchWriter<'w> {
    writer: &'w mut Writer,
    first: bool,
}

impl FetchWriter<'_> {
    /// `UID` SP uniqueid
    pub fn uid(&mut self, uid: u32) {
        self.name("UID ");
        self.writer.number(uid);
    }

    /// `FLAGS` SP "(" [flag-fetch *(SP flag-fetch)] ")", with `\Recent` if `recent`
    pub fn flags(&mut self, flags: &Flags, recent: bool) {
        self.name("FLAGS ");
        encode_flags(&mut self.writer.out, flags, recent.then_some("\\Recent"));
    }

    /// `INTERNALDATE` SP date-time
    pub fn internal_date(&mut self, at: OffsetDateTime) {
        self.name("INTERNALDATE ");
        encode_date_time(&mut self.writer.out, at);
    }

    /// `RFC822.SIZE` SP number, in bytes
    pub fn size(&mut self, bytes: u64) {
        self.name("RFC822.SIZE ");
        self.writer.number(bytes);
    }

    /// `MODSEQ` SP "(" mod-sequence-value ")" (RFC 7162 §7)
    pub fn mod_seq(&mut self, mod_seq: i64) {
        self.name("MODSEQ (");
        self.writer.number(mod_seq.unsigned_abs());
        self.writer.put(")");
    }

    /// `EMAILID` SP "(" objectid ")" (RFC 8474 §5.1)
    pub fn email_id(&mut self, id: EmailId) {
        self.name(&format!("EMAILID ({id})"));
    }

    /// `THREADID` SP "(" objectid ")" (RFC 8474 §5.2)
    pub fn thread_id(&mut self, id: ThreadId) {
        self.name(&format!("THREADID ({id})"));
    }

    /// `X-GM-MSGID` SP number, the id of the message (X-GM-EXT-1)
    pub fn gm_msgid(&mut self, id: EmailId) {
        self.name("X-GM-MSGID ");
        self.writer.number(id.number());
    }

    /// `X-GM-THRID` SP number, the id of its thread
    pub fn gm_thrid(&mut self, id: ThreadId) {
        self.name("X-GM-THRID ");
        self.writer.number(id.number());
    }

    /// `X-GM-LABELS` SP "(" [label *(SP label)] ")"
    pub fn gm_labels(&mut self, labels: &[LabelName]) {
        self.name("X-GM-LABELS (");
        for (i, label) in labels.iter().enumerate() {
            if i > 0 {
                self.writer.put(" ");
            }
            label.encode(&mut self.writer.out, self.writer.names);
        }
        self.writer.put(")");
    }

    /// `PREVIEW` SP nstring (RFC 8970 §3.2): empty for a message without text
    pub fn preview(&mut self, text: &str) {
        self.name("PREVIEW ");
        encode_string(&mut self.writer.out, text.as_bytes());
    }

    /// `ENVELOPE` SP envelope, as made when the message was stored
    pub fn envelope(&mut self, ready: &[u8]) {
        self.ready("ENVELOPE ", ready);
    }

    /// `BODY` SP body, as made when the message was stored
    pub fn body(&mut self, ready: &[u8]) {
        self.ready("BODY ", ready);
    }

    /// `BODYSTRUCTURE` SP body, as made when the message was stored
    pub fn body_structure(&mut self, ready: &[u8]) {
        self.ready("BODYSTRUCTURE ", ready);
    }

    /// A piece of the message, `NIL` where there is no such piece. Always a literal otherwise,
    /// also for the shortest text: that is what client libraries take for content.
    ///
    /// ```abnf
    /// msg-att-static = "RFC822" [".HEADER" / ".TEXT"] SP nstring /
    ///                  "BODY" section ["<" number ">"] SP nstring /
    ///                  "BINARY" section-binary ["<" number ">"] SP (nstring / literal8)
    /// ```
    pub fn content(&mut self, content: Content<'_>, bytes: Option<&[u8]>) {
        if let Some(bytes) = bytes {
            self.content_name(content);
            if matches!(content, Content::Binary { .. }) && bytes.contains(&0) {
                self.writer.put("~");
            }
            encode_literal_header(&mut self.writer.out, bytes.len() as u64);
            self.writer.out.extend_from_slice(bytes);
        } else {
            self.content_name(content);
            self.writer.put("NIL");
        }
    }

    /// How long a piece is.
    ///
    /// ```abnf
    /// msg-att-static =/ "BINARY.SIZE" section-binary SP number    ; RFC 9051
    /// ```
    pub fn content_size(&mut self, content: Content<'_>, octets: u64) {
        self.content_name(content);
        self.writer.number(octets);
    }

    /// Only the head of such a piece: the caller sends [`FetchWriter::buffer`] and then exactly
    /// `len` bytes of its own.
    pub fn content_header(&mut self, content: Content<'_>, len: u64) {
        self.content_name(content);
        encode_literal_header(&mut self.writer.out, len);
    }

    /// What has been written and not yet sent, see [`Writer::buffer`].
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.writer.buffer()
    }

    /// Ends the answer.
    pub fn end(self) {
        self.writer.put(")\r\n");
    }

    /// The name of an item, a space before it if it is not the first.
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.writer.put(" ");
        }
        self.writer.put(name);
    }

    fn ready(&mut self, name: &str, ready: &[u8]) {
        self.name(name);
        self.writer.out.extend_from_slice(ready);
    }

    fn content_name(&mut self, content: Content<'_>) {
        let binary = |part: &[u32]| {
            let part: Vec<_> = part.iter().map(u32::to_string).collect();
            format!("[{}]", part.join("."))
        };
        match content {
            Content::Binary { part, partial } => {
                let origin = partial.map(|partial| format!("<{}>", partial.origin));
                self.name(&format!("BINARY{}{} ", binary(part), origin.unwrap_or_default()));
            }
            Content::BinarySize(part) => self.name(&format!("BINARY.SIZE{} ", binary(part))),
            Content::Rfc822 => self.name("RFC822 "),
            Content::Rfc822Header => self.name("RFC822.HEADER "),
            Content::Rfc822Text => self.name("RFC822.TEXT "),
            Content::Section { section, partial } => {
                self.name("BODY");
                section.encode(&mut self.writer.out);
                let origin = partial.map(|partial| format!("<{}>", partial.origin));
                self.writer.put(&origin.unwrap_or_default());
                self.writer.put(" ");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::wire::imap::command::Partial;
    use crate::wire::imap::response::tests::written;
    use crate::wire::imap::section::{Section, SectionText};

    fn fetched(write: impl FnOnce(&mut FetchWriter<'_>)) -> String {
        written(|w| {
            let mut fetch = w.fetch(12);
            write(&mut fetch);
            fetch.end();
        })
    }

    #[test]
    fn the_example_of_rfc_3501_section_8() {
        let flags = Flags { seen: true, ..Flags::default() };
        let line = fetched(|fetch| {
            fetch.flags(&flags, false);
            fetch.internal_date(datetime!(1996-07-17 02:44:25 -07:00));
            fetch.size(4286);
            fetch.envelope(b"(NIL)");
            fetch.body(b"(\"TEXT\")");
            fetch.body_structure(b"(\"TEXT\" NIL)");
            fetch.uid(999);
        });
        assert_eq!(
            line,
            "* 12 FETCH (FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 \
             ENVELOPE (NIL) BODY (\"TEXT\") BODYSTRUCTURE (\"TEXT\" NIL) UID 999)\r\n"
        );
        let recent = fetched(|fetch| fetch.flags(&flags, true));
        assert_eq!(recent, "* 12 FETCH (FLAGS (\\Seen \\Recent))\r\n");
    }

    #[test]
    fn content_is_nil_or_a_literal() {
        let section = Section { part: vec![], text: Some(SectionText::Header) };
        let header = Content::Section { section: &section, partial: None };
        assert_eq!(
            fetched(|fetch| fetch.content(header, Some(b"A: b"))),
            "* 12 FETCH (BODY[HEADER] {4}\r\nA: b)\r\n"
        );
        assert_eq!(
            fetched(|fetch| fetch.content(header, None)),
            "* 12 FETCH (BODY[HEADER] NIL)\r\n"
        );
        let whole = Section::default();
        let partial = Some(Partial { origin: 4, length: 9 });
        let piece = Content::Section { section: &whole, partial };
        assert_eq!(
            fetched(|fetch| fetch.content(piece, Some(b""))),
            "* 12 FETCH (BODY[]<4> {0}\r\n)\r\n"
        );
        assert_eq!(
            fetched(|fetch| fetch.content(Content::Rfc822Text, Some(b"x"))),
            "* 12 FETCH (RFC822.TEXT {1}\r\nx)\r\n"
        );
    }

    #[test]
    fn the_labels_of_the_documentation_of_x_gm_ext_1() {
        let named = |name: &str| LabelName::Named(name.to_owned());
        let inbox = LabelName::Mailbox("Inbox".to_owned());
        let labels = [inbox, LabelName::Important, named("Muy Importante"), named("foo")];
        assert_eq!(
            fetched(|fetch| fetch.gm_labels(&labels)),
            "* 12 FETCH (X-GM-LABELS (\\Inbox \\Important \"Muy Importante\" foo))\r\n"
        );
        assert_eq!(fetched(|fetch| fetch.gm_labels(&[])), "* 12 FETCH (X-GM-LABELS ())\r\n");
        let id = EmailId(uuid::Uuid::from_u64_pair(0x1234, 1_278_455_344_230_334_865));
        assert_eq!(
            fetched(|fetch| fetch.gm_msgid(id)),
            "* 12 FETCH (X-GM-MSGID 1278455344230334865)\r\n"
        );
    }

    #[test]
    fn previews_are_strings_and_never_nil() {
        let told = |text: &str| fetched(|fetch| fetch.preview(text));
        assert_eq!(told("Hello \"you\""), "* 12 FETCH (PREVIEW \"Hello \\\"you\\\"\")\r\n");
        assert_eq!(told("Grüße"), "* 12 FETCH (PREVIEW {7}\r\nGrüße)\r\n");
        assert_eq!(told(""), "* 12 FETCH (PREVIEW \"\")\r\n");
    }

    #[test]
    fn content_can_be_sent_past_the_writer() {
        let line = fetched(|fetch| {
            fetch.uid(1);
            fetch.content_header(Content::Rfc822, 5);
            fetch.buffer().extend_from_slice(b"hello");
            fetch.content(Content::Rfc822Header, None);
        });
        assert_eq!(line, "* 12 FETCH (UID 1 RFC822 {5}\r\nhello RFC822.HEADER NIL)\r\n");
    }
}
