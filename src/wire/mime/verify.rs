//! The proof, before anything is committed, that a split message comes back.

use super::digest::Sha256;
use super::rebuild::{Mismatch, Piece, original_len, pieces};
use super::split::Cut;

/// Octets of an object encoded at once.
const STEP: usize = 64 * 1024;

/// Checks, octet by octet, that `skeleton` and `cuts` give `raw` back and that every object has its
/// digest. Makes one object at a time, and encodes it a step at a time.
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
    let object = cut.object_bytes(raw);
    if object.len() != cut.object_len || Sha256::of(&object) != cut.sha256 {
        return Err(Mismatch);
    }
    let mut step = Vec::new();
    for start in (0..cut.len).step_by(STEP) {
        let encoded = start..(start + STEP).min(cut.len);
        let needed = object.get(cut.object_range(&encoded)).ok_or(Mismatch)?;
        step.clear();
        cut.encode(&encoded, needed, &mut step)?;
        if original.get(encoded) != Some(&step) {
            return Err(Mismatch);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::fixture;
    use super::super::{Base64Lines, Newline, Recipe, Split, parse, split};
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
