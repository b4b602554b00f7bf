//! What a report says, as a reply of SMTP.

use crate::domain::outcome::Reply;
use crate::wire::mime::delivery_status::Recipient;

/// Characters of words that are kept.
const MAX_WORDS: usize = 1000;

/// The reply that a report repeats, or one that says as much.
pub(super) fn said(about: &Recipient) -> Reply {
    let status = about.status.as_deref().and_then(Reply::read_enhanced);
    let by_class = match status {
        Some((4, _, _)) => 450,
        _ => 550,
    };
    let words = about.diagnostic.as_deref().unwrap_or("the report does not say why");
    let (code, words) = match code(words) {
        Some((code, rest)) => (code, rest),
        None => (by_class, words),
    };
    // Lines of one reply are run together with their codes.
    let again = format!("{code}-");
    let mut enhanced = None;
    let mut kept = Vec::new();
    for word in words.split_whitespace() {
        let word = word.strip_prefix(&again).unwrap_or(word);
        match Reply::read_enhanced(word) {
            Some(code) if enhanced.is_none_or(|known| known == code) => enhanced = Some(code),
            _ => kept.push(word),
        }
    }
    let mut text = kept.join(" ");
    text.truncate(text.floor_char_boundary(MAX_WORDS));
    Reply { code, enhanced: enhanced.or(status), text }
}

/// Takes the three digits off the front.
fn code(words: &str) -> Option<(u16, &str)> {
    let (digits, rest) = words.split_at_checked(3)?;
    let is_code = rest.is_empty() || rest.starts_with([' ', '-']);
    let code: u16 = digits.parse().ok().filter(|code| (200..600).contains(code))?;
    is_code.then(|| (code, rest.trim_start_matches([' ', '-'])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mime::dsn::Action;

    fn read(status: Option<&str>, diagnostic: Option<&str>) -> String {
        said(&Recipient {
            final_recipient: None,
            original_recipient: None,
            action: Action::Failed,
            status: status.map(str::to_owned),
            diagnostic: diagnostic.map(str::to_owned),
            remote_mta: None,
        })
        .to_string()
    }

    #[test]
    fn words_and_codes_are_told_apart() {
        for (status, diagnostic, expected) in [
            (
                Some("5.1.1"),
                Some("550 5.1.1 <a@b.test> no such user"),
                "550 5.1.1 <a@b.test> no such user",
            ),
            (
                Some("5.1.1"),
                Some("550-5.1.1 There is 550-5.1.1 nobody 550 5.1.1 here"),
                "550 5.1.1 There is nobody 550 here",
            ),
            (Some("5.0.0"), Some("554 5.7.1 no"), "554 5.7.1 no"),
            (Some("5.4.4"), Some("unknown host"), "550 5.4.4 unknown host"),
            (Some("4.4.7"), None, "450 4.4.7 the report does not say why"),
            (None, Some("999 x"), "550 999 x"),
            (Some("x"), Some("55"), "550 55"),
            (None, Some(""), "550 "),
        ] {
            assert_eq!(read(status, diagnostic), expected);
        }
        assert!(read(None, Some(&"ö".repeat(2000))).len() < 1010);
    }
}
