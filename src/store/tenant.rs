//! The wall: the only way to an organisation's tables.

use sqlx::postgres::PgConnection;

use crate::domain::ids::TenantId;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tx::Tx;

/// One organisation's part of the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenant {
    db: Db,
    id: TenantId,
}

impl Tenant {
    pub(in crate::store) fn new(db: Db, id: TenantId) -> Self {
        Self { db, id }
    }

    /// Whose tables these are.
    pub fn id(&self) -> TenantId {
        self.id
    }

    /// The whole database, for the few tables that span organisations.
    pub(in crate::store) fn db(&self) -> &Db {
        &self.db
    }

    /// Opens a transaction as this organisation: its role, its search_path.
    ///
    /// Both are local to the transaction, so that nothing can be left behind
    /// on the connection however the transaction ends. One round trip.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organisation has no schema.
    pub async fn begin(&self) -> Result<TenantTx, Error> {
        self.enter("BEGIN").await
    }

    /// As [`Tenant::begin`], for reading: everything is seen as of one moment.
    pub async fn snapshot(&self) -> Result<TenantTx, Error> {
        self.enter("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn enter(&self, begin: &'static str) -> Result<TenantTx, Error> {
        // The id is a uuid and so safe to write into the statement; a simple
        // query takes no parameters, and an extended one would cost a second
        // round trip.
        let enter = format!("{begin}; SELECT public.enter_tenant('{}')", self.id);
        Ok(TenantTx { tx: Tx::begin(self.db.pool(), enter).await?, id: self.id })
    }
}

/// A transaction inside one organisation's wall. Dropped, it rolls back.
pub struct TenantTx {
    tx: Tx,
    id: TenantId,
}

impl TenantTx {
    /// Whose transaction this is.
    pub fn id(&self) -> TenantId {
        self.id
    }

    /// The connection, for the statements of the store.
    pub(in crate::store) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// [`Error::Unavailable`] leaves open whether it was committed; whoever
    /// must know asks for a unique key that the transaction wrote.
    pub async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await
    }
}
