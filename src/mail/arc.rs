//! ARC sealing of what is forwarded (RFC 8617 §5.1): what was found out here
//! goes on with it, vouched for by the domain that forwards.
//!
//! As with DKIM, the same message, key and time give the same octets.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mail::Error;
use crate::mail::dkim::Signer;
use crate::wire::dkim::{relaxed_body, relaxed_field};
use crate::wire::mime::headers::{Field, authserv_id, block_len, fields};

/// What the message signature covers, where it is there.
const SIGNED: &[&str] = &[
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "In-Reply-To",
    "References",
    "List-Id",
    "DKIM-Signature",
];
/// The three fields of a set, in the order in which a seal covers them.
const SET: [&str; 3] = ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"];
/// A chain is no longer (RFC 8617 §4.2.1).
const LONGEST: usize = 50;

/// The set to put in front of `raw`, made in the name of `us` at `at`, in
/// seconds since 1970; `None` where the chain that is there cannot be gone on
/// with.
///
/// # Errors
/// [`Error::Internal`] when the key cannot sign.
pub fn seal(raw: &[u8], signer: &Signer, us: &str, at: i64) -> Result<Option<String>, Error> {
    let (head, body) = raw.split_at(block_len(raw));
    let all: Vec<Field<'_>> = fields(head).collect();
    let found = results(&all, us);
    let Some(chain) = chain(&all) else { return Ok(None) };
    let validity = match (chain.len(), &found) {
        (0, _) => "none",
        (_, Some(results)) if results.contains("arc=pass") => "pass",
        // Nobody here has looked at it, or it does not hold.
        _ => return Ok(None),
    };
    let instance = chain.len() + 1;
    if instance > LONGEST {
        return Ok(None);
    }
    let results = found.unwrap_or_else(|| "none".to_owned());
    let own_results = format!("i={instance}; {us}; {results}");
    let (domain, selector) = (signer.domain(), signer.selector());
    let mut input = Vec::new();
    let names = signed(&all, &mut input);
    let mut hash = Context::new(&SHA256);
    relaxed_body(body, |piece| hash.update(piece));
    let message = format!(
        "i={instance}; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector}; t={at};\r\n\
         \th={names};\r\n\tbh={};\r\n\tb=",
        STANDARD.encode(hash.finish().as_ref()),
    );
    let message = signature(signer, input, "ARC-Message-Signature", &message)?;
    let mut input = Vec::new();
    for (name, field) in chain.iter().flat_map(|set| SET.iter().zip(set)) {
        relaxed_field(name, field.value, &mut input);
    }
    relaxed_field(SET[0], own_results.as_bytes(), &mut input);
    relaxed_field(SET[1], message.as_bytes(), &mut input);
    let seal = format!(
        "i={instance}; a=rsa-sha256; t={at}; cv={validity}; d={domain}; s={selector};\r\n\tb="
    );
    let seal = signature(signer, input, "ARC-Seal", &seal)?;
    Ok(Some(format!(
        "ARC-Seal: {seal}\r\nARC-Message-Signature: {message}\r\n\
         ARC-Authentication-Results: {own_results}\r\n"
    )))
}

/// The sets that are there, oldest first; `None` when one is incomplete.
fn chain<'a>(all: &[Field<'a>]) -> Option<Vec<[Field<'a>; 3]>> {
    let of =
        |name: &str| -> Vec<Field<'a>> { all.iter().copied().filter(|f| f.is(name)).collect() };
    let [results, messages, seals] = SET.map(of);
    if results.len() != seals.len() || messages.len() != seals.len() || seals.len() > LONGEST {
        return None;
    }
    let pick = |list: &[Field<'a>], n| list.iter().copied().find(|f| instance(f) == Some(n));
    (1..=seals.len())
        .map(|n| Some([pick(&results, n)?, pick(&messages, n)?, pick(&seals, n)?]))
        .collect()
}

/// The `i=` tag.
fn instance(field: &Field<'_>) -> Option<usize> {
    let text = field.text();
    let text = std::str::from_utf8(&text).ok()?;
    text.split(';').find_map(|tag| tag.trim().strip_prefix("i=")?.trim().parse().ok())
}

/// What our own Authentication-Results say, on one line.
fn results(all: &[Field<'_>], us: &str) -> Option<String> {
    let ours = |f: &&Field<'_>| {
        f.is("Authentication-Results") && authserv_id(f.value).eq_ignore_ascii_case(us.as_bytes())
    };
    let text = String::from_utf8_lossy(&all.iter().find(ours)?.text()).into_owned();
    let (_, results) = text.split_once(';')?;
    let words: Vec<&str> = results.split_ascii_whitespace().collect();
    Some(words.join(" ").replace("; ", ";\r\n\t"))
}

/// Appends the canonical fields to `out`, the last of each name first
/// (RFC 6376 §5.4.2); returns the `h=` tag.
fn signed(all: &[Field<'_>], out: &mut Vec<u8>) -> String {
    let mut names = Vec::new();
    for name in SIGNED {
        for field in all.iter().rev().filter(|field| field.is(name)) {
            relaxed_field(name, field.value, out);
            names.push(*name);
        }
    }
    names.join(":\r\n\t")
}

/// `value`, which ends in an empty `b=`, with what signs `input` and it.
fn signature(
    signer: &Signer,
    mut input: Vec<u8>,
    name: &str,
    value: &str,
) -> Result<String, Error> {
    relaxed_field(name, value.as_bytes(), &mut input);
    // The field that is being signed ends without its line break (RFC 6376 §3.7).
    input.truncate(input.len().saturating_sub(2));
    let mut text = value.to_owned();
    for (n, c) in STANDARD.encode(signer.sign_octets(&input)?).chars().enumerate() {
        if n > 0 && n % 72 == 0 {
            text.push_str("\r\n\t");
        }
        text.push(c);
    }
    Ok(text)
}
