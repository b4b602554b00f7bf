//! Some of what was found, counted from its begin or from its end (RFC 9394 §4).

use std::fmt::{self, Display};
use std::num::NonZeroU32;
use std::ops::Range;

use super::cursor::{Cursor, Parsed};

/// `1:500`, the first 500, or `-1:-500`, the last 500. The ends may stand in either order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartialRange {
    from: NonZeroU32,
    to: NonZeroU32,
    from_end: bool,
}

impl PartialRange {
    /// Which of `len` results are meant, as indices from 0: those that exist.
    pub fn of(self, len: usize) -> Range<usize> {
        let index = |number: NonZeroU32| usize::try_from(number.get()).unwrap_or(usize::MAX);
        let (from, to) = (index(self.from.min(self.to)), index(self.from.max(self.to)));
        let range = if self.from_end {
            len.saturating_sub(to)..len.saturating_sub(from - 1)
        } else {
            (from - 1).min(len)..to.min(len)
        };
        if range.is_empty() { 0..0 } else { range }
    }
}

impl Display for PartialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(f, "{sign}{}:{sign}{}", self.from, self.to)
    }
}

impl Cursor<'_> {
    /// ```abnf
    /// partial-range       = partial-range-first / partial-range-last
    /// partial-range-first = nz-number ":" nz-number
    /// partial-range-last  = MINUS nz-number ":" MINUS nz-number
    /// ```
    pub(super) fn partial_range(&mut self) -> Parsed<PartialRange> {
        let from_end = self.eat(b"-");
        let from = self.nz_number()?;
        self.expect(if from_end { ":-" } else { ":" })?;
        Ok(PartialRange { from, to: self.nz_number()?, from_end })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> PartialRange {
        Cursor::new(text.as_bytes()).partial_range().unwrap()
    }

    #[test]
    fn ranges_of_what_there_is() {
        assert_eq!(read("1:2").of(5), 0..2);
        assert_eq!(read("4:9").of(5), 3..5);
        assert_eq!(read("9:4").of(5), 3..5);
        assert_eq!(read("6:9").of(5), 0..0);
        assert_eq!(read("-1:-2").of(5), 3..5);
        assert_eq!(read("-4:-9").of(5), 0..2);
        assert_eq!(read("-6:-9").of(5), 0..0);
        assert_eq!(read("1:4294967295").of(0), 0..0);
    }

    proptest! {
        #[test]
        fn decode_of_encode_and_counting_from_the_end(
            from in 1u32..30, to in 1u32..30, from_end: bool, len in 0usize..40,
        ) {
            let number = |n| NonZeroU32::new(n).unwrap();
            let range = PartialRange { from: number(from), to: number(to), from_end };
            prop_assert_eq!(read(&range.to_string()), range);
            let mut found: Vec<u32> = (1..).take(len).collect();
            if from_end {
                found.reverse();
            }
            let meant: Vec<u32> = (from.min(to)..=from.max(to)).filter_map(|n| found.get(n as usize - 1).copied()).collect();
            let indices: Vec<usize> = range.of(len).collect();
            prop_assert_eq!(indices.len(), meant.len());
            for index in indices {
                let value = u32::try_from(index + 1).unwrap();
                prop_assert!(meant.contains(&value));
            }
        }
    }
}
