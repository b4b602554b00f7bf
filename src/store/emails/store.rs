//! Storing emails whole: several of one organisation in one statement.

use sqlx::postgres::PgConnection;
use sqlx::types::{Json, Uuid};

use super::{NewEmail, Placed, Stored, to_u32};
use crate::domain::ids::{EmailId, FolderId, TenantId, ThreadId};
use crate::store::error::Error;
use crate::store::tenant::{Tenant, TenantTx};
use crate::store::tx::MAX_OUTDATED;

type StoredRow = (Uuid, Uuid, bool, Vec<Uuid>, Vec<i64>, Vec<i64>, Vec<i64>);

impl Tenant {
    /// Stores emails, all or none, in a transaction of their own: one round
    /// trip. No one of them may answer another, or have its dedup key: they do
    /// not see each other.
    ///
    /// # Errors
    /// [`Error::Conflict`] on `emails_dedup_key` when the same message is being
    /// stored at this moment; ask again and it is a duplicate.
    /// [`Error::Stale`] when the directory is no longer what one of them was
    /// decided by, [`Error::OverQuota`] when one of them fits no more.
    pub async fn store_emails(&self, emails: &[&NewEmail]) -> Result<Vec<Stored>, Error> {
        for _ in 0..MAX_OUTDATED {
            let mut connection = self.db().pool().acquire().await?;
            match store(&mut connection, self.id(), emails).await {
                Err(Error::Outdated) => connection.close_on_drop(),
                done => return done,
            }
        }
        Err(Error::Outdated)
    }
}

impl TenantTx {
    /// Stores an email as part of this transaction.
    pub async fn store_email(&mut self, email: &NewEmail) -> Result<Stored, Error> {
        self.store_emails(&[email]).await?.pop().ok_or(Error::NotFound)
    }

    /// Stores emails as part of this transaction, as [`Tenant::store_emails`].
    pub async fn store_emails(&mut self, emails: &[&NewEmail]) -> Result<Vec<Stored>, Error> {
        let id = self.id();
        store(self.conn(), id, emails).await
    }
}

async fn store(
    conn: &mut PgConnection,
    tenant: TenantId,
    emails: &[&NewEmail],
) -> Result<Vec<Stored>, Error> {
    fn each<'a, T>(emails: &[&'a NewEmail], part: impl Fn(&'a NewEmail) -> T) -> Vec<T> {
        emails.iter().map(|email| part(email)).collect()
    }
    let rows: Vec<StoredRow> = sqlx::query_as(
        "SELECT email_id, thread_id, duplicate, folder_ids, uids, modseqs, uidvalidities
         FROM public.store_emails(
             $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(tenant.0)
    .bind(each(emails, |email| email.fields.id.0))
    .bind(each(emails, |email| email.fields.dedup_key.as_ref().map(|key| &key[..])))
    .bind(each(emails, |email| email.fields.directory_version))
    .bind(each(emails, |email| i64::try_from(email.fields.size_bytes).unwrap_or(i64::MAX)))
    .bind(each(emails, |email| Json(&email.fields)))
    .bind(each(emails, |email| email.text.as_str()))
    .bind(each(emails, |email| &email.parts))
    .bind(each(emails, |email| email.envelope.as_slice()))
    .bind(each(emails, |email| email.body.as_slice()))
    .bind(each(emails, |email| email.body_structure.as_slice()))
    .bind(each(emails, |email| email.header.as_slice()))
    .bind(each(emails, |email| email.skeleton.as_slice()))
    .bind(each(emails, |email| &email.cuts))
    .bind(each(emails, |email| Json(&email.attachments)))
    .bind(each(emails, |email| Json(&email.targets)))
    .bind(each(emails, |email| Json(&email.actions)))
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(stored).collect()
}

fn stored(row: StoredRow) -> Result<Stored, Error> {
    let (email, thread, duplicate, folders, uids, modseqs, validities) = row;
    let placed = folders
        .into_iter()
        .zip(uids)
        .zip(modseqs)
        .zip(validities)
        .map(|(((folder, uid), modseq), validity)| {
            Ok(Placed {
                folder: FolderId(folder),
                uid: to_u32(uid)?,
                modseq,
                uidvalidity: to_u32(validity)?,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(Stored { email: EmailId(email), thread: ThreadId(thread), duplicate, placed })
}
