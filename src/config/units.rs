//! Sizes and times as people write them.

use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A size in bytes, written as a number or as text such as `"50MiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim_start() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Size;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a size such as 4096 or \"50MiB\"")
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Size, E> {
                u64::try_from(bytes).map(Size).map_err(|_| E::custom("a size is not negative"))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                Size::parse(text).ok_or_else(|| {
                    E::custom(format!(
                        "{text:?} is not a size such as 4096, \"32KiB\" or \"50MiB\""
                    ))
                })
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// A length of time, written as text such as `"90s"`, `"4m30s"` or `"5d"`; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// The same as the standard library's type.
    pub const fn duration(self) -> Duration {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let mut total = Duration::ZERO;
        let mut rest = text.trim();
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = rest.split_at(digits);
            let letters =
                after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
            let (unit, after) = after.split_at(letters);
            let millis: u64 = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            let part = number.parse::<u64>().ok()?.checked_mul(millis)?;
            total = total.checked_add(Duration::from_millis(part))?;
            rest = after.trim_start();
        }
        (!total.is_zero()).then_some(Self(total))
    }
}

/// Reads a time where `"0s"` means that there is none.
pub(super) fn span_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "0" | "0s" => Ok(Span(Duration::ZERO)),
        _ => Span::deserialize(de::value::StringDeserializer::new(text)),
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is not a time such as \"90s\", \"4m30s\" or \"5d\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes() {
        let bytes = |text| Size::parse(text).map(Size::bytes);
        assert_eq!(bytes("0"), Some(0));
        assert_eq!(bytes("4096"), Some(4096));
        assert_eq!(bytes("32KiB"), Some(32768));
        assert_eq!(bytes("50 MiB"), Some(52_428_800));
        assert_eq!(bytes("17179869183GiB"), Some(17_179_869_183 << 30));
        for refused in ["", "KiB", "5KB", "-1", "1.5MiB", "17179869184GiB", "5 MiB x"] {
            assert_eq!(bytes(refused), None, "{refused}");
        }
    }

    #[test]
    fn times() {
        let millis = |text| Span::parse(text).map(|span| span.duration().as_millis());
        assert_eq!(millis("250ms"), Some(250));
        assert_eq!(millis("4m30s"), Some(270_000));
        assert_eq!(millis("1d 12h"), Some(129_600_000));
        for refused in [
            "",
            "0s",
            "5",
            "s",
            "5w",
            "1.5h",
            "-5m",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(millis(refused), None, "{refused}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,24}") {
            let _ = (Size::parse(&text), Span::parse(&text));
        }

        #[test]
        fn every_whole_second_is_read_back(seconds in 1_u64..10_000_000) {
            let read = Span::parse(&format!("{seconds}s")).map(Span::duration);
            prop_assert_eq!(read, Some(Duration::from_secs(seconds)));
        }
    }
}
