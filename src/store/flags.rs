//! Changing flags, in one folder or in several at once.

use std::collections::HashMap;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::types::Uuid;
use sqlx::{Postgres, Row as _};

use crate::domain::flags::{FlagOp, Flags, Keyword};
use crate::domain::ids::FolderId;
use crate::store::entries::{Entry, entry};
use crate::store::error::Error;
use crate::store::tenant::{Tenant, TenantTx};
use crate::store::tx::MAX_OUTDATED;

/// What STORE asks of one folder.
#[derive(Clone, Debug)]
pub struct Change {
    /// The folder.
    pub folder: FolderId,
    /// The messages.
    pub uids: Vec<u32>,
    /// Whether the flags are added, removed, or take the place of those there are.
    pub op: FlagOp,
    /// The flags given.
    pub flags: Flags,
    /// Who has read what becomes `\Seen`; nobody, where a rule says so.
    pub reader: Option<String>,
}

impl Tenant {
    /// Makes changes, all or none, in a transaction of their own: one round trip. No two may be of
    /// one folder. Returns for each every entry that is still there, by UID.
    ///
    /// # Errors
    /// [`Error::NotFound`] when one of the folders is gone.
    pub async fn store_flags(&self, changes: &[&Change]) -> Result<Vec<Vec<Entry>>, Error> {
        let mut of_folder: HashMap<FolderId, Vec<Entry>> = HashMap::new();
        for row in self.flag(changes).await? {
            let folder = FolderId(row.try_get("folder_id")?);
            of_folder.entry(folder).or_default().push(entry(&row)?);
        }
        let entries = |change: &&Change| of_folder.remove(&change.folder).unwrap_or_default();
        Ok(changes.iter().map(entries).collect())
    }

    async fn flag(&self, changes: &[&Change]) -> Result<Vec<PgRow>, Error> {
        let call = "SELECT * FROM public.flag_emails($8, $1, $2, $3, $4, $5, $6, $7)";
        for _ in 0..MAX_OUTDATED {
            let call = with(sqlx::query(call), changes).bind(self.id().0);
            let mut connection = self.db().pool().acquire().await?;
            match call.fetch_all(&mut *connection).await.map_err(Error::from) {
                Err(Error::Outdated) => connection.close_on_drop(),
                rows => return rows,
            }
        }
        Err(Error::Outdated)
    }
}

impl TenantTx {
    /// Makes a change as part of this transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the folder is gone.
    pub async fn store_flags(&mut self, change: &Change) -> Result<Vec<Entry>, Error> {
        let call = sqlx::query("SELECT * FROM change_flags($1, $2, $3, $4, $5, $6, $7)");
        let rows = with(call, &[change]).fetch_all(self.conn()).await?;
        rows.iter().map(entry).collect()
    }
}

type Call<'q> = Query<'q, Postgres, PgArguments>;

/// With the arguments of `change_flags`.
fn with<'q>(call: Call<'q>, changes: &[&Change]) -> Call<'q> {
    let each = |part: fn(&Change) -> String| -> Vec<String> {
        changes.iter().map(|change| part(change)).collect()
    };
    let folders: Vec<Uuid> = changes.iter().map(|change| change.folder.0).collect();
    let flags: Vec<i32> = changes.iter().map(|change| bits(&change.flags)).collect();
    let readers: Vec<Option<String>> = changes.iter().map(|change| change.reader.clone()).collect();
    let numbered = changes.iter().zip(1_i32..);
    let (of, uids): (Vec<i32>, Vec<i64>) = numbered
        .flat_map(|(change, n)| change.uids.iter().map(move |&uid| (n, i64::from(uid))))
        .unzip();
    call.bind(folders)
        .bind(each(|change| operation(change.op).to_owned()))
        .bind(flags)
        .bind(each(|change| keywords(&change.flags)))
        .bind(readers)
        .bind(of)
        .bind(uids)
}

fn operation(op: FlagOp) -> &'static str {
    match op {
        FlagOp::Replace => "replace",
        FlagOp::Add => "add",
        FlagOp::Remove => "remove",
    }
}

/// The system flags as `change_flags` numbers them.
fn bits(flags: &Flags) -> i32 {
    let set = [flags.seen, flags.answered, flags.flagged, flags.deleted, flags.draft];
    set.into_iter().rev().fold(0, |bits, set| bits << 1 | i32::from(set))
}

/// No keyword has a space in it.
fn keywords(flags: &Flags) -> String {
    let keywords: Vec<&str> = flags.keywords.iter().map(Keyword::as_str).collect();
    keywords.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_as_the_database_numbers_them() {
        assert_eq!(bits(&Flags { seen: true, ..Flags::default() }), 1);
        assert_eq!(bits(&Flags { answered: true, draft: true, ..Flags::default() }), 18);
        assert_eq!(bits(&Flags { flagged: true, deleted: true, ..Flags::default() }), 12);
    }
}
