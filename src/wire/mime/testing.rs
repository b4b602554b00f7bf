//! Messages for the tests of this module: the corpus of nasty ones, and generated ones.

use proptest::prelude::*;

macro_rules! corpus {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../tests/fixtures/mime/", $name, ".eml")))),*]
    };
}

/// Every file of `tests/fixtures/mime`, by name.
pub(super) const CORPUS: &[(&str, &[u8])] = corpus![
    "bare-newlines",
    "blank",
    "boundary-never-used",
    "digest",
    "eight-bit-headers",
    "empty",
    "empty-parts",
    "encoded-message",
    "html-only",
    "inner-cut-by-outer",
    "message-at-top",
    "missing-boundary",
    "mixed",
    "mixed-newlines",
    "nested-message",
    "no-final-newline",
    "nul",
    "odd-base64",
    "only-body",
    "only-header",
    "plain",
    "prefix-boundaries",
    "rfc2231",
    "signed",
    "strange-header",
    "unterminated",
];

/// The file with this name.
pub(super) fn fixture(name: &str) -> &'static [u8] {
    CORPUS.iter().find(|(file, _)| *file == name).expect("a file of the corpus").1
}

/// An entity to be written.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Header fields and a body.
    Leaf(Vec<&'static str>, Vec<u8>),
    /// Subtype, entities, and what stands behind the last delimiter.
    Multipart(&'static str, Vec<Node>, Option<&'static str>),
    /// Header fields of the message, and its entity.
    Message(&'static str, Box<Node>),
}

impl Node {
    /// Writes the entity with CRLF; `depth` makes the boundaries differ, each the beginning of the
    /// next one inside.
    pub(super) fn write(&self, out: &mut Vec<u8>, depth: usize) {
        match self {
            Self::Leaf(fields, body) => {
                for field in fields {
                    out.extend_from_slice(field.as_bytes());
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(body);
            }
            Self::Multipart(subtype, children, epilogue) => {
                let boundary = format!("b{}", "x".repeat(depth));
                let head =
                    format!("Content-Type: multipart/{subtype}; boundary={boundary}\r\n\r\n");
                out.extend_from_slice(head.as_bytes());
                for child in children {
                    out.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
                    child.write(out, depth + 1);
                }
                out.extend_from_slice(format!("\r\n--{boundary}--").as_bytes());
                if let Some(epilogue) = epilogue {
                    out.extend_from_slice(format!("\r\n{epilogue}").as_bytes());
                }
            }
            Self::Message(header, inner) => {
                out.extend_from_slice(b"Content-Type: message/rfc822\r\n\r\n");
                out.extend_from_slice(header.as_bytes());
                inner.write(out, depth + 1);
            }
        }
    }
}

/// A body in base64 as mail programs write it, most of the time.
fn base64_body() -> impl Strategy<Value = Vec<u8>> {
    use base64::Engine as _;
    let line = prop_oneof![8 => Just(76_usize), 1 => Just(60), 1 => Just(4), 1 => Just(75), 1 => Just(4000)];
    let newline = prop_oneof![6 => Just("\r\n"), 1 => Just("\n"), 1 => Just(" \r\n")];
    let tail = prop_oneof![Just(""), Just("\r\n"), Just("\r\n\r\n"), Just("="), Just("A")];
    (prop::collection::vec(any::<u8>(), 0..400), line, newline, tail).prop_map(
        |(octets, line, newline, tail)| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(octets);
            let lines: Vec<_> =
                encoded.as_bytes().chunks(line).map(String::from_utf8_lossy).collect();
            format!("{}{tail}", lines.join(newline)).into_bytes()
        },
    )
}

fn leaf() -> impl Strategy<Value = Node> {
    let kind = prop::sample::select(vec![
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html",
        "Content-Type: application/pdf; name=a.pdf",
        "Content-Type: image/png",
        "Content-Disposition: attachment; filename=x",
        "X-Nothing: to do with it",
    ]);
    let link = "<body>x <a href=\"http://x.example/\">y</a></body>\r\n".as_bytes().to_vec();
    let text = prop_oneof![
        3 => "[a-z =\r\n]{0,200}".prop_map(String::into_bytes),
        1 => Just(link),
    ];
    prop_oneof![
        (kind.clone(), base64_body()).prop_map(|(kind, body)| {
            Node::Leaf(vec![kind, "Content-Transfer-Encoding: base64"], body)
        }),
        (kind.clone(), text.clone()).prop_map(|(kind, body)| {
            Node::Leaf(vec!["Content-Transfer-Encoding: quoted-printable", kind], body)
        }),
        (kind, text).prop_map(|(kind, body)| Node::Leaf(vec![kind], body)),
    ]
}

/// A well-formed entity, a few levels deep.
pub(super) fn entity() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let subtype = prop::sample::select(vec!["mixed", "alternative", "related", "x-other"]);
        let epilogue = prop::sample::select(vec![None, Some(""), Some("the end\r\n")]);
        let header = prop::sample::select(vec!["", "Subject: inner\r\nFrom: a@b\r\n"]);
        prop_oneof![
            3 => (subtype, prop::collection::vec(inner.clone(), 1..4), epilogue)
                .prop_map(|(subtype, children, epilogue)| {
                    Node::Multipart(subtype, children, epilogue)
                }),
            1 => (header, inner).prop_map(|(header, inner)| Node::Message(header, Box::new(inner))),
        ]
    })
}

/// A well-formed message.
pub(super) fn message() -> impl Strategy<Value = Vec<u8>> {
    entity().prop_map(|entity| {
        let mut raw = b"From: a@b.example\r\nSubject: generated\r\n".to_vec();
        entity.write(&mut raw, 0);
        raw
    })
}

/// A message with damage: octets changed, removed or inserted where it hurts.
pub(super) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let octets = prop::sample::select(vec![
        &b"\n"[..],
        b"\r",
        b"\r\n",
        b"\r\n\r\n",
        b"--b\r\n",
        b"--bx--",
        b"\0",
        b"\xff",
        b"",
        b"=",
    ]);
    let wound = (any::<prop::sample::Index>(), 0_usize..6, octets);
    (message(), prop::collection::vec(wound, 0..6)).prop_map(|(mut raw, wounds)| {
        for (at, removed, inserted) in wounds {
            let start = at.index(raw.len() + 1);
            let end = (start + removed).min(raw.len());
            raw.splice(start..end, inserted.iter().copied());
        }
        raw
    })
}

/// Octets that look like a message here and there.
pub(super) fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"\r\n"[..],
        b"\n",
        b"--a",
        b"--ab",
        b"--",
        b" ",
        b":",
        b"x",
        b"\xff",
        b"\0",
        b"=",
        b"Content-Type: multipart/mixed; boundary=a\r\n",
        b"Content-Type: multipart/digest; boundary=ab\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename*0*=\"x\r\n",
        b"QUJDREVG\r\n",
        b"From: \"a <b@c> (d\r\n",
        b"Subject: [re: =?utf-8?q?=00?= (fwd)\r\n",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

/// Whether another server may be given these octets: no bare CR, bare LF or NUL, no line over 998
/// octets (RFC 5321 §2.3.8, RFC 5322 §2.1.1).
pub(super) fn is_sendable(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0']))
}
