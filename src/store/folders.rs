//! Folders: the IMAP mailboxes of an address.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Uuid;

use crate::domain::ids::{AddressId, FolderId};
use crate::domain::rights::Rights;
use crate::store::emails::to_u32;
use crate::store::error::Error;
use crate::store::folder_rights::parse;
use crate::store::tenant::TenantTx;

/// A row of `folders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The row's id.
    pub id: FolderId,
    /// Whose it is, and whose quota it counts against.
    pub owner: AddressId,
    /// What whoever asked for it may do with it; its owner anything.
    pub rights: Rights,
    /// Full name, levels separated by `/`.
    pub name: String,
    /// `inbox`, `drafts`, `sent`, `junk`, `trash` or `archive`.
    pub special_use: Option<String>,
    /// Subscribed (RFC 3501 §6.3.6).
    pub subscribed: bool,
    /// UIDVALIDITY.
    pub uidvalidity: u32,
    /// The UID that the next message gets.
    pub uidnext: u32,
    /// HIGHESTMODSEQ (RFC 7162).
    pub highestmodseq: i64,
    /// UIDs from here on are `\Recent` to whoever selects first.
    pub recent_from: u32,
    /// Messages.
    pub messages: u64,
    /// Messages without `\Seen`.
    pub unseen: u64,
    /// Octets of all messages.
    pub size: u64,
}

/// A query for whole rows, with what follows FROM.
macro_rules! select_folders {
    ($rest:literal) => {
        concat!(
            "SELECT id, address_id, name, special_use, subscribed, uidvalidity, uidnext, highestmodseq,
                recent_from, message_count, unseen_count, size_bytes,
                'lrswipkxtea' AS rights FROM folders ",
            $rest
        )
    };
}

/// A row of whole folders, by whichever query.
pub(in crate::store) fn folder(row: &PgRow) -> Result<Folder, Error> {
    let count = |name| row.try_get::<i64, _>(name).map(|n| u64::try_from(n).unwrap_or(0));
    Ok(Folder {
        id: FolderId(row.try_get("id")?),
        owner: AddressId(row.try_get("address_id")?),
        rights: parse(row.try_get("rights")?)?,
        name: row.try_get("name")?,
        special_use: row.try_get("special_use")?,
        subscribed: row.try_get("subscribed")?,
        uidvalidity: to_u32(row.try_get("uidvalidity")?)?,
        uidnext: to_u32(row.try_get("uidnext")?)?,
        highestmodseq: row.try_get("highestmodseq")?,
        recent_from: to_u32(row.try_get("recent_from")?)?,
        messages: count("message_count")?,
        unseen: count("unseen_count")?,
        size: count("size_bytes")?,
    })
}

impl TenantTx {
    /// Every folder of a mailbox, by name.
    pub async fn folders(&mut self, address: AddressId) -> Result<Vec<Folder>, Error> {
        let sql = select_folders!("WHERE address_id = $1 ORDER BY name");
        sqlx::query(sql).bind(address.0).fetch_all(self.conn()).await?.iter().map(folder).collect()
    }

    /// The folder of that name, or [`Error::NotFound`].
    pub async fn folder(&mut self, address: AddressId, name: &str) -> Result<Folder, Error> {
        let sql = select_folders!("WHERE address_id = $1 AND name = $2");
        folder(&sqlx::query(sql).bind(address.0).bind(name).fetch_one(self.conn()).await?)
    }

    /// A folder by its id, or [`Error::NotFound`].
    pub async fn folder_by_id(&mut self, id: FolderId) -> Result<Folder, Error> {
        let sql = select_folders!("WHERE id = $1");
        folder(&sqlx::query(sql).bind(id.0).fetch_one(self.conn()).await?)
    }

    /// The folder of a mailbox that is used for `special_use`.
    pub async fn special_folder(
        &mut self,
        address: AddressId,
        special_use: &str,
    ) -> Result<Option<Folder>, Error> {
        let sql = select_folders!("WHERE address_id = $1 AND special_use = $2");
        let row =
            sqlx::query(sql).bind(address.0).bind(special_use).fetch_optional(self.conn()).await?;
        row.as_ref().map(folder).transpose()
    }

