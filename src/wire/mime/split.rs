//! A message as a skeleton and the attachments cut out of it.

use std::ops::Range;

use super::base64_lines::Base64Lines;
use super::content::Encoding;
use super::digest::{Hasher, Sha256};
use super::form::{Attachment, Form};

/// The default for the smallest attachment that is cut out, in encoded octets.
pub const MIN_CUT: usize = 32 * 1024;

/// Octets of an object handed on at once.
const STEP: usize = 64 * 1024;

/// A message without its large attachments, and how to put them back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Split {
    /// What is left of the original: its first [`Form::header_len`] octets are the header block.
    pub skeleton: Vec<u8>,
    /// What was cut out, in order.
    pub cuts: Vec<Cut>,
}

/// A piece of the original that is stored as an object.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Cut {
    /// Where the piece begins in the original, in octets.
    pub start: usize,
    /// Octets of the piece in the original.
    pub len: usize,
    /// The digest of the object as it is stored.
    pub sha256: Sha256,
    /// Octets of the object.
    pub object_len: usize,
    /// How the piece is made from the object.
    pub recipe: Recipe,
    /// Which of [`Form::attachments`] it is.
    pub attachment: usize,
}

/// How a piece of the original is made from its object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// The object is the decoded attachment; base64 in this layout gives the piece.
    Base64(Base64Lines),
    /// The object is the attachment, and the piece too: there is no transfer encoding.
    Identity,
    /// The object is the piece, still encoded, because encoding it again might give other octets.
    Raw,
}

/// Cuts every attachment of at least `min_size` encoded octets out of `raw`, whose form is `form`.
///
/// Needs little memory besides the skeleton: objects are hashed a piece at a time here, and made one
/// at a time by [`Cut::object`].
pub fn split(raw: &[u8], form: &Form, min_size: usize) -> Split {
    let mut skeleton = Vec::new();
    let mut cuts: Vec<Cut> = Vec::new();
    let mut copied = 0;
    for (index, attachment) in form.attachments.iter().enumerate() {
        if attachment.range.len() < min_size || attachment.range.start < copied {
            continue;
        }
        if let Some(cut) = cut(raw, attachment, index) {
            skeleton.extend_from_slice(raw.get(copied..cut.start).unwrap_or_default());
            copied = cut.range().end;
            cuts.push(cut);
        }
    }
    skeleton.extend_from_slice(raw.get(copied..).unwrap_or_default());
    Split { skeleton, cuts }
}

impl Cut {
    /// The piece of the original.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start.saturating_add(self.len)
    }

    /// Gives `sink` the octets of the object, made from the original, a piece at a time.
    pub fn object(&self, raw: &[u8], mut sink: impl FnMut(&[u8])) {
        let piece = raw.get(self.range()).unwrap_or_default();
        match self.recipe {
            Recipe::Identity | Recipe::Raw => piece.chunks(STEP).for_each(sink),
            Recipe::Base64(lines) => {
                // What was cut out so was decoded to its end before.
                let _ = lines.decode(piece, &mut sink);
            }
        }
    }

    /// The octets of the original that the object is, where no decoding makes it.
    pub fn as_it_stands(&self) -> Option<Range<usize>> {
        matches!(self.recipe, Recipe::Identity | Recipe::Raw).then(|| self.range())
    }
}

fn cut(raw: &[u8], attachment: &Attachment, index: usize) -> Option<Cut> {
    let body = raw.get(attachment.range.clone()).filter(|body| !body.is_empty())?;
    let recipe = match attachment.encoding {
        Encoding::Base64 => {
            return Some(
                cut_base64(body, attachment, index)
                    .unwrap_or_else(|| whole(body, attachment, index, Recipe::Raw)),
            );
        }
        Encoding::Identity => Recipe::Identity,
        Encoding::QuotedPrintable | Encoding::Unknown => Recipe::Raw,
    };
    Some(whole(body, attachment, index, recipe))
}

fn whole(body: &[u8], attachment: &Attachment, index: usize, recipe: Recipe) -> Cut {
    Cut {
        start: attachment.range.start,
        len: body.len(),
        sha256: Sha256::of(body),
        object_len: body.len(),
        recipe,
        attachment: index,
    }
}

/// Line breaks before and after the base64 stay in the skeleton.
fn cut_base64(body: &[u8], attachment: &Attachment, index: usize) -> Option<Cut> {
    let before = body.len() - body.trim_ascii_start().len();
    let encoded = body.trim_ascii();
    let lines = Base64Lines::guess(encoded)?;
    let mut hasher = Hasher::new();
    let object_len = lines.decode(encoded, |octets| hasher.update(octets))?;
    Some(Cut {
        start: attachment.range.start + before,
        len: encoded.len(),
        sha256: hasher.finish(),
        object_len,
        recipe: Recipe::Base64(lines),
        attachment: index,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::fixture;
    use super::super::{Newline, parse};
    use super::*;

    fn object(cut: &Cut, raw: &[u8]) -> Vec<u8> {
        let mut object = Vec::new();
        cut.object(raw, |octets| object.extend_from_slice(octets));
        object
    }

    fn cuts(name: &str) -> (&'static [u8], Split) {
        let raw = fixture(name);
        (raw, split(raw, &parse(raw), 1))
    }

    #[test]
    fn base64_as_mail_programs_write_it_becomes_the_file_itself() {
        let (raw, split) = cuts("mixed");
        let [cut] = split.cuts.as_slice() else { panic!("{:?}", split.cuts) };
        let lines = Base64Lines { line_len: 76, newline: Newline::Crlf };
        assert_eq!(cut.recipe, Recipe::Base64(lines));
        let file: Vec<u8> = (0..=255).collect::<Vec<u8>>().repeat(5);
        assert_eq!(object(cut, raw), file);
        assert_eq!((cut.sha256, cut.object_len), (Sha256::of(&file), file.len()));
        assert_eq!((cut.start, cut.len, cut.attachment), (855, 1752, 0));
        assert_eq!(split.skeleton.len(), raw.len() - cut.len);
    }

    #[test]
    fn what_cannot_be_written_again_stays_encoded() {
        let (_, split) = cuts("odd-base64");
        let recipes: Vec<_> = split.cuts.iter().map(|cut| (cut.attachment, cut.recipe)).collect();
        let lines = |line_len| Recipe::Base64(Base64Lines { line_len, newline: Newline::Crlf });
        let expected = [
            Recipe::Raw,
            Recipe::Raw,
            Recipe::Raw,
            Recipe::Raw,
            lines(8),
            Recipe::Raw,
            Recipe::Raw,
            Recipe::Raw,
        ];
        assert_eq!(recipes, expected.into_iter().enumerate().collect::<Vec<_>>());
        // The line breaks around the fifth are not part of it.
        assert_eq!(split.cuts[4].len, 24);
    }

    #[test]
    fn bare_newlines_are_a_layout_too() {
        let (_, split) = cuts("bare-newlines");
        let lines = Base64Lines { line_len: 76, newline: Newline::Lf };
        assert_eq!(split.cuts[0].recipe, Recipe::Base64(lines));
    }

    #[test]
    fn small_attachments_stay() {
        let raw = fixture("mixed");
        let form = parse(raw);
        assert_eq!(split(raw, &form, 1752).cuts.len(), 1);
        assert_eq!(split(raw, &form, 1753), Split { skeleton: raw.to_vec(), cuts: vec![] });
    }
}
