//! A message gets its pixel and its tracked links, for one recipient.

use std::borrow::Cow;

use crate::domain::ids::{OutboundId, TenantId};
use crate::mail::Error;
use crate::store::db::Db;
use crate::wire::{mime, uri};

/// Octets of a target that can be stored; a link to a longer one stays as it is.
const MAX_TARGET: usize = 8192;

/// What is wanted for a message to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Whose message.
    pub tenant: TenantId,
    /// The row of the queue.
    pub outbound: OutboundId,
    /// A pixel in its first HTML body.
    pub opens: bool,
    /// Every link led through us.
    pub clicks: bool,
    /// What tracking URLs begin with, without a slash at its end.
    pub base: &'a str,
}

impl Wanted<'_> {
    /// The copy of `raw` that goes out.
    ///
    /// The tokens are stored before this returns, and are the same in a retry.
    /// Plain text, attachments, signed and encrypted parts and unsubscribe
    /// links are left alone, and so is a link that cannot be stored; a message
    /// without anything to track is returned as it is.
    ///
    /// # Errors
    /// [`Error::Temporary`] when the tokens cannot be stored now.
    pub async fn instrument<'r>(self, db: &Db, raw: &'r [u8]) -> Result<Cow<'r, [u8]>, Error> {
        let Self { tenant, outbound, opens, clicks, base } = self;
        if !(opens || clicks) || !mentions_html(raw) {
            return Ok(Cow::Borrowed(raw));
        }
        let links = if clicks { mime::collect_links(raw) } else { Vec::new() };
        let targets: Vec<String> = links.iter().filter_map(|link| storable(link)).collect();
        if !opens && targets.is_empty() {
            return Ok(Cow::Borrowed(raw));
        }
        let tokens = db.ensure_tracking_tokens(tenant, outbound, opens, &targets).await?;
        let pixel = tokens.open.map(|token| format!("{base}/t/o/{}.gif", token.as_str()));
        let mut clicks = tokens.clicks.iter();
        let urls: Vec<String> = links
            .into_iter()
            .map(|link| match storable(&link).and_then(|_| clicks.next()) {
                Some(token) => format!("{base}/t/c/{}", token.as_str()),
                None => link,
            })
            .collect();
        Ok(mime::rewrite_message(raw, pixel.as_deref(), &urls))
    }
}

/// What is stored for a link, where it can be.
fn storable(link: &str) -> Option<String> {
    let target = uri::to_ascii(link);
    let (_, host) = target.split_once("://")?;
    (!host.is_empty() && target.len() <= MAX_TARGET).then_some(target)
}

/// Whether there can be an HTML body at all; asked before anything is parsed.
fn mentions_html(raw: &[u8]) -> bool {
    raw.windows(9).any(|word| word.eq_ignore_ascii_case(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_found_however_it_is_spelled() {
        assert!(mentions_html(b"Content-Type: TEXT/Html; charset=x\r\n\r\n"));
        assert!(!mentions_html(b"Content-Type: text/plain\r\n\r\n<html>"));
        assert!(!mentions_html(b""));
    }

    #[test]
    fn a_link_that_cannot_be_stored_is_not() {
        assert!(storable("http://").is_none() && storable("HTTPS://").is_none());
        let long = |n: usize| format!("http://a.test/{}", "x".repeat(n - 14));
        assert!(storable(&long(MAX_TARGET)).is_some());
        assert!(storable(&long(MAX_TARGET + 1)).is_none());
        assert!(storable(&format!("http://{}", "ü".repeat(MAX_TARGET / 6))).is_none());
    }
}
