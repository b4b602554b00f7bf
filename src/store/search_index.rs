//! `email_search`: what SEARCH reads of emails.

use sqlx::types::{Uuid, time::OffsetDateTime};

use crate::domain::ids::EmailId;
use crate::store::error::Error;
use crate::store::search::Filters;
use crate::store::tenant::TenantTx;

/// An email that has no row in `email_search`.
#[derive(Clone, Debug)]
pub struct Unindexed {
    /// Which.
    pub id: EmailId,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// The header block as it stands.
    pub header: Vec<u8>,
    /// Readable text, as far as that is kept with the email.
    pub text: String,
    /// There may be more text than that.
    pub more: bool,
}

/// A row of `email_search`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Indexed {
    /// The email.
    pub id: EmailId,
    /// The filter over `header`.
    pub header_grams: Vec<u8>,
    /// The filter over `body`.
    pub body_grams: Vec<u8>,
    /// The header fields, folded.
    pub header: String,
    /// All text, folded.
    pub body: String,
}

/// Octets of text with which an email is taken to be cut: those kept, less one character.
const KEPT: i32 = 64 * 1024 - 4;

impl TenantTx {
    /// Emails without a row that came at `since` or later, oldest first, at most `limit`.
    pub async fn unindexed(
        &mut self,
        since: OffsetDateTime,
        limit: i64,
    ) -> Result<Vec<Unindexed>, Error> {
        let rows: Vec<(Uuid, OffsetDateTime, Vec<u8>, String, bool)> = sqlx::query_as(
            "SELECT m.id, m.received_at, s.header, m.text_body,
                octet_length(m.text_body) > $3 OR EXISTS (SELECT 1 FROM attachments a
                    WHERE a.email_id = m.id AND a.content_type LIKE 'text/%' AND a.size_bytes > $3)
             FROM emails m JOIN email_sources s ON s.id = m.id
             WHERE m.received_at >= $1 AND NOT EXISTS (SELECT 1 FROM email_search x WHERE x.id = m.id)
             ORDER BY m.received_at LIMIT $2",
        )
        .bind(since)
        .bind(limit)
        .bind(KEPT)
        .fetch_all(self.conn())
        .await?;
        let row = |(id, received_at, header, text, more)| Unindexed {
            id: EmailId(id),
            received_at,
            header,
            text,
            more,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Writes rows; those that are there stay as they are.
    pub async fn index(&mut self, rows: &[Indexed]) -> Result<(), Error> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
        let of = |part: fn(&Indexed) -> &[u8]| rows.iter().map(part).collect::<Vec<_>>();
        let text = |part: fn(&Indexed) -> &str| rows.iter().map(part).collect::<Vec<_>>();
        sqlx::query(
            "INSERT INTO email_search (id, header_grams, body_grams, header, body)
             SELECT r.* FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::text[], $5::text[])
                AS r (id, header_grams, body_grams, header, body)
             JOIN emails m ON m.id = r.id ON CONFLICT DO NOTHING",
        )
        .bind(ids)
        .bind(of(|row| &row.header_grams))
        .bind(of(|row| &row.body_grams))
        .bind(text(|row| &row.header))
        .bind(text(|row| &row.body))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The filters over these emails; of those that have none yet, nothing.
    pub async fn filters(&mut self, emails: &[EmailId]) -> Result<Vec<(EmailId, Filters)>, Error> {
        let ids: Vec<Uuid> = emails.iter().map(|email| email.0).collect();
        let rows: Vec<(Uuid, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT id, header_grams, body_grams FROM email_search WHERE id = ANY ($1)",
        )
        .bind(ids)
        .fetch_all(self.conn())
        .await?;
        let filters = |(id, header, body): (Uuid, Vec<u8>, Vec<u8>)| {
            (EmailId(id), Filters { header: header.into(), body: body.into() })
        };
        Ok(rows.into_iter().map(filters).collect())
    }

    /// Whether this transaction has the tenant's index to itself; it keeps it to its end.
    pub async fn lock_index(&mut self) -> Result<bool, Error> {
        let key = format!("search {}", self.id());
        Ok(sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(key)
            .fetch_one(self.conn())
            .await?)
    }
}
