//! Address lists as they are written (RFC 5322 §3.4 and the obsolete forms of §4.4).
//!
//! Nothing is refused: what cannot be read as an address is kept as it stands. Encoded words are not
//! touched here; inside an address they are never decoded at all (RFC 2047 §5; CVE-2024-49040).

use super::bound::MAX_MAILBOXES;
use super::headers::unfold;

/// An element of an address list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// The beginning of a group, with its name.
    GroupStart(Vec<u8>),
    /// The end of a group.
    GroupEnd,
    /// A mailbox, in a group or outside.
    Mailbox(RawMailbox),
}

/// A mailbox with its octets as written.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct RawMailbox {
    /// The display name, quoting undone; else the comment behind the address.
    pub(super) name: Option<Vec<u8>>,
    /// A source route, `@a,@b` (RFC 5322 §4.4).
    pub(super) route: Option<Vec<u8>>,
    /// `local@domain` without white space and comments.
    pub(super) spec: Vec<u8>,
}

impl RawMailbox {
    /// The local part, quoting undone, and the domain; no domain where there is no `@`.
    pub(super) fn local_and_domain(&self) -> (Vec<u8>, &[u8]) {
        let at = self.spec.iter().rposition(|&byte| byte == b'@').unwrap_or(self.spec.len());
        let (local, domain) = self.spec.split_at(at);
        let quoted = local.strip_prefix(b"\"").and_then(|local| local.strip_suffix(b"\""));
        let local = quoted.map_or_else(|| local.to_vec(), unescape);
        (local, domain.strip_prefix(b"@").unwrap_or(domain))
    }
}

/// Reads the list in a field's value, at most 1,000 mailboxes of it.
pub(super) fn read_addresses(value: &[u8]) -> Vec<Item> {
    let line = unfold(value);
    let mut reader = Reader { rest: &line, in_group: false, unclosed: Vec::new() };
    let mut items = Vec::new();
    while items.len() < MAX_MAILBOXES {
        match reader.item() {
            Some(item) => items.push(item),
            None => break,
        }
    }
    if reader.in_group {
        items.push(Item::GroupEnd);
    }
    items
}

/// What stands before the end of an element, or before its `<` or `:`.
#[derive(Default)]
struct Words {
    /// As a phrase: quoting undone, one space between words that had white space between them.
    phrase: Vec<u8>,
    /// As an address: as written, white space and comments dropped.
    spec: Vec<u8>,
    /// The last comment.
    comment: Option<Vec<u8>>,
    /// Whether white space or a comment came after the last word.
    space: bool,
}

