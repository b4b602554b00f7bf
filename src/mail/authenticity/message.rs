//! A message as the library that checks signatures is to see it.

use mail_auth::AuthenticatedMessage;

use crate::wire::mime::headers::{block_len, find_all};
use crate::wire::mime::remove_fields;

/// Signatures of one message that are looked at; each costs a look-up and some 50 us of CPU.
pub(super) const MAX_SIGNATURES: usize = 10;
/// Sets of an ARC chain: RFC 8617 §4.2.1 allows 50, honest chains have fewer than this.
const MAX_ARC_SETS: usize = 15;
/// Octets of the line that ends a header.
const EMPTY_LINE: usize = 2;
/// The fields of a set (RFC 8617 §4.1).
const ARC: [&str; 3] = ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"];

/// The header with no more signatures than are looked at: of DKIM the first ones, of an ARC chain
/// that is too long nothing. Nothing where the header is well as it is.
pub(super) fn bounded(header: &[u8]) -> Option<Vec<u8>> {
    let signatures = find_all(header, "DKIM-Signature").count();
    let long_chain = ARC.iter().any(|name| find_all(header, name).count() > MAX_ARC_SETS);
    if signatures <= MAX_SIGNATURES && !long_chain {
        return None;
    }
    let mut seen = 0;
    Some(remove_fields(header, |name, _| {
        if name.eq_ignore_ascii_case(b"DKIM-Signature") {
            seen += 1;
            return seen > MAX_SIGNATURES;
        }
        long_chain && ARC.iter().any(|arc| name.eq_ignore_ascii_case(arc.as_bytes()))
    }))
}

/// Reads a message, with `cut` in place of its header where that was too much.
///
/// Nothing where the library takes another line for the end of the header than everybody else here
/// does: what it would call signed is then not what a reader is shown. A signature with `l=` is
/// read as a broken one (RFC 6376 §8.2).
pub(super) fn read<'x>(
    content: &'x [u8],
    cut: Option<&'x [u8]>,
) -> Option<AuthenticatedMessage<'x>> {
    let Some(cut) = cut else {
        let message = AuthenticatedMessage::parse(content)?;
        return (message.raw_headers().len() == block_len(content)).then_some(message);
    };
    let ends_alike = AuthenticatedMessage::parse(cut)?.raw_headers().len() == cut.len();
    // From the empty line on, which ends the library's second header at once.
    let rest = content.get(block_len(content).checked_sub(EMPTY_LINE)?..)?;
    AuthenticatedMessage::parse_with_opts(rest, Some(cut), true).filter(|_| ends_alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_of_signatures_is_cut() {
        let few = b"DKIM-Signature: a\r\nARC-Seal: b\r\nFrom: c\r\n\r\nbody";
        assert_eq!(bounded(few), None);
        let many = [b"DKIM-Signature: a\r\n".repeat(900), b"From: c\r\n\r\nbody".to_vec()].concat();
        let cut = bounded(&many).unwrap();
        assert_eq!(find_all(&cut, "dkim-signature").count(), MAX_SIGNATURES);
        assert!(cut.ends_with(b"From: c\r\n\r\nbody"));
        let (header, _) = many.split_at(block_len(&many));
        let cut = bounded(header).unwrap();
        let read = read(&many, Some(&cut)).unwrap();
        assert_eq!(read.raw_body(), b"body");
        let chain = [b"ARC-Seal: i=1\r\n".repeat(16), b"From: c\r\n\r\n".to_vec()].concat();
        assert_eq!(bounded(&chain).unwrap(), b"From: c\r\n\r\n");
    }

    #[test]
    fn a_header_that_ends_elsewhere_proves_nothing() {
        assert!(read(b"From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n", None).is_some());
        assert!(read(b"From: a@b.example\r\n", None).is_some());
        assert!(
            read(b"From: a@b.example\r\nno field\r\nSubject: y\r\n\r\nbody\r\n", None).is_none()
        );
        assert!(read(b"\r\nbody", None).is_none());
    }
}
