//! What the server can do, and says so only where it works (RFC 3501 §7.2.1).

/// At any time.
const ALWAYS: &[&str] = &["IMAP4rev1", "LITERAL+", "SASL-IR", "ENABLE", "ID"];

/// Before TLS: nobody may log in yet (RFC 8314 §3.3).
const BEFORE_TLS: &[&str] = &["STARTTLS", "LOGINDISABLED"];

/// Under TLS, before login.
const BEFORE_LOGIN: &[&str] = &["AUTH=PLAIN"];

/// After login.
const AFTER_LOGIN: &[&str] = &[
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
];

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// In plain text.
    Plain,
    /// Under TLS.
    Tls,
    /// Logged in.
    LoggedIn,
}

/// The capabilities of a stage; `append_limit` is the APPENDLIMIT one (RFC 7889).
pub(super) fn names(stage: Stage, append_limit: &str) -> Vec<&str> {
    let more: &[&str] = match stage {
        Stage::Plain => BEFORE_TLS,
        Stage::Tls => BEFORE_LOGIN,
        Stage::LoggedIn => AFTER_LOGIN,
    };
    let limit = (stage == Stage::LoggedIn).then_some(append_limit);
    ALWAYS.iter().chain(more).copied().chain(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_asked_for_under_tls_only() {
        let plain = names(Stage::Plain, "APPENDLIMIT=1");
        assert!(plain.contains(&"LOGINDISABLED") && plain.contains(&"STARTTLS"));
        assert!(!plain.iter().any(|name| name.starts_with("AUTH=")));
        let tls = names(Stage::Tls, "APPENDLIMIT=1");
        assert!(tls.contains(&"AUTH=PLAIN"));
        assert!(!tls.contains(&"STARTTLS") && !tls.contains(&"LOGINDISABLED"));
        assert!(names(Stage::LoggedIn, "APPENDLIMIT=1").contains(&"APPENDLIMIT=1"));
    }
}
