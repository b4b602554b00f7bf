//! What can go wrong in the store, in the few kinds that callers tell apart.

/// An error of the database or the object store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No such row or object.
    #[error("not found")]
    NotFound,
    /// A constraint refused the change; code matches on its name.
    #[error("refused by the constraint {constraint}")]
    Conflict {
        /// The constraint's name as the migrations spell it.
        constraint: String,
    },
    /// The mailbox would hold more than its quota.
    #[error("over quota")]
    OverQuota,
    /// The directory has changed since the question was asked that this rests on.
    #[error("the directory has changed meanwhile")]
    Stale,
    /// The connection does not know yet that it may act for the organisation.
    #[error("the connection does not know the organisation yet")]
    Outdated,
    /// The database or the object store does not answer; later it may.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The object store does not answer, or its disk is full; later it may.
    #[error("object store: {0}")]
    Objects(String),
    /// Something stored is not what was stored.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// A defect: a statement the database does not accept.
    #[error("database: {0}")]
    Internal(String),
}

/// SQLSTATE that `check_quota` raises.
const OVER_QUOTA: &str = "KX001";
/// SQLSTATE that `deliver_emails` raises.
const STALE: &str = "KX002";

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(db) => from_sqlstate(db.as_ref()),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::BeginFailed => Self::Unavailable(error.to_string()),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// Appendix A of the Postgres manual, by class.
fn from_sqlstate(error: &dyn sqlx::error::DatabaseError) -> Error {
    let code = error.code().unwrap_or_default();
    if code == OVER_QUOTA {
        return Error::OverQuota;
    }
    if code == STALE {
        return Error::Stale;
    }
    // What Postgres remembers of a connection's memberships can lack one that was granted while they
    // were being read, and lacks it until the next one is granted.
    if code == "42501" && error.message().starts_with("permission denied to set role") {
        return Error::Outdated;
    }
    match code.get(..2).unwrap_or_default() {
        // 3F: the schema is missing; P0: no_data_found raised by a function.
        "3F" => Error::NotFound,
        "P0" if code == "P0002" => Error::NotFound,
        "23" => Error::Conflict { constraint: error.constraint().unwrap_or("").to_owned() },
        // 08 connection, 40 rollback (deadlock), 53 resources, 57 operator, 58 system.
        "08" | "40" | "53" | "57" | "58" => Error::Unavailable(error.message().to_owned()),
        _ => Error::Internal(format!("{code} {}", error.message())),
    }
}

impl Error {
    /// Whether this is the refusal of the constraint `name`.
    pub fn is_conflict(&self, name: &str) -> bool {
        matches!(self, Self::Conflict { constraint } if constraint == name)
    }
}
