//! Labels: the rows that give keywords their names.

use sqlx::Row as _;

use crate::domain::flags::Keyword;
use crate::domain::ids::FolderId;
use crate::domain::label::{Label, Labels};
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// The most labels of a mailbox that are read; further ones go by their keywords.
const MOST: i64 = 1000;

impl TenantTx {
    /// The labels of the mailbox that a folder belongs to: first those that somebody has given a name,
    /// and its own before those of everybody.
    pub async fn labels(&mut self, folder: FolderId) -> Result<Labels, Error> {
        let rows = sqlx::query(
            "SELECT l.keyword, l.name FROM labels l, folders f
             WHERE f.id = $1 AND (l.address_id = f.address_id OR l.address_id IS NULL)
             ORDER BY l.name = l.keyword, l.address_id IS NULL, l.keyword LIMIT $2",
        )
        .bind(folder.0)
        .bind(MOST)
        .fetch_all(self.conn())
        .await?;
        let mut labels = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(keyword) = Keyword::new(row.try_get("keyword")?) {
                labels.push(Label { keyword, name: row.try_get("name")? });
            }
        }
        Ok(Labels::new(labels))
    }

    /// Makes a label in the mailbox that a folder belongs to, if none has that keyword.
    pub async fn make_label(&mut self, folder: FolderId, label: &Label) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO labels (address_id, keyword, name)
             SELECT f.address_id, $2, $3 FROM folders f WHERE f.id = $1 ON CONFLICT DO NOTHING",
        )
        .bind(folder.0)
        .bind(label.keyword.as_str())
        .bind(&label.name)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
