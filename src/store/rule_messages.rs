//! Stored messages as rules ask them.

use serde_json::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::domain::ids::{EmailId, FolderId};
use crate::domain::verdict::Verdict;
use crate::store::entries::{Entry, entry};
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// What rules can ask of a stored message.
#[derive(Clone, Debug)]
pub struct RuleMessage {
    /// The header block.
    pub header: Vec<u8>,
    /// The decoded subject.
    pub subject: String,
    /// The readable text, at most 64 KiB.
    pub text: String,
    /// Octets of the whole message.
    pub size_bytes: u64,
    /// As `emails.recipients` has them.
    pub recipients: Value,
    /// The display name in From.
    pub from_name: Option<String>,
    /// Message-ID without `<>`.
    pub message_id: Option<String>,
    /// References without `<>`, oldest first.
    pub reference_ids: Vec<String>,
    /// File name and type of each attachment.
    pub attachments: Vec<(Option<String>, String)>,
    verdict: Value,
    /// Whether there was mail from or to its sender before it came.
    pub sender_known: bool,
}

impl RuleMessage {
    /// What was found out when it came. What an older version wrote and this
    /// one cannot read says nothing.
    pub fn verdict(&self) -> Verdict {
        serde_json::from_value(self.verdict.clone()).unwrap_or_default()
    }
}

/// Messages of a folder that are read at once, and about how many octets.
const BATCH: i64 = 100;
const BATCH_BYTES: i64 = 4 << 20;

/// What is read of an email `m` with its source `s`; `$1` is whether to look
/// for its sender.
macro_rules! columns {
    () => {
        "coalesce(s.header, '') AS header, m.subject, m.text_body, m.size_bytes, m.recipients, m.from_name,
         m.message_id, m.reference_ids, m.verdict,
         (SELECT coalesce(jsonb_agg(jsonb_build_array(a.filename, a.content_type) ORDER BY a.section), '[]')
          FROM attachments a WHERE a.email_id = m.id) AS attachments,
         $1 AND (
            EXISTS (SELECT 1 FROM emails b
                WHERE hashtext(lower(b.from_address)) = hashtext(lower(m.from_address))
                    AND lower(b.from_address) = lower(m.from_address) AND b.received_at < m.received_at)
            OR EXISTS (SELECT 1 FROM public.outbound_messages o
                WHERE o.tenant_id = $2 AND o.recipient = lower(m.from_address) AND o.queued_at < m.received_at
                    AND o.source NOT IN ('bounce', 'auto_reply', 'forward'))) AS sender_known"
    };
}

fn message(row: &PgRow) -> Result<RuleMessage, Error> {
    let attachments: Value = row.try_get("attachments")?;
    Ok(RuleMessage {
        header: row.try_get("header")?,
        subject: row.try_get("subject")?,
        text: row.try_get("text_body")?,
        size_bytes: u64::try_from(row.try_get::<i64, _>("size_bytes")?).unwrap_or(0),
        recipients: row.try_get("recipients")?,
        from_name: row.try_get("from_name")?,
        message_id: row.try_get("message_id")?,
        reference_ids: row.try_get("reference_ids")?,
        attachments: serde_json::from_value(attachments)
            .map_err(|e| Error::Corrupt(format!("attachments: {e}")))?,
        verdict: row.try_get("verdict")?,
        sender_known: row.try_get("sender_known")?,
    })
}

impl TenantTx {
    /// The first messages of a folder with a UID above `after` and below
    /// `before`, by UID: at most 100 and about 4 MiB, and one at least where
    /// there is one. Their senders are looked for only with `senders`.
    pub async fn rule_messages(
        &mut self,
        folder: FolderId,
        (after, before): (u32, u32),
        senders: bool,
    ) -> Result<Vec<(Entry, RuleMessage)>, Error> {
        let sql = concat!(
            "WITH wanted AS MATERIALIZED (
                SELECT x.* FROM (
                    SELECT e.*, sum(octet_length(m.text_body) + m.header_bytes) OVER (ORDER BY e.uid)
                        - octet_length(m.text_body) - m.header_bytes AS octets_before
                    FROM (SELECT * FROM folder_entries f WHERE f.folder_id = $3 AND f.uid > $4 AND f.uid < $5
                          ORDER BY f.uid LIMIT $6) e
                    JOIN emails m ON m.id = e.email_id) x
                WHERE x.octets_before < $7)
             SELECT e.uid, e.modseq, e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords, ",
            columns!(),
            " FROM wanted e JOIN emails m ON m.id = e.email_id LEFT JOIN email_sources s ON s.id = m.id
             ORDER BY e.uid"
        );
        let tenant = self.id();
        let rows = sqlx::query(sql)
            .bind(senders)
            .bind(tenant.0)
            .bind(folder.0)
            .bind(i64::from(after))
            .bind(i64::from(before))
            .bind(BATCH)
            .bind(BATCH_BYTES)
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(|row| Ok((entry(row)?, message(row)?))).collect()
    }

    /// One email, or [`Error::NotFound`].
    pub async fn rule_message(&mut self, email: EmailId) -> Result<RuleMessage, Error> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM emails m LEFT JOIN email_sources s ON s.id = m.id WHERE m.id = $3"
        );
        let tenant = self.id();
        let row =
            sqlx::query(sql).bind(true).bind(tenant.0).bind(email.0).fetch_one(self.conn()).await?;
        message(&row)
    }
}
