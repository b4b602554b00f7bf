//! This machine's name.

use crate::config::is_host_name;

/// The configured name, or else the system's, or else `localhost`; lower case.
pub fn hostname(configured: &str) -> String {
    let system = rustix::system::uname();
    let candidates = [configured, system.nodename().to_str().unwrap_or_default()];
    let name = candidates.into_iter().find(|name| is_host_name(name)).unwrap_or("localhost");
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_name_stands() {
        assert_eq!(hostname("Mail.Example.ORG"), "mail.example.org");
    }

    #[test]
    fn without_one_there_still_is_a_name() {
        assert!(is_host_name(&hostname("")));
    }
}