impl Words {
    fn add(&mut self, phrase: &[u8], spec: &[u8]) {
        if std::mem::take(&mut self.space) && !self.phrase.is_empty() {
            self.phrase.push(b' ');
        }
        self.phrase.extend_from_slice(phrase);
        self.spec.extend_from_slice(spec);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    in_group: bool,
    /// Opening octets that nothing closes any more: they are ordinary from here on.
    unclosed: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn item(&mut self) -> Option<Item> {
        loop {
            let words = self.words(b",;:<");
            let &stop = self.rest.first().unwrap_or(&b',');
            // The end of a group is left standing for the next turn to meet.
            if stop != b';' || words.spec.is_empty() {
                self.rest = self.rest.get(1..).unwrap_or_default();
            }
            match stop {
                b':' if !self.in_group && !words.spec.contains(&b'@') => {
                    self.in_group = true;
                    return Some(Item::GroupStart(words.phrase));
                }
                b'<' => return Some(Item::Mailbox(self.angle(words))),
                b';' if self.in_group && words.spec.is_empty() => {
                    self.in_group = false;
                    return Some(Item::GroupEnd);
                }
                _ if !words.spec.is_empty() => {
                    let name = words.comment;
                    return Some(Item::Mailbox(RawMailbox { name, route: None, spec: words.spec }));
                }
                _ if self.rest.is_empty() => return None,
                _ => {}
            }
        }
    }

    /// What `<` begins, and whatever stands behind it up to the end of the element.
    fn angle(&mut self, before: Words) -> RawMailbox {
        let mut spec = self.words(b">").spec;
        self.rest = self.rest.get(1..).unwrap_or_default();
        let behind = self.words(b",;");
        if self.rest.first() == Some(&b',') {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        let mut route = None;
        if spec.first() == Some(&b'@')
            && let Some(colon) = spec.iter().position(|&byte| byte == b':')
        {
            let address = spec.split_off(colon + 1);
            spec.pop();
            route = Some(std::mem::replace(&mut spec, address));
        }
        let phrase = Some(before.phrase).filter(|phrase| !phrase.is_empty());
        RawMailbox { name: phrase.or(before.comment).or(behind.comment), route, spec }
    }

    /// Takes words up to the first of `stops` outside quotes, comments and domain literals.
    fn words(&mut self, stops: &[u8]) -> Words {
        let mut words = Words::default();
        while let Some(&byte) = self.rest.first().filter(|byte| !stops.contains(byte)) {
            if byte.is_ascii_whitespace() {
                self.rest = self.rest.trim_ascii_start();
                words.space = true;
                continue;
            }
            match (byte, self.delimited(byte)) {
                (b'(', Some(comment)) => {
                    words.comment = Some(unescape(inner(comment)));
                    words.space = true;
                }
                (b'"', Some(quoted)) => words.add(&unescape(inner(quoted)), quoted),
                (_, Some(literal)) => words.add(literal, literal),
                (_, None) => {
                    let word = self.atoms(stops);
                    words.add(word, word);
                }
            }
        }
        words
    }

    /// Takes at least one octet, up to what [`Reader::words`] treats by itself.
    fn atoms(&mut self, stops: &[u8]) -> &'a [u8] {
        let ends = |byte: &u8| stops.contains(byte) || b"\"([ \t\r\n\x0c".contains(byte);
        let len = self.rest.iter().skip(1).position(ends).map_or(self.rest.len(), |at| at + 1);
        let (word, rest) = self.rest.split_at(len);
        self.rest = rest;
        word
    }

    /// Takes a quoted string, comment or domain literal, with what opens and closes it; comments
    /// nest.
    fn delimited(&mut self, open: u8) -> Option<&'a [u8]> {
        let close = match open {
            b'"' => b'"',
            b'(' => b')',
            b'[' => b']',
            _ => return None,
        };
        if self.unclosed.contains(&open) {
            return None;
        }
        let mut depth = 0_usize;
        let mut escaped = false;
        let end = self.rest.iter().position(|&byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                _ if byte == close && depth > 0 => depth -= 1,
                _ if byte == open => depth += 1,
                _ => {}
            }
            depth == 0
        });
        let Some(end) = end else {
            self.unclosed.push(open);
            return None;
        };
        let (taken, rest) = self.rest.split_at(end + 1);
        self.rest = rest;
        Some(taken)
    }
}

/// What stands between the first and the last octet.
fn inner(delimited: &[u8]) -> &[u8] {
    delimited.get(1..delimited.len().saturating_sub(1)).unwrap_or_default()
}

