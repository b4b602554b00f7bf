//! An organisation's slug: the name in its schema `org_<slug>`.

/// 1 to 40 lower-case letters, digits and underscores, beginning with a letter.
///
/// Postgres cuts identifiers at 63 octets and then lets them collide, so the
/// bound is well under that. The same rule stands as a CHECK in
/// `public.tenants`; this type is for a clear message before the round trip.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Slug(String);

/// Why a text is no slug.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("'{0}' is no slug: 1 to 40 of a-z, 0-9 and _, beginning with a letter")]
pub struct SlugError(String);

impl Slug {
    /// Checks `text`.
    pub fn new(text: &str) -> Result<Self, SlugError> {
        let ok = (1..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if ok { Ok(Self(text.to_owned())) } else { Err(SlugError(text.chars().take(60).collect())) }
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_the_documented_form() {
        for good in ["a", "acme", "acme_2", &"a".repeat(40)] {
            assert_eq!(Slug::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "2a", "_a", "Acme", "a-b", "a.b", "a\"b", &"a".repeat(41)] {
            assert!(Slug::new(bad).is_err(), "{bad}");
        }
    }
}
