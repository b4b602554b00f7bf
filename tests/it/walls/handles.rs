//! The handle that the store gives out: what it leaves on a connection,
//! however its transaction ends, and what it finds of somebody else's.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use koltrix_mail::domain::ids::{AddressId, EmailId, FolderId, TenantId};
use koltrix_mail::store::Error;
use koltrix_mail::store::db::Db;

use crate::support::postgres::{self, Organisation};
use crate::walls::furnished;

/// Polls a future `polls` times at most and then drops it, finished or not.
pub(crate) async fn cut<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Role and path of the connection that the pool gives out next.
pub(crate) async fn standing(db: &Db) -> (String, String) {
    let mut tx = db.begin().await.unwrap();
    let query = "SELECT current_user::text, current_setting('search_path')";
    let standing = sqlx::query_as(query).fetch_one(&mut *tx).await.unwrap();
    tx.rollback().await.unwrap();
    standing
}

pub(crate) async fn mailbox(pool: &sqlx::PgPool, tenant: &Organisation) -> AddressId {
    let query = "SELECT id FROM email_addresses WHERE tenant_id = $1";
    AddressId(sqlx::query_scalar(query).bind(tenant.id).fetch_one(pool).await.unwrap())
}

/// A store with a single connection, which every use therefore shares.
async fn single() -> Db {
    Db::connect(&postgres::url().await, 1).await.unwrap()
}

#[tokio::test]
async fn a_connection_comes_back_clean_however_its_transaction_ends() {
    let pool = postgres::pool().await;
    let tenant = furnished(&pool).await;
    let address = mailbox(&pool, &tenant).await;
    let db = single().await;
    let handle = db.tenant(TenantId(tenant.id));
    let server = standing(&db).await;

    handle.begin().await.unwrap().commit().await.unwrap();
    assert_eq!(standing(&db).await, server, "committed");

    drop(handle.begin().await.unwrap());
    assert_eq!(standing(&db).await, server, "dropped");

    drop(handle.snapshot().await.unwrap());
    assert_eq!(standing(&db).await, server, "a snapshot dropped");

    let mut tx = handle.begin().await.unwrap();
    tx.create_folder(address, "..", None).await.unwrap_err();
    drop(tx);
    assert_eq!(standing(&db).await, server, "failed and dropped");

    let mut tx = handle.begin().await.unwrap();
    tx.create_folder(address, "..", None).await.unwrap_err();
    // COMMIT of a failed transaction rolls back; whatever it answers, it is over.
    let _ = tx.commit().await;
    assert_eq!(standing(&db).await, server, "failed and committed");

    let missing = db.tenant(TenantId::random()).begin().await;
    assert!(matches!(missing, Err(Error::NotFound)));
    assert_eq!(standing(&db).await, server, "of an organisation that is not");
}

#[tokio::test]
async fn a_connection_comes_back_clean_from_a_future_dropped_half_way() {
    let pool = postgres::pool().await;
    let tenant = furnished(&pool).await;
    let address = mailbox(&pool, &tenant).await;
    let db = single().await;
    let handle = db.tenant(TenantId(tenant.id));
    let server = standing(&db).await;
    let (mut unfinished, mut rounds) = (0, 0);
    // On a busy machine the database often answers before it is looked at again: what is cut then
    // was finished already, and the round proves nothing.
    while rounds < 6 || unfinished < 3 {
        rounds += 1;
        assert!(rounds < 500, "too little was cut to prove anything: {unfinished}");
        let polls = rounds % 6 + 1;
        let begun = cut(handle.begin(), polls).await;
        unfinished += usize::from(begun.is_none());
        drop(begun);
        assert_eq!(standing(&db).await, server, "begin, {polls} polls");

        let mut tx = handle.begin().await.unwrap();
        let read = cut(tx.folders(address), polls).await;
        unfinished += usize::from(read.is_none());
        drop(tx);
        assert_eq!(standing(&db).await, server, "a query, {polls} polls");

        let mut tx = handle.begin().await.unwrap();
        tx.create_folder(address, &format!("cut {rounds}"), None).await.unwrap();
        unfinished += usize::from(cut(tx.commit(), polls).await.is_none());
        assert_eq!(standing(&db).await, server, "commit, {polls} polls");
    }
}

#[tokio::test]
async fn a_handle_finds_nothing_of_somebody_else() {
    let pool = postgres::pool().await;
    let (ours, theirs) = (furnished(&pool).await, furnished(&pool).await);
    let address = mailbox(&pool, &theirs).await;
    let db = single().await;
    let mut tx = db.tenant(TenantId(theirs.id)).begin().await.unwrap();
    let folders = tx.folders(address).await.unwrap();
    assert!(!folders.is_empty());
    tx.commit().await.unwrap();

    let mut tx = db.tenant(TenantId(ours.id)).begin().await.unwrap();
    assert!(tx.folders(address).await.unwrap().is_empty());
    for folder in &folders {
        assert!(matches!(tx.folder_by_id(folder.id).await, Err(Error::NotFound)));
        assert!(tx.uids(folder.id).await.unwrap().is_empty());
        tx.delete_folder(folder.id).await.unwrap();
    }
    assert!(matches!(tx.folder_by_id(FolderId::random()).await, Err(Error::NotFound)));
    assert!(matches!(tx.email_source(EmailId::random()).await, Err(Error::NotFound)));
    tx.commit().await.unwrap();

    let mut tx = db.tenant(TenantId(theirs.id)).begin().await.unwrap();
    assert_eq!(tx.folders(address).await.unwrap().len(), folders.len());
}

#[tokio::test]
async fn a_connection_that_does_not_know_its_role_is_given_up() {
    let pool = postgres::pool().await;
    let tenant = furnished(&pool).await;
    let db = Db::connect(&postgres::url().await, 2).await.unwrap();
    let handle = db.tenant(TenantId(tenant.id));
    let process = async || -> i32 {
        let mut tx = db.begin().await.unwrap();
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *tx).await.unwrap();
        tx.rollback().await.unwrap();
        pid
    };
    handle.begin().await.unwrap().commit().await.unwrap();
    let before = process().await;
    // What a connection remembers of its memberships may lack one; this looks the same to it.
    let role = format!("kx_{}", tenant.id.simple());
    postgres::as_superuser(&format!("REVOKE {role} FROM koltrix GRANTED BY koltrix")).await;
    assert!(matches!(handle.begin().await, Err(Error::Outdated)));
    assert!(matches!(handle.store_emails(&[]).await, Err(Error::Outdated)));
    assert!(matches!(handle.store_flags(&[]).await, Err(Error::Outdated)));
    postgres::as_superuser(&format!("GRANT {role} TO koltrix WITH SET TRUE GRANTED BY koltrix"))
        .await;
    assert_ne!(process().await, before);
    handle.begin().await.unwrap().commit().await.unwrap();
}
