//! What bulk mail carries on its way out: how its reader leaves the list
//! (RFC 8058), and whom complaints are counted for.

use crate::mail::Error;
use crate::mail::render::author_domain;
use crate::store::db::Db;
use crate::store::outbound::Leased;
use crate::wire::list_unsubscribe;
use crate::wire::mime::headers::find;

/// Puts in front of `raw` what it lacks; `base` is the start of our URLs.
/// The same row gives the same octets.
///
/// # Errors
/// [`Error::Temporary`] when the token cannot be stored now.
pub(super) async fn mark(
    db: &Db,
    row: &Leased,
    raw: Vec<u8>,
    base: &str,
) -> Result<Vec<u8>, Error> {
    let leaves = find(&raw, "List-Unsubscribe").is_none();
    let counted = find(&raw, "Feedback-ID").is_none();
    if !leaves && !counted {
        return Ok(raw);
    }
    let facts = db.bulk_facts(row.tenant, row.id, leaves).await?;
    let mut out = Vec::with_capacity(raw.len() + 512);
    if let Some(token) = facts.token {
        let url = format!("{base}/u/{}", token.as_str());
        out.extend(list_unsubscribe::fields(&url).into_bytes());
    }
    if counted {
        let campaign = facts.campaign.map(|id| id.simple().to_string()).unwrap_or_default();
        out.extend(feedback_id(&campaign, row).into_bytes());
    }
    out.extend_from_slice(&raw);
    Ok(out)
}

/// As Google defines it: up to three things that complaints are counted by,
/// then the sender, 5 to 15 characters that stay the same. Nothing in it is
/// one recipient's, or nothing could be counted.
fn feedback_id(campaign: &str, row: &Leased) -> String {
    let sender = row.tenant.0.simple().to_string();
    let sender = sender.get(..12).unwrap_or_default();
    let (domain, class) = (author_domain(row), row.class.as_str());
    format!("Feedback-ID: {campaign}:{domain}:{class}:{sender}\r\n")
}
