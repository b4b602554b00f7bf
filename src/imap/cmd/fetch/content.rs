//! Pieces of a message: from what FETCH names to octets.

use std::ops::Range;

use crate::mail::body::{Bodies, Body};
use crate::mail::client::Identity;
use crate::mail::mailbox::Fetched;
use crate::mail::{Error, Reason};
use crate::wire::imap::command::{Content, Partial};
use crate::wire::imap::section::{Section, SectionText};
use crate::wire::mime::{self, header_fields, header_fields_not};

/// Octets of a message read at once; longer pieces are passed on as they are read.
pub(in crate::imap::cmd) const STEP: usize = 512 * 1024;

/// As much of a message as its FETCH needs.
pub(in crate::imap::cmd) enum Source {
    /// Its header block.
    Header(Vec<u8>),
    /// All of it, the larger attachments where they are kept.
    Body(Box<Body>),
}

/// A piece that was asked for.
pub(in crate::imap::cmd) enum Piece {
    /// There is no such piece.
    None,
    /// Octets that had to be picked together.
    Ready(Vec<u8>),
    /// How many octets it has.
    Size(u64),
    /// Octets of the message as they stand.
    Range(Range<usize>),
}

impl Source {
    /// Opens what was read of the source, which it takes out; `None` when that is nothing.
    pub(in crate::imap::cmd) fn open(
        bodies: &Bodies,
        who: &Identity,
        fetched: &mut Fetched,
    ) -> Result<Option<Self>, Error> {
        if fetched.skeleton.is_some() {
            return Ok(Some(Self::Body(Box::new(bodies.open(who, fetched)?))));
        }
        Ok(fetched.header.take().map(Self::Header))
    }

    /// The piece that `content` names.
    pub(in crate::imap::cmd) async fn piece(&self, content: Content<'_>) -> Result<Piece, Error> {
        let whole = |text| Ok(self.resolve(&[], text).map_or(Piece::None, Piece::Range));
        match content {
            Content::Rfc822 => whole(mime::SectionText::Full),
            Content::Rfc822Header => whole(mime::SectionText::Header),
            Content::Rfc822Text => whole(mime::SectionText::Text),
            Content::Section { section, partial } => self.section(section, partial).await,
            Content::Binary { part, partial } => self.binary(part, partial).await,
            Content::BinarySize(part) => Ok(Piece::Size(match self.binary(part, None).await? {
                Piece::None => 0,
                Piece::Size(octets) => octets,
                Piece::Ready(octets) => octets.len() as u64,
                Piece::Range(range) => range.len() as u64,
            })),
        }
    }

    /// A part without its transfer encoding (RFC 9051 §6.4.5); the message itself stays as it is,
    /// as does a part that is not encoded.
    async fn binary(&self, part: &[u32], partial: Option<Partial>) -> Result<Piece, Error> {
        let Some(range) = self.resolve(part, mime::SectionText::Full) else {
            return Ok(Piece::None);
        };
        let encoding = match self.resolve(part, mime::SectionText::Mime) {
            Some(header) => mime::transfer_encoding(&self.octets(header).await?),
            None => mime::Encoding::Identity,
        };
        match encoding {
            mime::Encoding::Identity => Ok(Piece::Range(within(range, partial))),
            mime::Encoding::Unknown => Err(Reason::UnknownEncoding.into()),
            encoding => {
                let encoded = self.octets(range).await?;
                let decoded = mime::decode_body(encoding, &encoded);
                let some = decoded.get(within(0..decoded.len(), partial)).unwrap_or_default();
                Ok(Piece::Ready(some.to_vec()))
            }
        }
    }

    async fn section(&self, section: &Section, partial: Option<Partial>) -> Result<Piece, Error> {
        let text = match &section.text {
            None => mime::SectionText::Full,
            Some(SectionText::Text) => mime::SectionText::Text,
            Some(SectionText::Mime) => mime::SectionText::Mime,
            Some(_) => mime::SectionText::Header,
        };
        let Some(range) = self.resolve(&section.part, text) else { return Ok(Piece::None) };
        let fields = match &section.text {
            Some(SectionText::HeaderFields(names)) => {
                header_fields(&self.octets(range).await?, names)
            }
            Some(SectionText::HeaderFieldsNot(names)) => {
                header_fields_not(&self.octets(range).await?, names)
            }
            _ => return Ok(Piece::Range(within(range, partial))),
        };
        let picked = fields.get(within(0..fields.len(), partial)).unwrap_or_default();
        Ok(Piece::Ready(picked.to_vec()))
    }

    fn resolve(&self, part: &[u32], text: mime::SectionText) -> Option<Range<usize>> {
        match self {
            Self::Body(body) => body.resolve(part, text),
            // No more was read because no more was asked for.
            Self::Header(header) => Some(0..header.len()),
        }
    }

    async fn octets(&self, range: Range<usize>) -> Result<Vec<u8>, Error> {
        let mut octets = Vec::with_capacity(range.len());
        self.read(range, &mut octets).await?;
        Ok(octets)
    }

    /// Appends the octets `range` of the message to `out`: all of them, or an error.
    pub(in crate::imap::cmd) async fn read(
        &self,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (before, len) = (out.len(), range.len());
        match self {
            Self::Body(body) => body.read(range, out).await?,
            Self::Header(header) => out.extend_from_slice(header.get(range).unwrap_or_default()),
        }
        if out.len() - before == len {
            return Ok(());
        }
        Err(Error::Internal("a stored message is shorter than it was".into()))
    }
}

/// The part of `range` that is asked for; what is past its end is empty (RFC 3501 §6.4.5).
fn within(range: Range<usize>, partial: Option<Partial>) -> Range<usize> {
    let Some(Partial { origin, length }) = partial else { return range };
    let at = |offset: u64| {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        range.start.saturating_add(offset).min(range.end)
    };
    at(origin)..at(origin.saturating_add(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partials_stay_within() {
        let part = |origin, length| within(10..20, Some(Partial { origin, length }));
        assert_eq!(within(10..20, None), 10..20);
        assert_eq!(part(0, 4), 10..14);
        assert_eq!(part(8, 4), 18..20);
        assert!(part(10, 1).is_empty() && part(u64::MAX, u64::MAX).is_empty());
        assert_eq!(part(1, u64::MAX), 11..20);
    }

    #[tokio::test]
    async fn fields_are_picked_from_the_header_alone() {
        let source = Source::Header(b"From: a\r\nTo: b\r\n\r\n".to_vec());
        let section =
            Section { part: vec![], text: Some(SectionText::HeaderFields(vec!["to".into()])) };
        let partial = Some(Partial { origin: 4, length: 3 });
        let content = Content::Section { section: &section, partial };
        match source.piece(content).await.unwrap() {
            Piece::Ready(octets) => assert_eq!(octets, b"b\r\n"),
            _ => panic!("no octets"),
        }
        let mut out = Vec::new();
        assert!(source.read(5..40, &mut out).await.is_err());
    }
}
