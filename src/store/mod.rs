//! Postgres and the object store: SQL, schemas, transactions, objects. No policy.
