//! What the server can do, and says so only where it works (RFC 3501 §7.2.1).

/// At any time: clients that never ask again after login (Python's imaplib is one) have to know
/// what they may use then.
const ALWAYS: &[&str] = &[
    "IMAP4rev1",
    "LITERAL+",
    "ENABLE",
    "ID",
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "LIST-METADATA",
    "STATUS=SIZE",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "METADATA",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
    "ESEARCH",
    "SEARCHRES",
    "WITHIN",
];

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// In plain text: nobody may log in yet (RFC 8314 §3.3).
    Plain,
    /// Under TLS.
    Tls,
    /// Logged in.
    LoggedIn,
}

/// The capabilities of a stage; `append_limit` is the APPENDLIMIT one (RFC 7889).
pub(super) fn names(stage: Stage, append_limit: &str) -> Vec<&str> {
    let login: &[&str] = match stage {
        Stage::Plain => &["STARTTLS", "LOGINDISABLED"],
        Stage::Tls => &["SASL-IR", "AUTH=PLAIN"],
        Stage::LoggedIn => &[],
    };
    ALWAYS.iter().chain(login).copied().chain([append_limit]).collect()
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
