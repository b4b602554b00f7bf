//! The AUTH command (RFC 4954 §4).

use super::command::SyntaxError;
use crate::wire::sasl::Mechanism;

/// What an AUTH command said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Auth {
    /// The mechanism asked for; `None` for one that nobody here speaks.
    pub mechanism: Option<Mechanism>,
    /// The initial response, still in base64; the empty response (`=`) is an empty text.
    pub initial: Option<Secret>,
}

/// A text that no log may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// ```abnf
/// auth-command     = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) CRLF
/// initial-response = base64 / "="
/// ```
pub(super) fn parse(args: &str) -> Result<Auth, SyntaxError> {
    let mut words = args.split(' ').filter(|word| !word.is_empty());
    let (mechanism, initial) = (words.next(), words.next());
    let (Some(mechanism), None) = (mechanism, words.next()) else {
        return Err(SyntaxError::Arguments("AUTH mechanism [initial-response]"));
    };
    let mechanism = Mechanism::parse(mechanism);
    let initial = initial.map(|text| Secret(if text == "=" { "" } else { text }.to_owned()));
    Ok(Auth { mechanism, initial })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mechanism_and_initial_response() {
        let auth = parse("plain  AGEAYg==").unwrap();
        assert_eq!(auth.mechanism, Some(Mechanism::Plain));
        assert_eq!(auth.initial, Some(Secret("AGEAYg==".to_owned())));
        assert!(!format!("{auth:?}").contains("AGEA"));
        assert_eq!(
            parse("LOGIN").unwrap(),
            Auth { mechanism: Some(Mechanism::Login), initial: None }
        );
        assert_eq!(parse("PLAIN =").unwrap().initial, Some(Secret(String::new())));
        assert_eq!(parse("GSSAPI").unwrap().mechanism, None);
        assert!(parse("").is_err());
        assert!(parse("PLAIN a b").is_err());
    }
}
