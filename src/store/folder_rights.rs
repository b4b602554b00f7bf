//! `folder_rights`: folders that mailboxes of one organisation share (RFC 4314).

use crate::domain::ids::{AddressId, FolderId};
use crate::domain::rights::Rights;
use crate::store::error::Error;
use crate::store::folders::{Folder, folder};
use crate::store::tenant::TenantTx;

/// A query for folders of others that `$1` has rights on, by their names in `$1`'s eyes, with what
/// follows WHERE. What they are used for is their owner's matter.
macro_rules! select_shared {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.address_id, 'shared/' || a.address || '/' || f.name AS name,
                NULL::text AS special_use, true AS subscribed, f.uidvalidity, f.uidnext,
                f.highestmodseq, f.recent_from, f.message_count, f.unseen_count, f.size_bytes, g.rights
             FROM folders f JOIN public.email_addresses a ON a.id = f.address_id
             CROSS JOIN LATERAL (SELECT string_agg(r.rights, '') AS rights FROM folder_rights r
                WHERE r.folder_id = f.id AND (r.address_id = $1 OR r.address_id IS NULL)) g
             WHERE f.address_id <> $1 AND g.rights IS NOT NULL AND ",
            $rest
        )
    };
}

impl TenantTx {
    /// Every folder of others that `reader` has rights on, by name.
    pub async fn shared_folders(&mut self, reader: AddressId) -> Result<Vec<Folder>, Error> {
        let sql = select_shared!(
            "f.id IN (SELECT r.folder_id FROM folder_rights r
                WHERE r.address_id = $1 OR r.address_id IS NULL) ORDER BY 3"
        );
        sqlx::query(sql).bind(reader.0).fetch_all(self.conn()).await?.iter().map(folder).collect()
    }

    /// The folder of that name in the mailbox `owner`, an address; [`Error::NotFound`] also where
    /// `reader` has no rights on it.
    pub async fn shared_folder(
        &mut self,
        reader: AddressId,
        owner: &str,
        name: &str,
    ) -> Result<Folder, Error> {
        let sql = select_shared!("a.address = $2 AND f.name = $3");
        let query = sqlx::query(sql).bind(reader.0).bind(owner).bind(name);
        folder(&query.fetch_one(self.conn()).await?)
    }

    /// What `reader`, who is not its owner, may do with a folder.
    pub async fn rights_on(&mut self, reader: AddressId, id: FolderId) -> Result<Rights, Error> {
        let rights: Option<String> = sqlx::query_scalar(
            "SELECT string_agg(rights, '') FROM folder_rights
             WHERE folder_id = $1 AND (address_id = $2 OR address_id IS NULL)",
        )
        .bind(id.0)
        .bind(reader.0)
        .fetch_one(self.conn())
        .await?;
        rights.map_or(Ok(Rights::NONE), |rights| parse(&rights))
    }

    /// Who besides the owner has which rights on a folder: addresses, by name, and last `None` for
    /// every mailbox of the organisation.
    pub async fn folder_acl(
        &mut self,
        id: FolderId,
    ) -> Result<Vec<(Option<String>, Rights)>, Error> {
        let rows: Vec<(Option<String>, String)> = sqlx::query_as(
            "SELECT a.address, r.rights FROM folder_rights r
             LEFT JOIN public.email_addresses a ON a.id = r.address_id
             WHERE r.folder_id = $1 ORDER BY a.address NULLS LAST",
        )
        .bind(id.0)
        .fetch_all(self.conn())
        .await?;
        rows.into_iter().map(|(address, rights)| Ok((address, parse(&rights)?))).collect()
    }

    /// The rights that `grantee`, or everybody, was given on a folder. Until the transaction ends
    /// nobody else changes any.
    pub async fn given_rights(
        &mut self,
        id: FolderId,
        grantee: Option<AddressId>,
    ) -> Result<Rights, Error> {
        let lock = "SELECT id FROM folders WHERE id = $1 FOR UPDATE";
        sqlx::query(lock).bind(id.0).fetch_one(self.conn()).await?;
        let rights: Option<String> = sqlx::query_scalar(
            "SELECT rights FROM folder_rights
             WHERE folder_id = $1 AND address_id IS NOT DISTINCT FROM $2",
        )
        .bind(id.0)
        .bind(grantee.map(|address| address.0))
        .fetch_optional(self.conn())
        .await?;
        rights.map_or(Ok(Rights::NONE), |rights| parse(&rights))
    }

    /// Gives `grantee`, or everybody, these rights on a folder in place of others.
    pub async fn give_rights(
        &mut self,
        id: FolderId,
        grantee: Option<AddressId>,
        rights: Rights,
    ) -> Result<(), Error> {
        let grantee = grantee.map(|address| address.0);
        sqlx::query(
            "DELETE FROM folder_rights
             WHERE folder_id = $1 AND address_id IS NOT DISTINCT FROM $2",
        )
        .bind(id.0)
        .bind(grantee)
        .execute(self.conn())
        .await?;
        if rights != Rights::NONE {
            let sql =
                "INSERT INTO folder_rights (folder_id, address_id, rights) VALUES ($1, $2, $3)";
            let query = sqlx::query(sql).bind(id.0).bind(grantee).bind(rights.letters());
            query.execute(self.conn()).await?;
        }
        Ok(())
    }

    /// Everybody has the same rights on a new folder as on the one above it.
    pub async fn inherit_rights(&mut self, above: FolderId, id: FolderId) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO folder_rights (folder_id, address_id, rights)
             SELECT $2, r.address_id, r.rights FROM folder_rights r WHERE r.folder_id = $1",
        )
        .bind(above.0)
        .bind(id.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The mailbox of this organisation with that address.
    pub async fn mailbox_named(&mut self, address: &str) -> Result<Option<AddressId>, Error> {
        let sql = "SELECT id FROM public.email_addresses
             WHERE address = $1 AND tenant_id = public.current_tenant()";
        let id = sqlx::query_scalar(sql).bind(address).fetch_optional(self.conn()).await?;
        Ok(id.map(AddressId))
    }

    /// Refuses what a move has put over the quota of another mailbox.
    ///
    /// # Errors
    /// [`Error::OverQuota`].
    pub async fn check_moved(&mut self, from: FolderId, to: FolderId) -> Result<(), Error> {
        sqlx::query(
            "SELECT check_quota(t.address_id) FROM folders s, folders t
             WHERE s.id = $1 AND t.id = $2 AND s.address_id <> t.address_id",
        )
        .bind(from.0)
        .bind(to.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

/// Rights as they stand in the table.
pub(in crate::store) fn parse(letters: &str) -> Result<Rights, Error> {
    Rights::from_letters(letters).ok_or_else(|| Error::Corrupt(format!("rights {letters:?}")))
}