    /// Makes a folder and the levels above it that are missing.
    ///
    /// # Errors
    /// [`Error::Conflict`] on `folders_address_id_name_key`,
    /// `folders_name_check` or `folders_special_use_key`.
    pub async fn create_folder(
        &mut self,
        address: AddressId,
        name: &str,
        special_use: Option<&str>,
    ) -> Result<FolderId, Error> {
        let above: Vec<&str> =
            name.match_indices('/').filter_map(|(at, _)| name.get(..at)).collect();
        sqlx::query(
            "INSERT INTO folders (address_id, name) SELECT $1, n FROM unnest($2::text[]) n
             ON CONFLICT ON CONSTRAINT folders_address_id_name_key DO NOTHING",
        )
        .bind(address.0)
        .bind(above)
        .execute(self.conn())
        .await?;
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO folders (address_id, name, special_use) VALUES ($1, $2, $3) RETURNING id",
        )
        .bind(address.0)
        .bind(name)
        .bind(special_use)
        .fetch_one(self.conn())
        .await?;
        Ok(FolderId(id))
    }

    /// Deletes a folder with what is in it.
    pub async fn delete_folder(&mut self, id: FolderId) -> Result<(), Error> {
        // Entries first, by a statement of their own, so that their emails
        // are noted as orphans.
        sqlx::query("DELETE FROM folder_entries WHERE folder_id = $1")
            .bind(id.0)
            .execute(self.conn())
            .await?;
        sqlx::query("DELETE FROM folders WHERE id = $1").bind(id.0).execute(self.conn()).await?;
        Ok(())
    }

    /// Renames a folder and all below it.
    ///
    /// # Errors
    /// [`Error::Conflict`] on `folders_address_id_name_key` or `folders_name_check`.
    pub async fn rename_folder(
        &mut self,
        address: AddressId,
        from: &str,
        to: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE folders SET name = $3 || substr(name, length($2) + 1)
             WHERE address_id = $1 AND (name = $2 OR starts_with(name, $2 || '/'))",
        )
        .bind(address.0)
        .bind(from)
        .bind(to)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Subscribes or unsubscribes; `false` when there is no such folder.
    pub async fn subscribe_folder(
        &mut self,
        address: AddressId,
        name: &str,
        subscribed: bool,
    ) -> Result<bool, Error> {
        let done =
            sqlx::query("UPDATE folders SET subscribed = $3 WHERE address_id = $1 AND name = $2")
                .bind(address.0)
                .bind(name)
                .bind(subscribed)
                .execute(self.conn())
                .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Claims the `\Recent` messages of a folder: returns the first UID that no
    /// session has been shown, and counts all up to now as shown.
    pub async fn claim_recent(&mut self, id: FolderId) -> Result<u32, Error> {
        let from: i64 = sqlx::query_scalar(
            "WITH old AS (SELECT id, recent_from FROM folders WHERE id = $1 FOR UPDATE)
             UPDATE folders f SET recent_from = f.uidnext FROM old WHERE f.id = old.id
             RETURNING old.recent_from",
        )
        .bind(id.0)
        .fetch_one(self.conn())
        .await?;
        to_u32(from)
    }

    /// Messages below `up_to` have been shown: they are `\Recent` no more.
    pub async fn record_shown(&mut self, id: FolderId, up_to: u32) -> Result<(), Error> {
        sqlx::query("UPDATE folders SET recent_from = $2 WHERE id = $1 AND recent_from < $2")
            .bind(id.0)
            .bind(i64::from(up_to))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The keywords in use in a mailbox: what FLAGS and PERMANENTFLAGS show.
    pub async fn keywords(&mut self, address: AddressId) -> Result<Vec<String>, Error> {
        Ok(sqlx::query_scalar(
            "SELECT keyword FROM labels WHERE address_id = $1 OR address_id IS NULL ORDER BY keyword LIMIT 200",
        )
        .bind(address.0)
        .fetch_all(self.conn())
        .await?)
    }
}
