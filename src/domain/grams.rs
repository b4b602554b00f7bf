//! Which trigrams are in a text, in few octets: a filter that rules texts out.
//!
//! Every three octets that stand side by side set one bit of 32,768. Then the filter is folded in
//! half as long as at least one bit in five would be set by another trigram at most: the filter of a
//! message takes about as many octets as it has different trigrams, and a text that lacks a needle of
//! six letters passes once in a thousand times.

/// Octets of a filter before it is folded.
const FULL: usize = 4096;
/// Octets of the smallest filter.
const LEAST: usize = 8;
/// Bits that each different trigram gets at least.
const BITS_EACH: usize = 5;
/// Trigrams of a needle that are asked for: more would rule out no more.
const MAX_PROBES: usize = 12;

/// The filter over `text`: a power of two of octets, 8 to 4,096. A trigram's bit is its
/// [hash](probes) modulo the number of bits; bit 0 is the lowest of the first octet.
pub fn filter(text: &str) -> Vec<u8> {
    let mut bits = vec![0u8; FULL];
    for hash in hashes(text) {
        if let Some(octet) = bits.get_mut(usize::from(hash / 8)) {
            *octet |= 1 << (hash % 8);
        }
    }
    let set: u32 = bits.iter().map(|octet| octet.count_ones()).sum();
    let wanted = set as usize * BITS_EACH;
    while bits.len() > LEAST && bits.len() / 2 * 8 >= wanted {
        let upper = bits.split_off(bits.len() / 2);
        for (lower, upper) in bits.iter_mut().zip(upper) {
            *lower |= upper;
        }
    }
    bits
}

/// The hashes of some trigrams of `needle`, below 32,768: a text whose filter lacks one of them does
/// not contain it. None for a needle of less than three octets.
pub fn probes(needle: &str) -> Vec<u16> {
    let mut probes: Vec<u16> = hashes(needle).collect();
    probes.sort_unstable();
    probes.dedup();
    // Evenly from all of them.
    let step = probes.len().div_ceil(MAX_PROBES).max(1);
    probes.into_iter().step_by(step).collect()
}

/// Whether the text with this filter may contain the needle of these [probes].
pub fn may_contain(filter: &[u8], probes: &[u16]) -> bool {
    let mask = filter.len().saturating_mul(8).wrapping_sub(1);
    probes.iter().all(|&hash| {
        let bit = usize::from(hash) & mask;
        filter.get(bit / 8).is_none_or(|octet| octet >> (bit % 8) & 1 == 1)
    })
}

fn hashes(text: &str) -> impl Iterator<Item = u16> {
    text.as_bytes().windows(3).map(|gram| {
        let number = gram.iter().fold(0u32, |number, &octet| number << 8 | u32::from(octet));
        // Fibonacci hashing: the highest bits are the mixed ones.
        let mixed = number.wrapping_mul(0x9e37_79b1) >> 17;
        u16::try_from(mixed).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn filters_are_small_and_rule_out() {
        assert_eq!(filter("").len(), LEAST);
        let words: String = (0..2000).map(|n| format!("{:x} ", n * 7919)).collect();
        let of_words = filter(&words);
        assert!(of_words.len().is_power_of_two() && of_words.len() <= FULL);
        let absent =
            (0..1000).filter(|n| may_contain(&of_words, &probes(&format!("zq{n:04}yw")))).count();
        assert!(absent < 50, "{absent} of 1000 pass");
        assert!(probes("ab").is_empty());
        assert!(probes(&words).len() <= MAX_PROBES);
    }

    proptest! {
        #[test]
        fn nothing_that_is_there_is_ruled_out(before in ".{0,200}", needle in ".{0,30}", after in ".{0,200}") {
            let filter = filter(&format!("{before}{needle}{after}"));
            prop_assert!(filter.len().is_power_of_two());
            prop_assert!(may_contain(&filter, &probes(&needle)));
        }
    }
}
