//! `annotations`: what clients note about folders and about the server (RFC 5464).

use std::collections::HashMap;

use sqlx::types::Uuid;

use crate::domain::ids::{AddressId, FolderId};
use crate::store::error::Error;
use crate::store::tenant::TenantTx;
use crate::wire::imap::annotation::EntryName;

/// An annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// What it is called.
    pub entry: EntryName,
    /// Any octets, at most 64 KiB.
    pub value: Vec<u8>,
}

/// What of annotations counts against a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnotationUse {
    /// How many there are.
    pub entries: i64,
    /// The octets of their values.
    pub size: i64,
}

impl TenantTx {
    /// The annotations of these folders, or of the server where there is none, that `reader` may
    /// see and whose tree is one of `trees`: by folder, and then by name. One query.
    pub async fn annotations(
        &mut self,
        folders: Option<&[FolderId]>,
        reader: AddressId,
        trees: &[EntryName],
    ) -> Result<HashMap<Option<FolderId>, Vec<Annotation>>, Error> {
        let ids: Option<Vec<Uuid>> =
            folders.map(|folders| folders.iter().map(|folder| folder.0).collect());
        let (private, paths) = columns(trees.iter());
        let rows: Vec<(Option<Uuid>, bool, String, Vec<u8>)> = sqlx::query_as(
            "SELECT a.folder_id, a.private, a.entry, a.value FROM annotations a
             WHERE CASE WHEN $1::uuid[] IS NULL THEN a.folder_id IS NULL ELSE a.folder_id = ANY ($1) END
                AND (NOT a.private OR a.address_id = $2)
                AND EXISTS (SELECT FROM unnest($3::boolean[], $4::text[]) w (private, entry)
                    WHERE w.private = a.private
                        AND (a.entry = w.entry OR starts_with(a.entry, w.entry || '/')))
             ORDER BY a.private DESC, a.entry",
        )
        .bind(ids)
        .bind(reader.0)
        .bind(private)
        .bind(paths)
        .fetch_all(self.conn())
        .await?;
        let mut found: HashMap<_, Vec<Annotation>> = HashMap::new();
        for (folder, private, path, value) in rows {
            // A name that was written by SQL and cannot be said is left out.
            if let Some(entry) = EntryName::of_path(private, &path) {
                found.entry(folder.map(FolderId)).or_default().push(Annotation { entry, value });
            }
        }
        Ok(found)
    }

    /// Sets and removes annotations: private ones are `reader`'s, shared ones count against
    /// `owner`. Until the transaction ends no other one of the organisation writes any.
    pub async fn annotate(
        &mut self,
        folder: Option<FolderId>,
        owner: AddressId,
        reader: AddressId,
        values: &[(EntryName, Option<Vec<u8>>)],
    ) -> Result<(), Error> {
        let folder = folder.map(|folder| folder.0);
        let lock =
            "SELECT pg_advisory_xact_lock(hashtextextended('annotations ' || current_schema(), 0))";
        sqlx::query(lock).execute(self.conn()).await?;
        let (private, paths) = columns(values.iter().map(|(entry, _)| entry));
        sqlx::query(
            "DELETE FROM annotations a USING unnest($3::boolean[], $4::text[]) w (private, entry)
             WHERE a.folder_id IS NOT DISTINCT FROM $1 AND a.entry = w.entry AND a.private = w.private
                AND (NOT a.private OR a.address_id = $2)",
        )
        .bind(folder)
        .bind(reader.0)
        .bind(&private)
        .bind(&paths)
        .execute(self.conn())
        .await?;
        let octets: Vec<Option<&[u8]>> = values.iter().map(|(_, value)| value.as_deref()).collect();
        sqlx::query(
            "INSERT INTO annotations (folder_id, address_id, private, entry, value)
             SELECT $1, CASE WHEN w.private THEN $2 ELSE $3 END, w.private, w.entry, w.value
             FROM unnest($4::boolean[], $5::text[], $6::bytea[]) w (private, entry, value)
             WHERE w.value IS NOT NULL",
        )
        .bind(folder)
        .bind(reader.0)
        .bind(owner.0)
        .bind(private)
        .bind(paths)
        .bind(octets)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The most that counts against one of these mailboxes.
    pub async fn annotation_use(&mut self, of: &[AddressId]) -> Result<AnnotationUse, Error> {
        let ids: Vec<Uuid> = of.iter().map(|address| address.0).collect();
        let (entries, size) = sqlx::query_as(
            "SELECT coalesce(max(n), 0), coalesce(max(size), 0) FROM (
                SELECT count(*) AS n, sum(octet_length(value)) AS size FROM annotations
                WHERE address_id = ANY ($1) GROUP BY address_id) each",
        )
        .bind(ids)
        .fetch_one(self.conn())
        .await?;
        Ok(AnnotationUse { entries, size })
    }
}

/// Names as two columns.
fn columns<'a>(entries: impl Iterator<Item = &'a EntryName>) -> (Vec<bool>, Vec<&'a str>) {
    entries.map(|entry| (entry.is_private(), entry.path())).unzip()
}
