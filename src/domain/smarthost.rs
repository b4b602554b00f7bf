//! A server that takes mail for all others.

use serde::Deserialize;

/// What of TLS there has to be with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmarthostTls {
    /// STARTTLS where it is offered and works, with whoever answers (RFC 7435).
    Opportunistic,
    /// STARTTLS, with a host that proves its name.
    StartTls,
    /// TLS from the first octet on (RFC 8314 §3.3), with a host that proves its name.
    Implicit,
}

impl SmarthostTls {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Opportunistic, Self::StartTls, Self::Implicit];

    /// The word that stands in the database and in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opportunistic => "opportunistic",
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
        }
    }

    /// Whether nothing goes before the host has proven its name.
    pub fn is_required(self) -> bool {
        self != Self::Opportunistic
    }
}

impl std::str::FromStr for SmarthostTls {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|tls| tls.as_str() == word)
            .ok_or_else(|| format!("'{word}' is none of: opportunistic, starttls, implicit"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_the_database_have_the_same_words() {
        for tls in SmarthostTls::ALL {
            assert_eq!(tls.as_str().parse(), Ok(tls));
            assert_eq!(serde_json::from_value::<SmarthostTls>(tls.as_str().into()).unwrap(), tls);
        }
        assert!("STARTTLS".parse::<SmarthostTls>().is_err());
    }
}
