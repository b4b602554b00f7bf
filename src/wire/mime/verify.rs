//! The proof, before anything is committed, that a split message comes back.

use std::ops::Range;

use super::digest::Hasher;
use super::rebuild::{Mismatch, Piece, original_len, pieces};
use super::split::Cut;

/// Octets of an object encoded at once.
const STEP: usize = 64 * 1024;

/// Checks, octet by octet, that `skeleton` and `cuts` give `raw` back and that every object has its
/// digest. Holds a step of one object at a time.
pub fn verify(raw: &[u8], skeleton: &[u8], cuts: &[Cut]) -> Result<(), Mismatch> {
    if original_len(skeleton.len(), cuts) != raw.len() {
        return Err(Mismatch);
    }
    let mut at = 0;
    for piece in pieces(cuts, 0..raw.len()) {
        match piece {
            Piece::Skeleton(range) => {
                let original = raw.get(at..at + range.len()).ok_or(Mismatch)?;
                at += range.len();
                if skeleton.get(range) != Some(original) {
                    return Err(Mismatch);
                }
            }
            Piece::Object { cut, encoded } => {
                at += encoded.len();
                verify_cut(raw, cuts.get(cut).ok_or(Mismatch)?)?;
            }
        }
    }
    if at == raw.len() { Ok(()) } else { Err(Mismatch) }
}

fn verify_cut(raw: &[u8], cut: &Cut) -> Result<(), Mismatch> {
    let original = raw.get(cut.range()).ok_or(Mismatch)?;
    let mut proof =
        Proof { cut, original, hasher: Hasher::new(), at: 0, object: Vec::new(), before: 0 };
    let mut result = Ok(());
    cut.object(raw, |octets| {
        if result.is_ok() {
            result = proof.take(octets);
        }
    });
    result.and_then(|()| proof.finish())
}

/// An object on its way back to the piece of the original that it was made from.
struct Proof<'a> {
    cut: &'a Cut,
    original: &'a [u8],
    hasher: Hasher,
    /// Octets of the original proven so far.
    at: usize,
    /// Octets of the object not yet needed no more, and how many went before.
    object: Vec<u8>,
    before: usize,
}

impl Proof<'_> {
    fn take(&mut self, octets: &[u8]) -> Result<(), Mismatch> {
        self.hasher.update(octets);
        self.object.extend_from_slice(octets);
        while self.at < self.original.len() {
            let step = self.at..(self.at + STEP).min(self.original.len());
            let needed = self.cut.object_range(&step);
            if needed.end > self.before + self.object.len() {
                return Ok(());
            }
            self.prove(step, &needed)?;
        }
        Ok(())
    }

    fn prove(&mut self, step: Range<usize>, needed: &Range<usize>) -> Result<(), Mismatch> {
        let from = needed.start.checked_sub(self.before).ok_or(Mismatch)?;
        let object = self.object.get(from..needed.end - self.before).ok_or(Mismatch)?;
        let mut encoded = Vec::with_capacity(step.len());
        self.cut.encode(&step, object, &mut encoded)?;
        if self.original.get(step.clone()) != Some(&encoded) {
            return Err(Mismatch);
        }
        self.at = step.end;
        // The next step may need the last octets once more.
        let next = self.cut.object_range(&(self.at..self.at)).start;
        let done = next.saturating_sub(self.before).min(self.object.len());
        self.object.drain(..done);
        self.before += done;
        Ok(())
    }

    fn finish(self) -> Result<(), Mismatch> {
        let whole = self.before + self.object.len() == self.cut.object_len
            && self.at == self.original.len()
            && self.hasher.finish() == self.cut.sha256;
        if whole { Ok(()) } else { Err(Mismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::fixture;
    use super::super::{Base64Lines, Newline, Recipe, Sha256, Split, parse, split};
    use super::*;

    type Damage = fn(&mut Vec<u8>, &mut Vec<Cut>);

    fn split_up(name: &str) -> (&'static [u8], Split) {
        let raw = fixture(name);
        (raw, split(raw, &parse(raw), 1))
    }

    #[test]
    fn damage_of_any_kind_is_noticed() {
        let (raw, Split { skeleton, cuts }) = split_up("mixed");
        assert_eq!(verify(raw, &skeleton, &cuts), Ok(()));
        let damage: [Damage; 8] = [
            |skeleton, _| skeleton[5] ^= 1,
            |skeleton, _| skeleton.truncate(20),
            |_, cuts| cuts[0].start += 1,
            |_, cuts| cuts[0].len -= 1,
            |_, cuts| cuts[0].sha256 = Sha256::of(b"other"),
            |_, cuts| cuts[0].object_len += 1,
            |_, cuts| cuts[0].recipe = Recipe::Identity,
            |_, cuts| {
                let lines = Base64Lines { line_len: 72, newline: Newline::Crlf };
                cuts[0].recipe = Recipe::Base64(lines);
            },
        ];
        for (index, damage) in damage.iter().enumerate() {
            let (mut skeleton, mut cuts) = (skeleton.clone(), cuts.clone());
            damage(&mut skeleton, &mut cuts);
            assert_eq!(verify(raw, &skeleton, &cuts), Err(Mismatch), "damage {index}");
        }
    }
}
