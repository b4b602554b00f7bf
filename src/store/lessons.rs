//! What rspamd is yet to learn.

use sqlx::types::Uuid;

use crate::domain::ids::{EmailId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;

/// A message that somebody moved to Junk or out of it.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    /// The row.
    pub id: Uuid,
    /// Whose message it is.
    pub tenant: TenantId,
    /// The message.
    pub email: EmailId,
    /// Whether it is spam.
    pub spam: bool,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

impl Db {
    /// Takes up to `most` lessons that are due. Each is due again later, the later the more often
    /// it was tried, unless it is ended.
    pub async fn lease_lessons(&self, most: u32) -> Result<Vec<Lesson>, Error> {
        let rows: Vec<(Uuid, Uuid, Uuid, bool, i32)> = sqlx::query_as(
            "UPDATE public.spam_lessons l SET attempts = l.attempts + 1,
                 next_attempt_at = now() + interval '1 minute' * power(2, least(l.attempts, 10))
             WHERE l.id IN (SELECT d.id FROM public.spam_lessons d WHERE d.next_attempt_at <= now()
                 ORDER BY d.next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
             RETURNING l.id, l.tenant_id, l.email_id, l.spam, l.attempts",
        )
        .bind(i64::from(most))
        .fetch_all(self.pool())
        .await?;
        let lesson = |(id, tenant, email, spam, attempts): (Uuid, Uuid, Uuid, bool, i32)| Lesson {
            id,
            tenant: TenantId(tenant),
            email: EmailId(email),
            spam,
            attempts: u32::try_from(attempts).unwrap_or(0),
        };
        Ok(rows.into_iter().map(lesson).collect())
    }

    /// It was learnt, or never will be.
    pub async fn end_lesson(&self, id: Uuid) -> Result<(), Error> {
        sqlx::query("DELETE FROM public.spam_lessons WHERE id = $1")
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
