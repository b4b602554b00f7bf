//! Which receivers belong together, by their MX.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Each group with the ends of its hosts' names. It is part of the program, so a
/// test reads it; were it unreadable, no host would be of any group.
static GROUPS: LazyLock<BTreeMap<String, Vec<String>>> =
    LazyLock::new(|| toml::from_str(include_str!("providers.toml")).unwrap_or_default());

/// The group that the MX host `host` is of, if any.
pub(in crate::mail) fn of(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    let ends = |end: &String| {
        host.strip_suffix(end.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    GROUPS.iter().find(|(_, ends_with)| ends_with.iter().any(ends)).map(|(name, _)| name.as_str())
}

/// Whether there is a group of that name; `*` is everybody.
pub fn is_known(name: &str) -> bool {
    name == "*" || GROUPS.contains_key(name)
}

/// The names of all groups.
pub fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_of_their_group_and_lookalikes_are_not() {
        assert_eq!(of("gmail-smtp-in.l.Google.com"), Some("google"));
        assert_eq!(of("acme-example.mail.protection.outlook.com"), Some("microsoft"));
        assert_eq!(of("mta5.am0.yahoodns.net"), Some("yahoo"));
        assert_eq!(of("mx01.mail.icloud.com"), Some("apple"));
        assert_eq!(of("mx.notgoogle.com"), None);
        assert_eq!(of("mx.example.net"), None);
        assert!(is_known("google") && is_known("*") && !is_known("nobody"));
        assert!(names().count() > 10);
    }
}
