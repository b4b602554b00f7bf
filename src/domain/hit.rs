//! A hit: somebody or something has fetched a tracking pixel or a tracked link.

/// What was fetched.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HitKind {
    /// The pixel.
    Open,
    /// A link.
    Click,
}

impl HitKind {
    /// The word in `tracking_tokens.kind` and `email_tracking_events.event_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Click => "click",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Click].into_iter().find(|kind| kind.as_str() == word)
    }

    /// The event's name in `analytics_events`.
    pub fn event(self) -> &'static str {
        match self {
            Self::Open => "email.opened",
            Self::Click => "email.clicked",
        }
    }
}

/// How it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fetch {
    /// GET, as clients and browsers do.
    Get,
    /// GET that calls itself a prefetch or a preview.
    Prefetch,
    /// HEAD: only the header was asked for.
    Head,
}

impl Fetch {
    /// The word that is kept with the hit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Prefetch => "prefetch",
            Self::Head => "head",
        }
    }
}

/// Who caused a hit. Only [`HitClass::Human`] is counted on the message; all are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HitClass {
    /// A person's mail client or browser.
    Human,
    /// A mail provider that fetches pictures on behalf of its users.
    ImageProxy,
    /// A client or network that fetches everything before anybody looks.
    PrivacyPrefetch,
    /// A filter that follows links to judge the message.
    SecurityScanner,
    /// The sender's own copy.
    OwnView,
    /// Nothing tells.
    Unknown,
}

impl HitClass {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Human,
        Self::ImageProxy,
        Self::PrivacyPrefetch,
        Self::SecurityScanner,
        Self::OwnView,
        Self::Unknown,
    ];

    /// The word in `analytics_events.class`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::ImageProxy => "image_proxy",
            Self::PrivacyPrefetch => "privacy_prefetch",
            Self::SecurityScanner => "security_scanner",
            Self::OwnView => "own_view",
            Self::Unknown => "unknown",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// A class and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grade {
    /// Who caused the hit.
    pub class: HitClass,
    /// The rule that decided, such as `agent:GoogleImageProxy`; kept with the hit.
    pub rule: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for class in HitClass::ALL {
            assert_eq!(HitClass::parse(class.as_str()), Some(class));
        }
        for kind in [HitKind::Open, HitKind::Click] {
            assert_eq!(HitKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!((HitClass::parse("bot"), HitKind::parse("")), (None, None));
    }
}
