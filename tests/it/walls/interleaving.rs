//! Many organisations over few connections, in random order, cut at random
//! points: nobody ever sees a value that is not their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use koltrix_mail::domain::ids::{AddressId, TenantId};
use koltrix_mail::store::db::Db;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::support::postgres;
use crate::walls::handles::{cut, standing};

const ORGANISATIONS: usize = 50;
const CONNECTIONS: u32 = 4;
const STEPS: usize = 10_000;
const WORKERS: u64 = 16;

struct World {
    db: Db,
    server: (String, String),
    people: Vec<(TenantId, AddressId)>,
    steps: AtomicUsize,
    cut: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_interleavings_show_no_foreign_value() {
    let pool = postgres::pool().await;
    let mut people = Vec::new();
    for number in 0..ORGANISATIONS {
        people.push(person(&pool, number).await);
    }
    let db = Db::connect(&postgres::url().await, CONNECTIONS).await.unwrap();
    let server = standing(&db).await;
    let world = Arc::new(World {
        db,
        server,
        people,
        steps: AtomicUsize::new(0),
        cut: AtomicUsize::new(0),
    });
    let mut workers = tokio::task::JoinSet::new();
    for seed in 0..WORKERS {
        let world = Arc::clone(&world);
        workers.spawn(async move {
            let mut random = SmallRng::seed_from_u64(seed);
            while world.steps.fetch_add(1, Ordering::Relaxed) < STEPS {
                world.step(&mut random).await;
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    let cut = world.cut.load(Ordering::Relaxed);
    assert!(cut > STEPS / 20, "too few were cut half-way: {cut}");
}

/// An organisation with one mailbox, which has a folder that only it has.
async fn person(pool: &PgPool, number: usize) -> (TenantId, AddressId) {
    let tenant = postgres::organisation(pool).await;
    let mailbox: Uuid = sqlx::query_scalar(
        "INSERT INTO email_addresses (tenant_id, address) VALUES ($1, $2) RETURNING id",
    )
    .bind(tenant.id)
    .bind(format!("somebody@{}.test", tenant.slug))
    .fetch_one(pool)
    .await
    .unwrap();
    let insert =
        format!("INSERT INTO {}.folders (address_id, name) VALUES ($1, $2)", tenant.schema());
    sqlx::query(AssertSqlSafe(insert))
        .bind(mailbox)
        .bind(mark(number))
        .execute(pool)
        .await
        .unwrap();
    (TenantId(tenant.id), AddressId(mailbox))
}

/// A folder that only this organisation has.
fn mark(number: usize) -> String {
    format!("of organisation {number}")
}

impl World {
    /// One organisation does one thing, and looks at everything it can see.
    async fn step(&self, random: &mut SmallRng) {
        let number = random.random_range(0..self.people.len());
        let other = random.random_range(0..self.people.len());
        let (tenant, address) = self.people[number];
        let handle = self.db.tenant(tenant);
        // A single poll finishes nothing that has to ask the database, however quick that is.
        let polls = if random.random_bool(0.5) { 1 } else { random.random_range(2..5) };
        match random.random_range(0..8) {
            0 => return assert_eq!(standing(&self.db).await, self.server),
            1 => return self.note_cut(cut(handle.begin(), polls).await.is_none()),
            _ => {}
        }
        let mut tx = handle.begin().await.unwrap();
        if random.random_bool(0.25) {
            return self.note_cut(cut(tx.folders(address), polls).await.is_none());
        }
        let folders = tx.folders(address).await.unwrap();
        let marks: Vec<&str> = folders
            .iter()
            .map(|folder| folder.name.as_str())
            .filter(|name| name.starts_with("of organisation"))
            .collect();
        assert_eq!(marks, [mark(number)]);
        if other != number {
            assert!(tx.folders(self.people[other].1).await.unwrap().is_empty());
        }
        match random.random_range(0..3) {
            0 => drop(tx),
            1 => tx.commit().await.unwrap(),
            _ => self.note_cut(cut(tx.commit(), polls).await.is_none()),
        }
    }

    fn note_cut(&self, cut: bool) {
        self.cut.fetch_add(usize::from(cut), Ordering::Relaxed);
    }
}