/// Undoes quoted-pairs (RFC 5322 §3.2.1).
fn unescape(quoted: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(quoted.len());
    let mut octets = quoted.iter();
    while let Some(&byte) = octets.next() {
        let kept = if byte == b'\\' { octets.next() } else { Some(&byte) };
        plain.extend(kept);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(name: Option<&str>, spec: &str) -> Item {
        let name = name.map(|name| name.as_bytes().to_vec());
        Item::Mailbox(RawMailbox { name, route: None, spec: spec.as_bytes().to_vec() })
    }

    #[test]
    fn mailboxes_with_and_without_names() {
        // RFC 5322 appendix A.1.2
        let list = b"\"Joe Q. Public\" <john.q.public@example.com>, Mary Smith <mary@x.test>,\r\n \
            jdoe@example.org, Who? <one@y.test>, <boss@nil.test>,\
            \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>";
        let expected = [
            mailbox(Some("Joe Q. Public"), "john.q.public@example.com"),
            mailbox(Some("Mary Smith"), "mary@x.test"),
            mailbox(None, "jdoe@example.org"),
            mailbox(Some("Who?"), "one@y.test"),
            mailbox(None, "boss@nil.test"),
            mailbox(Some("Giant; \"Big\" Box"), "sysservices@example.net"),
        ];
        assert_eq!(read_addresses(list), expected);
    }

    #[test]
    fn groups() {
        // RFC 5322 appendices A.1.3 and A.6.3
        let list = b"A Group:Ed Jones <c@a.test>,joe@where.test; , Undisclosed recipients:;x@y.z";
        let expected = [
            Item::GroupStart(b"A Group".to_vec()),
            mailbox(Some("Ed Jones"), "c@a.test"),
            mailbox(None, "joe@where.test"),
            Item::GroupEnd,
            Item::GroupStart(b"Undisclosed recipients".to_vec()),
            Item::GroupEnd,
            mailbox(None, "x@y.z"),
        ];
        assert_eq!(read_addresses(list), expected);
        let open = [Item::GroupStart(b"open".to_vec()), mailbox(None, "a@b"), Item::GroupEnd];
        assert_eq!(read_addresses(b"open: a@b"), open);
    }

    #[test]
    fn comments_and_obsolete_forms() {
        // RFC 5322 appendices A.5 and A.6.1
        let list = b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>";
        assert_eq!(read_addresses(list), [mailbox(Some("Pete"), "pete@silly.test")]);
        assert_eq!(read_addresses(b"a@b (Ann (A.) B)"), [mailbox(Some("Ann (A.) B"), "a@b")]);
        assert_eq!(read_addresses(b"john . doe @ x . test"), [mailbox(None, "john.doe@x.test")]);
        let routed = read_addresses(b"Mary <@node.test,@b.test:mary@example.net>, , x@y.z");
        let Item::Mailbox(mary) = &routed[0] else { panic!("{routed:?}") };
        assert_eq!(mary.route.as_deref(), Some(&b"@node.test,@b.test"[..]));
        assert_eq!(mary.spec, b"mary@example.net");
        assert_eq!(routed[1], mailbox(None, "x@y.z"));
    }

    #[test]
    fn encoded_words_inside_an_address_stay() {
        let list = b"=?utf-8?q?=61?= <=?utf-8?q?=61=40evil.test?=@example.org>";
        let expected = mailbox(Some("=?utf-8?q?=61?="), "=?utf-8?q?=61=40evil.test?=@example.org");
        assert_eq!(read_addresses(list), [expected]);
    }

    #[test]
    fn broken_lists_keep_what_they_can() {
        assert_eq!(read_addresses(b"\"Ann <a@b.c>"), [mailbox(Some("\"Ann"), "a@b.c")]);
        assert_eq!(read_addresses(b"a <b@c, d@e"), [mailbox(Some("a"), "b@c,d@e")]);
        assert_eq!(read_addresses(b" , ;, "), []);
        assert_eq!(read_addresses(b""), []);
        assert_eq!(read_addresses(b"root"), [mailbox(None, "root")]);
        assert_eq!(read_addresses(&b"a,".repeat(5000)).len(), MAX_MAILBOXES);
        assert!(read_addresses(&b"\"\\".repeat(100_000)).len() <= 1);
        assert!(read_addresses(&b"(".repeat(200_000)).len() <= 1);
    }

    #[test]
    fn local_part_and_domain() {
        let mailbox =
            |spec: &str| RawMailbox { spec: spec.as_bytes().to_vec(), ..Default::default() };
        let quoted = mailbox("\"a\\\"@b\"@[IPv6:::1]");
        assert_eq!(quoted.local_and_domain(), (b"a\"@b".to_vec(), &b"[IPv6:::1]"[..]));
        assert_eq!(mailbox("root").local_and_domain(), (b"root".to_vec(), &b""[..]));
    }
}
