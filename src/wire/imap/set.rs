//! Sequence sets: what a client names messages with, by sequence number or by UID.

use std::num::NonZeroU32;

use super::cursor::{Cursor, Parsed};
use super::error::What;
use super::numbers::NumberSet;

/// The most ranges in one set. A line cannot hold many more.
const MAX_RANGES: usize = 20_000;

/// One end of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeqNumber {
    /// A sequence number or UID.
    Number(NonZeroU32),
    /// `*`: the largest number in use.
    Star,
}

impl SeqNumber {
    /// The number itself, `max` for `*`.
    fn resolve(self, max: u32) -> u32 {
        match self {
            Self::Number(number) => number.get(),
            Self::Star => max,
        }
    }
}

/// A set as the client wrote it. What it means depends on the largest number in use, see
/// [`SequenceSet::resolve`], or, for `$`, on the last search whose result was saved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SequenceSet {
    /// Empty for `$` alone.
    ranges: Vec<(SeqNumber, SeqNumber)>,
}

impl SequenceSet {
    /// Whether it is `$`: what was saved last (RFC 5182 §2.1). Then it names no numbers itself.
    pub fn is_saved(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The numbers from one to another.
    pub fn between(from: NonZeroU32, to: NonZeroU32) -> Self {
        Self { ranges: vec![(SeqNumber::Number(from), SeqNumber::Number(to))] }
    }

    /// The numbers meant when `max` is the largest sequence number or UID in use, 0 if none is.
    ///
    /// The ends of a range may stand in either order, so `559:*` always holds `max`
    /// (RFC 3501 §9, seq-range). Nothing is in use when `max` is 0, so nothing is meant.
    pub fn resolve(&self, max: u32) -> NumberSet {
        if max == 0 {
            return NumberSet::default();
        }
        self.ranges.iter().map(|(from, to)| (from.resolve(max), to.resolve(max))).collect()
    }

    /// Whether a number above `max` is named: for sequence numbers that is a `BAD` command, also
    /// `*` in an empty mailbox (RFC 3501 §9, seq-number).
    pub fn exceeds(&self, max: u32) -> bool {
        let over = |end: SeqNumber| max == 0 || end.resolve(max) > max;
        self.ranges.iter().any(|&(from, to)| over(from) || over(to))
    }

    /// The ranges as written.
    pub fn ranges(&self) -> &[(SeqNumber, SeqNumber)] {
        &self.ranges
    }
}

impl Cursor<'_> {
    /// ```abnf
    /// sequence-set     = (seq-number / seq-range) *("," sequence-set)
    /// seq-range        = seq-number ":" seq-number
    /// sequence-set     =/ seq-last-command    ; RFC 5182
    /// seq-last-command = "$"
    /// ```
    pub(super) fn sequence_set(&mut self) -> Parsed<SequenceSet> {
        let mut ranges = Vec::new();
        if self.eat(b"$") {
            return Ok(SequenceSet { ranges });
        }
        loop {
            if ranges.len() == MAX_RANGES {
                return self.fail(What::Limit("ranges in a set"));
            }
            let from = self.seq_number()?;
            let to = if self.eat(b":") { self.seq_number()? } else { from };
            ranges.push((from, to));
            if !self.eat(b",") {
                return Ok(SequenceSet { ranges });
            }
        }
    }

    /// A set of one `seq-number`.
    pub(super) fn sequence_set_of_one(&mut self) -> Parsed<SequenceSet> {
        let number = self.seq_number()?;
        Ok(SequenceSet { ranges: vec![(number, number)] })
    }

    /// ```abnf
    /// seq-number = nz-number / "*"
    /// ```
    fn seq_number(&mut self) -> Parsed<SeqNumber> {
        if self.eat(b"*") {
            return Ok(SeqNumber::Star);
        }
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.expected("a sequence set");
        }
        self.nz_number().map(SeqNumber::Number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> SequenceSet {
        let mut cursor = Cursor::new(text.as_bytes());
        let set = cursor.sequence_set().unwrap();
        assert_eq!(cursor.rest(), b"", "{text}");
        set
    }

    fn resolved(text: &str, max: u32) -> String {
        set(text).resolve(max).to_string()
    }

    #[test]
    fn the_examples_of_rfc_3501_section_9() {
        assert_eq!(resolved("2,4:7,9,12:*", 15), "2,4:7,9,12:15");
        assert_eq!(resolved("*:4,5:7", 10), "4:10");
        assert_eq!(resolved("3:*", 1), "1:3");
        assert_eq!(resolved("*", 7), "7");
        assert_eq!(resolved("1:*", 0), "");
        assert!(set("$").is_saved() && !set("1").is_saved());
        assert_eq!(resolved("$", 9), "");
        assert!(!set("$").exceeds(0));
    }

    #[test]
    fn what_is_named_beyond_the_mailbox() {
        assert!(!set("1:*").exceeds(3));
        assert!(set("1:4").exceeds(3));
        assert!(set("4").exceeds(3));
        assert!(set("*").exceeds(0));
    }

    #[test]
    fn what_is_no_set() {
        for bad in
            ["", "0", "1:", ":1", "1,,2", ",1", "4294967296", "01", "a", "**", "$,1", "1,$", "$:2"]
        {
            let mut cursor = Cursor::new(bad.as_bytes());
            assert!(cursor.sequence_set().is_err() || !cursor.rest().is_empty(), "{bad}");
        }
        let many = "1,".repeat(MAX_RANGES) + "1";
        let error = Cursor::new(many.as_bytes()).sequence_set().unwrap_err();
        assert_eq!(error.what, What::Limit("ranges in a set"));
    }

    proptest! {
        #[test]
        fn resolves_as_the_definition_says(
            ranges in proptest::collection::vec((0u32..40, 0u32..40), 1..8),
            max in 1u32..30,
        ) {
            // 0 stands for `*` here.
            let star = |n: u32| if n == 0 { "*".to_owned() } else { n.to_string() };
            let text: Vec<_> = ranges.iter().map(|&(a, b)| format!("{}:{}", star(a), star(b))).collect();
            let numbers = set(&text.join(",")).resolve(max);
            let value = |n: u32| if n == 0 { max } else { n };
            for n in 1..60 {
                let meant = ranges.iter().any(|&(a, b)| {
                    let (a, b) = (value(a), value(b));
                    (a.min(b)..=a.max(b)).contains(&n)
                });
                prop_assert_eq!(numbers.contains(n), meant, "{}", n);
            }
        }
    }
}
