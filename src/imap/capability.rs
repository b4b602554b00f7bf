//! What the server can do, and says so only where it works (RFC 3501 §7.2.1).

use crate::config::Limits;
use crate::wire::sasl::Mechanism;

/// At any time: clients that never ask again after login (Python's imaplib is one) have to know
/// what they may use then.
const ALWAYS: &[&str] = &[
    "IMAP4rev1",
    "IMAP4rev2",
    "LITERAL+",
    "ENABLE",
    "ID",
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "UNSELECT",
    "UIDPLUS",
    "MULTIAPPEND",
    "BINARY",
    "CATENATE",
    "REPLACE",
    "UTF8=ACCEPT",
    "MOVE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "LIST-METADATA",
    "STATUS=SIZE",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "ACL",
    "RIGHTS=texk",
    "LIST-MYRIGHTS",
    "METADATA",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
    "ESEARCH",
    "SEARCHRES",
    "WITHIN",
    "CONDSTORE",
    "QRESYNC",
    "INPROGRESS",
    "OBJECTID",
    "PARTIAL",
    "MULTISEARCH",
    "UIDONLY",
    "SORT",
    "SORT=DISPLAY",
    "ESORT",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "NOTIFY",
    "PREVIEW",
    "X-GM-EXT-1",
];

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// In plain text: nobody may log in yet (RFC 8314 §3.3).
    Plain,
    /// Under TLS, where a login may have something to be bound to.
    Tls {
        /// It has.
        bindable: bool,
    },
    /// Logged in.
    LoggedIn {
        /// What travels is compressed already.
        compressed: bool,
    },
}

/// What is announced of the limits: APPENDLIMIT (RFC 7889) and, where there is one, MESSAGELIMIT
/// (RFC 9738).
pub(super) fn bounds(limits: &Limits) -> Vec<String> {
    let mut bounds = vec![format!("APPENDLIMIT={}", limits.message_size.bytes())];
    if limits.messages_per_command > 0 {
        bounds.push(format!("MESSAGELIMIT={}", limits.messages_per_command));
    }
    bounds
}

/// The capabilities of a stage within these [`bounds`], where these mechanisms work.
pub(super) fn names<'a>(
    stage: Stage,
    mechanisms: &[Mechanism],
    bounds: &'a [String],
) -> Vec<&'a str> {
    let login: &[&str] = match stage {
        Stage::Plain => &["STARTTLS", "LOGINDISABLED"],
        Stage::Tls { .. } => &["SASL-IR"],
        // RFC 4978 §3: of no use before login, and only once.
        Stage::LoggedIn { compressed: false } => &["COMPRESS=DEFLATE"],
        Stage::LoggedIn { compressed: true } => &[],
    };
    let mut names: Vec<&str> = ALWAYS.iter().chain(login).copied().collect();
    for mechanism in mechanisms {
        if let Some(name) = auth(*mechanism) {
            names.push(name);
        }
    }
    names.extend(bounds.iter().map(String::as_str));
    names
}

/// A mechanism of AUTHENTICATE. What SASL calls LOGIN is the command of that name here.
fn auth(mechanism: Mechanism) -> Option<&'static str> {
    match mechanism {
        Mechanism::Scram { plus: true } => Some("AUTH=SCRAM-SHA-256-PLUS"),
        Mechanism::Scram { plus: false } => Some("AUTH=SCRAM-SHA-256"),
        Mechanism::OAuthBearer => Some("AUTH=OAUTHBEARER"),
        Mechanism::Plain => Some("AUTH=PLAIN"),
        Mechanism::Login => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_asked_for_under_tls_only() {
        let bounds = ["APPENDLIMIT=1".to_owned()];
        let plain = names(Stage::Plain, &[], &bounds);
        assert!(plain.contains(&"LOGINDISABLED") && plain.contains(&"STARTTLS"));
        assert!(!plain.iter().any(|name| name.starts_with("AUTH=")));
        let tls = names(Stage::Tls { bindable: true }, &Mechanism::ALL, &bounds);
        assert!(tls.contains(&"AUTH=PLAIN") && !tls.contains(&"AUTH=LOGIN"));
        for mechanism in Mechanism::ALL.into_iter().filter(|m| *m != Mechanism::Login) {
            assert_eq!(auth(mechanism), Some(&*format!("AUTH={}", mechanism.name())));
        }
        let inside = |compressed| names(Stage::LoggedIn { compressed }, &[], &bounds);
        let offers = |names: &[&str]| names.contains(&"COMPRESS=DEFLATE");
        assert!(offers(&inside(false)) && !offers(&inside(true)) && !offers(&tls));
        assert!(!tls.contains(&"STARTTLS") && !tls.contains(&"LOGINDISABLED"));
        assert!(
            names(Stage::LoggedIn { compressed: true }, &[], &bounds).contains(&"APPENDLIMIT=1")
        );
    }
}
