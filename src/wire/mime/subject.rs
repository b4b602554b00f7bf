//! The base subject (RFC 5256 §2.1): what replies and forwards of one message have in common.

/// Octets of a base subject kept: enough to tell threads apart, little enough to be an index key.
const MAX_BASE: usize = 998;
/// What stands in front of a reply or a forward, in lower case: English; German, Scandinavian,
/// Finnish, Dutch, Polish, Italian, French, Spanish, Portuguese, Turkish, Hungarian, Chinese and
/// Japanese. None of one letter, which may be anything.
const REFWD: [&str; 31] = [
    "re",
    "fwd",
    "fw",
    "aw",
    "antw",
    "wg",
    "sv",
    "vs",
    "vb",
    "vl",
    "doorst",
    "odp",
    "pd",
    "rif",
    "ref",
    "tr",
    "rv",
    "res",
    "enc",
    "ynt",
    "i\u{307}lt",
    "ilt",
    "vá",
    "tov",
    "回复",
    "回覆",
    "答复",
    "转发",
    "轉寄",
    "返信",
    "転送",
];

/// The base subject of a decoded subject, in lower case, at most 998 octets.
pub fn base_subject(subject: &str) -> String {
    // Steps 1 and 2 begin with one space for every run of white space. Cutting first keeps the
    // steps below, which look at a prefix again and again, from costing more than a moment.
    let words: Vec<_> = subject.split_whitespace().collect();
    let text = words.join(" ").to_lowercase();
    let mut base = text.get(..text.floor_char_boundary(MAX_BASE)).unwrap_or_default();
    loop {
        base = without_trailers(base);
        base = without_leaders(base);
        match base.strip_prefix("[fwd:").and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => base = inner,
            None => return base.to_owned(),
        }
    }
}

/// Whether a decoded subject is that of a reply or a forward, as far as it begins like one.
pub fn is_reply(subject: &str) -> bool {
    let begin = subject.trim_start();
    // Blobs in front are names of lists, and short.
    let begin = begin.get(..begin.floor_char_boundary(MAX_BASE)).unwrap_or_default();
    after_refwd(after_blobs(&begin.to_lowercase())).is_some()
}

/// ```abnf
/// subj-trailer = "(fwd)" / WSP
/// ```
fn without_trailers(mut text: &str) -> &str {
    loop {
        text = text.trim_end();
        match text.strip_suffix("(fwd)") {
            Some(rest) => text = rest,
            None => return text,
        }
    }
}

/// Steps 3 to 5: leaders, and blobs that something is left behind of.
///
/// ```abnf
/// subj-leader = (*subj-blob subj-refwd) / WSP
/// ```
fn without_leaders(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        let after_leader = after_refwd(after_blobs(text));
        let after_blob = || after_blob(text).filter(|rest| !rest.is_empty());
        match after_leader.or_else(after_blob) {
            Some(rest) => text = rest,
            None => return text,
        }
    }
}

fn after_blobs(mut text: &str) -> &str {
    while let Some(rest) = after_blob(text) {
        text = rest;
    }
    text
}

/// ```abnf
/// subj-blob = "[" *BLOBCHAR "]" *WSP
/// ```
fn after_blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let (at, bracket) = inner.match_indices(['[', ']']).next()?;
    (bracket == "]").then(|| inner.get(at + 1..).unwrap_or_default().trim_start())
}

/// ```abnf
/// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
/// ```
/// And what clients of other languages write instead.
fn after_refwd(text: &str) -> Option<&str> {
    let behind = |word: &&str| {
        let rest = text.strip_prefix(word)?.trim_start();
        after_blob(rest).unwrap_or(rest).strip_prefix([':', '\u{ff1a}'])
    };
    REFWD.iter().find_map(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_and_forwards_share_a_base() {
        for subject in [
            "Hello World",
            "Re: hello   world",
            "RE: Re: hello\tworld",
            "Fwd: hello world (fwd) ",
            "FW : hello world",
            "[list] Re: hello world",
            "Re: [list] hello world",
            "re[2]: hello world",
            "[a][b] fwd [x] : [c] hello world",
            "[Fwd: Re: hello world]",
            "[fwd: [Fwd: hello world] (fwd)]",
            "AW: Re: WG: hello world",
            "Antw: SV: VS: [list] hello world",
            "Re: AW: Fwd: hello world",
            "回复：hello world",
            "İLT: hello world",
        ] {
            assert_eq!(base_subject(subject), "hello world", "{subject}");
        }
    }

    #[test]
    fn a_reply_begins_like_one() {
        for subject in ["Re: x", " RE : x", "fwd: x", "[list] Re: x", "re[2]: x", "FW:"] {
            assert!(is_reply(subject), "{subject}");
        }
        for subject in ["", "x", "[re: x", "Regarding: x", "re x", "[list] x", "award: x", "I: x"] {
            assert!(!is_reply(subject), "{subject}");
        }
    }

    #[test]
    fn what_only_looks_like_a_reply_stays() {
        assert_eq!(base_subject("Regarding: x"), "regarding: x");
        assert_eq!(base_subject("re x"), "re x");
        assert_eq!(base_subject("[only a blob]"), "[only a blob]");
        assert_eq!(base_subject("[unclosed re: x"), "[unclosed re: x");
        assert_eq!(base_subject("Re:"), "");
        assert_eq!(base_subject("ÄÖ"), "äö");
    }

    #[test]
    fn long_subjects_are_cut_on_a_character() {
        assert_eq!(base_subject(&"ä".repeat(1000)).len(), 998);
        assert_eq!(base_subject(&format!("{}x", "[a]".repeat(100_000))).len(), 2);
    }
}
