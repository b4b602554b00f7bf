//! The mechanisms of this server.

/// One way to log in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    /// RFC 7677; with `plus` it binds to the channel.
    Scram {
        /// `SCRAM-SHA-256-PLUS`
        plus: bool,
    },
    /// A token of somebody whom we believe (RFC 7628).
    OAuthBearer,
    /// RFC 4616.
    Plain,
    /// The undocumented but widespread name-then-password exchange.
    Login,
}

impl Mechanism {
    /// Those that prove most first, which is how clients that take the first one they know want
    /// them.
    pub const ALL: [Self; 5] = [
        Self::Scram { plus: true },
        Self::Scram { plus: false },
        Self::OAuthBearer,
        Self::Plain,
        Self::Login,
    ];

    /// As IANA lists it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scram { plus: true } => "SCRAM-SHA-256-PLUS",
            Self::Scram { plus: false } => "SCRAM-SHA-256",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// The one of this name, in any case; `None` for one that nobody here speaks.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::parse(&mechanism.name().to_lowercase()), Some(mechanism));
        }
        for other in ["", "GSSAPI", "PLAIN ", "SCRAM-SHA-256-"] {
            assert_eq!(Mechanism::parse(other), None, "{other}");
        }
    }
}
