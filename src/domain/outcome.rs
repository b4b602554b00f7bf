//! What became of one attempt to hand one message to one recipient.

/// A reply in SMTP's terms (RFC 5321 §4.2, RFC 3463), a remote's or ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Three digits, 200 to 599.
    pub code: u16,
    /// `class.subject.detail`, where the text began with one.
    pub enhanced: Option<(u8, u16, u16)>,
    /// The remote's own words, lines joined by a space, at most 1,000 characters.
    pub text: String,
}

impl Reply {
    /// Whether the code says "yes".
    pub fn is_positive(&self) -> bool {
        (200..400).contains(&self.code)
    }

    /// Whether the code says "never".
    pub fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// Reads `class.subject.detail` (RFC 3463 §2).
    pub fn read_enhanced(text: &str) -> Option<(u8, u16, u16)> {
        let mut numbers = text.trim().splitn(3, '.').map(|digits| {
            let fits =
                (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|_| fits)
        });
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        Some((u8::try_from(class).ok()?, subject, detail))
    }

    /// The enhanced code as text, if there is one.
    pub fn enhanced_text(&self) -> Option<String> {
        self.enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}"))
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced_text() {
            write!(f, " {enhanced}")?;
        }
        write!(f, " {}", self.text)
    }
}

/// Where and how an attempt was made, as far as it got.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Via {
    /// The MX host's name, or `local`.
    pub host: Option<String>,
    /// The address that was connected to.
    pub ip: Option<std::net::IpAddr>,
    /// TLS protocol and cipher and why they were enough, or `none:` and why there was no TLS.
    pub tls: Option<String>,
    /// The route, for people; `None` for straight to the recipient's server.
    pub route: Option<String>,
}

/// The result of one attempt for one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The recipient's own server took it.
    Delivered(Reply),
    /// Not now; the remote's or our own reason. To be tried again.
    Deferred(Reply),
    /// Never; the remote's or our own reason.
    Failed(Reply),
}

impl Outcome {
    /// The reply inside.
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Delivered(reply) | Self::Deferred(reply) | Self::Failed(reply) => reply,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_codes_read_back() {
        assert_eq!(Reply::read_enhanced("5.1.10"), Some((5, 1, 10)));
        for bad in ["", "5.1", "5.1.", "5.1.1.1", "5.+1.1", "999.1.1", "5.1.1000"] {
            assert_eq!(Reply::read_enhanced(bad), None, "{bad}");
        }
    }
}
