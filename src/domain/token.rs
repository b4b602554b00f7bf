//! Tokens in public URLs: 128 random bits, written as 32 lower-case hex characters.

use rand::TryRng as _;

/// A tracking, unsubscribe or confirm token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// A new token from the operating system's generator.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn random() -> Result<Self, rand::rngs::SysError> {
        let mut bytes = [0u8; 16];
        rand::rngs::SysRng.try_fill_bytes(&mut bytes)?;
        let mut text = String::with_capacity(32);
        for byte in bytes {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        Ok(Self(text))
    }

    /// Reads a token; `None` unless it is exactly 32 of `0-9a-f`.
    pub fn parse(text: &str) -> Option<Self> {
        let ok = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        ok.then(|| Self(text.to_owned()))
    }

    /// The 32 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tokens are secrets: a log shows only that there is one.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_tokens_parse_and_differ() {
        let (a, b) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(Token::parse(a.as_str()), Some(a));
    }

    #[test]
    fn only_32_lower_case_hex_characters_are_a_token() {
        for bad in ["", "0", &"A".repeat(32), &"0".repeat(31), &"0".repeat(33), &"g".repeat(32)] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }
}
