//! Back from skeleton and objects to the original, all of it or any range.
//!
//! Whoever reads objects from somewhere asks [`pieces`] which of them a range needs, gets
//! [`Cut::object_range`] of each, and has [`Cut::encode`] turn that into octets of the message.

use std::ops::Range;

use super::split::{Cut, Recipe};

/// A piece of a range of the original.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// These octets of the skeleton.
    Skeleton(Range<usize>),
    /// These octets of the encoded piece that the cut at this index stands for.
    Object {
        /// Which cut.
        cut: usize,
        /// Octets counted from where the cut begins in the original.
        encoded: Range<usize>,
    },
}

/// Why an original cannot be rebuilt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("skeleton, cuts and objects do not fit together")]
pub struct Mismatch;

/// The stored skeleton: the header block apart from the rest, as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Skeleton<'a> {
    /// The header block.
    pub header: &'a [u8],
    /// Everything behind it.
    pub rest: &'a [u8],
}

impl<'a> Skeleton<'a> {
    /// Octets of the skeleton.
    pub fn len(&self) -> usize {
        self.header.len() + self.rest.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets `range`, those from the header block first.
    pub fn get(&self, range: &Range<usize>) -> Option<(&'a [u8], &'a [u8])> {
        let middle = self.header.len();
        let header = self.header.get(range.start.min(middle)..range.end.min(middle))?;
        let rest = range.start.saturating_sub(middle)..range.end.saturating_sub(middle);
        Some((header, self.rest.get(rest)?))
    }
}

/// Octets of the original whose skeleton has `skeleton_len` octets.
pub fn original_len(skeleton_len: usize, cuts: &[Cut]) -> usize {
    cuts.iter().fold(skeleton_len, |len, cut| len.saturating_add(cut.len))
}

/// The pieces that `range` of the original is made of, in order; only those it needs.
pub fn pieces(cuts: &[Cut], range: Range<usize>) -> impl Iterator<Item = Piece> {
    let mut next = cuts.partition_point(|cut| cut.range().end <= range.start);
    let before = cuts.get(..next).unwrap_or_default();
    let mut removed = original_len(0, before);
    let mut at = range.start;
    std::iter::from_fn(move || {
        if at >= range.end {
            return None;
        }
        let cut = cuts.get(next).filter(|cut| cut.start < range.end);
        let Some(cut) = cut.filter(|cut| cut.start <= at) else {
            let end = cut.map_or(range.end, |cut| cut.start);
            let piece = Piece::Skeleton(at.checked_sub(removed)?..end.checked_sub(removed)?);
            at = end;
            return Some(piece);
        };
        let end = cut.range().end.min(range.end);
        let encoded = at - cut.start..end - cut.start;
        let piece = Piece::Object { cut: next, encoded };
        at = end;
        next += 1;
        removed = removed.saturating_add(cut.len);
        Some(piece)
    })
}

impl Cut {
    /// The octets of the object that the octets `encoded` of the piece are made from.
    pub fn object_range(&self, encoded: &Range<usize>) -> Range<usize> {
        match self.recipe {
            Recipe::Identity | Recipe::Raw => encoded.clone(),
            Recipe::Base64(lines) => lines.object_range(encoded, self.object_len),
        }
    }

    /// Appends the octets `encoded` of the piece, made from `object`: exactly the octets that
    /// [`Cut::object_range`] tells.
    pub fn encode(
        &self,
        encoded: &Range<usize>,
        object: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Mismatch> {
        let before = out.len();
        match self.recipe {
            Recipe::Identity | Recipe::Raw => out.extend_from_slice(object),
            Recipe::Base64(lines) => lines.encode(encoded, object, out),
        }
        let fits = encoded.end <= self.len && out.len() - before == encoded.len();
        if fits { Ok(()) } else { Err(Mismatch) }
    }
}

/// The octets `range` of the original; `objects` gives the octets asked for of the object of the cut
/// at an index.
pub fn rebuild<O: AsRef<[u8]>, E: From<Mismatch>>(
    skeleton: Skeleton<'_>,
    cuts: &[Cut],
    range: Range<usize>,
    mut objects: impl FnMut(usize, Range<usize>) -> Result<O, E>,
) -> Result<Vec<u8>, E> {
    let mut out = Vec::new();
    for piece in pieces(cuts, range) {
        match piece {
            Piece::Skeleton(range) => {
                let (header, rest) = skeleton.get(&range).ok_or(Mismatch)?;
                out.extend_from_slice(header);
                out.extend_from_slice(rest);
            }
            Piece::Object { cut: index, encoded } => {
                let cut = cuts.get(index).ok_or(Mismatch)?;
                let object = objects(index, cut.object_range(&encoded))?;
                cut.encode(&encoded, object.as_ref(), &mut out)?;
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{CORPUS, damaged, message, rubbish};
    use super::super::{Split, parse, split, verify};
    use super::*;

    /// Splits, verifies, and rebuilds the whole and one range; gives the cuts.
    fn round_trip(raw: &[u8], min_size: usize, range: Range<usize>) -> Vec<Cut> {
        let form = parse(raw);
        let Split { skeleton, cuts } = split(raw, &form, min_size);
        assert!(verify(raw, &skeleton, &cuts).is_ok());
        let json = serde_json::to_string(&cuts).unwrap();
        let cuts: Vec<Cut> = serde_json::from_str(&json).unwrap();
        let (header, rest) = skeleton.split_at(form.header_len);
        assert_eq!(original_len(skeleton.len(), &cuts), raw.len());
        for range in [0..raw.len(), range] {
            let mut touched = Vec::new();
            let objects = |index: usize, part: Range<usize>| {
                touched.push(index);
                let mut object = Vec::new();
                cuts[index].object(raw, |octets| object.extend_from_slice(octets));
                Ok::<_, Mismatch>(object[part].to_vec())
            };
            let rebuilt =
                rebuild(Skeleton { header, rest }, &cuts, range.clone(), objects).unwrap();
            assert_eq!(rebuilt, raw[range.clone()]);
            let overlaps = |cut: &Cut| {
                !range.is_empty() && cut.start < range.end && cut.range().end > range.start
            };
            let expected: Vec<_> = (0..cuts.len()).filter(|i| overlaps(&cuts[*i])).collect();
            assert_eq!(touched, expected, "only the objects that the range needs");
        }
        cuts
    }

    type Ends = (prop::sample::Index, prop::sample::Index);

    fn within(ends: Ends, len: usize) -> Range<usize> {
        let (a, b) = (ends.0.index(len + 1), ends.1.index(len + 1));
        a.min(b)..a.max(b)
    }

    proptest! {
        #[test]
        fn messages_come_back(raw in message(), ends in any::<Ends>()) {
            round_trip(&raw, 1, within(ends, raw.len()));
        }

        #[test]
        fn damaged_messages_come_back(raw in damaged(), ends in any::<Ends>()) {
            round_trip(&raw, 1, within(ends, raw.len()));
        }

        #[test]
        fn rubbish_comes_back(raw in rubbish(), ends in any::<Ends>()) {
            round_trip(&raw, 1, within(ends, raw.len()));
        }

        #[test]
        fn any_octets_come_back(
            raw in prop::collection::vec(any::<u8>(), 0..300),
            ends in any::<Ends>(),
        ) {
            round_trip(&raw, 1, within(ends, raw.len()));
        }
    }

    #[test]
    fn the_corpus_comes_back_range_by_range() {
        for (_, raw) in CORPUS {
            for start in (0..raw.len()).step_by(13) {
                round_trip(raw, 1, start..(start + 97).min(raw.len()));
            }
        }
    }
}
