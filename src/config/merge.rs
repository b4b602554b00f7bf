//! Lays a user's TOML over the defaults, keeping the user's positions for error messages.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Error;

/// Reads `T` from `defaults` with every key of `user` put in its place, tables merged key by key.
///
/// The defaults are known to be sound (a test reads them), so every position in an error is one in
/// `user`.
pub(super) fn over_defaults<T: DeserializeOwned>(defaults: &str, user: &str) -> Result<T, Error> {
    let syntax = |text: &str, error: &toml::de::Error| Error::Syntax {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    };
    let mut merged = DeTable::parse(defaults).map_err(|e| syntax(defaults, &e))?.into_inner();
    let overrides = DeTable::parse(user).map_err(|e| syntax(user, &e))?.into_inner();
    merge(&mut merged, overrides.clone());
    T::deserialize(toml::Deserializer::from(Spanned::new(0..0, merged))).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Error::Key {
            line: line_of(user, at),
            key: key_at(&overrides, at).unwrap_or_else(|| "the file".to_owned()),
            message: error.message().replace("unknown field", "unknown key"),
        }
    })
}

fn merge<'a>(into: &mut DeTable<'a>, from: DeTable<'a>) {
    for (key, value) in from {
        let span = value.span();
        match (into.get_mut(&key).map(Spanned::get_mut), value.into_inner()) {
            (Some(DeValue::Table(into)), DeValue::Table(from)) => merge(into, from),
            (_, value) => {
                // Removed first: inserting alone would keep the default's key and its position.
                into.remove(&key);
                into.insert(key, Spanned::new(span, value));
            }
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

/// The dotted path of the key that stands, itself or by its value, at a position.
fn key_at(table: &DeTable<'_>, offset: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        if let Some(inner) = value.get_ref().as_table().and_then(|inner| key_at(inner, offset)) {
            return Some(format!("{}.{inner}", key.get_ref()));
        }
        (key.span().contains(&offset) || value.span().contains(&offset))
            .then(|| key.get_ref().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, DEFAULTS};

    fn error(user: &str) -> String {
        over_defaults::<Config>(DEFAULTS, user).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = error("# mine\n[smtp]\nlisten = \"[::]:25\"\nlissten = 1\n");
        let named = "line 4, smtp.lissten: unknown key `lissten`, expected one of `listen`";
        assert!(text.starts_with(named), "{text}");
        let text = error("[sntp]\nlisten = \"[::]:25\"\n");
        assert!(text.starts_with("line 1, sntp: unknown key `sntp`, expected one of"), "{text}");
        let text = error("objects.s3.buket = 'x'");
        assert!(text.starts_with("line 1, objects.s3.buket: unknown key"), "{text}");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_with_its_line() {
        assert_eq!(
            error("\n[imap]\nlisten_tls = \"localhost\""),
            "line 3, imap.listen_tls: invalid socket address syntax"
        );
        assert_eq!(
            error("[queue]\nretry = [\n\"1m\",\n\"soon\"]"),
            "line 2, queue.retry: \"soon\" is not a time such as \"90s\", \"4m30s\" or \"5d\""
        );
        let text = error("[limits]\nrecipients = \"many\"");
        assert!(text.starts_with("line 2, limits.recipients: invalid type: string"), "{text}");
        let text = error("smtp = 25");
        assert!(text.starts_with("line 1, smtp: invalid type: integer"), "{text}");
    }

    #[test]
    fn what_is_not_toml_is_a_syntax_error() {
        assert!(error("[smtp]\nlisten = \n").starts_with("line 2: "));
        assert_eq!(error("[dns]\nattempts = 1\nattempts = 2"), "line 3: duplicate key");
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(user in "[\\[\\]a-z0-9_.=\"'\n #{},é-]{0,80}") {
            let _ = over_defaults::<Config>(DEFAULTS, &user);
        }
    }
}
