//! The database, its schema, its clock; the object store.

use koltrix_mail::store::db::Db;
use koltrix_mail::store::inspect::Facts;
use koltrix_mail::store::migrate::{self, MIGRATIONS};
use koltrix_mail::store::objects::Objects;
use time::OffsetDateTime;

use super::{Finding, domains, ok, problem};
use crate::cli::context::Context;
use crate::cli::database::with_any_database;

/// A migration that touches all organisations takes a lock for each table.
const FEW_LOCKS: i32 = 256;
/// Leases and retry times come from the database's clock, dates in mail from ours.
const CLOCK_TOLERANCE: time::Duration = time::Duration::seconds(5);

pub(super) async fn look(context: &Context) -> Vec<Finding> {
    let mut findings = database(context).await;
    findings.push(objects(context).await);
    findings
}

async fn database(context: &Context) -> Vec<Finding> {
    let config = &context.config;
    if config.database.url.is_empty() && !config.server.data_dir.exists() {
        return vec![ok("database", "the private one will be made by the first start")];
    }
    let looked = with_any_database(context, async |db| {
        let facts = db.inspect().await?;
        let skew = facts.now - OffsetDateTime::now_utc();
        let schema = schema(&db).await;
        let current = schema.ok;
        let mut findings = vec![server(&facts), schema, clock(skew)];
        if current {
            findings.extend(domains::look(config, &db).await?);
        }
        Ok(findings)
    });
    looked.await.unwrap_or_else(|error| {
        vec![problem("database", format!("{error:#}"), "without it no mail is taken or read")]
    })
}

fn server(facts: &Facts) -> Finding {
    const CHECK: &str = "database";
    let found = format!("PostgreSQL {}", facts.version);
    let wrong = |what: &str, advice: &str| problem(CHECK, format!("{found}: {what}"), advice);
    if !facts.makes_roles {
        return wrong("the role may not make roles", "ALTER ROLE … CREATEROLE, as its superuser");
    }
    if !facts.makes_schemas {
        return wrong("the role may not make schemas", "GRANT CREATE ON DATABASE … to the role");
    }
    if !facts.durable {
        return wrong(
            "it can lose what it has confirmed",
            "switch fsync, full_page_writes and synchronous_commit on",
        );
    }
    if facts.max_locks_per_transaction < FEW_LOCKS {
        return wrong(
            &format!("max_locks_per_transaction is {}", facts.max_locks_per_transaction),
            "set it to 1024: a migration touches the tables of all organisations at once",
        );
    }
    ok(CHECK, format!("{found}, {} connections at most", facts.max_connections))
}

async fn schema(db: &Db) -> Finding {
    const CHECK: &str = "schema";
    match migrate::pending(db, MIGRATIONS).await {
        Ok(missing) => match missing.as_slice() {
            [] => ok(CHECK, format!("all {} migrations are applied", MIGRATIONS.len())),
            names => problem(
                CHECK,
                format!("missing: {}", names.join(", ")),
                "run `koltrix-mail migrate`, or start the server, which does it",
            ),
        },
        Err(error) => problem(CHECK, error.to_string(), "see the message"),
    }
}

fn clock(skew: time::Duration) -> Finding {
    let found = format!("{} ms from the database's", skew.whole_milliseconds());
    if skew.abs() > CLOCK_TOLERANCE {
        return problem("clock", found, "synchronise both machines, with NTP");
    }
    ok("clock", found)
}

async fn objects(context: &Context) -> Finding {
    const CHECK: &str = "objects";
    let config = &context.config;
    let place = match config.objects.kind {
        koltrix_mail::config::ObjectKind::Dir if !config.server.data_dir.exists() => {
            return ok(CHECK, "their folder will be made by the first start");
        }
        koltrix_mail::config::ObjectKind::Dir => "a folder in the data directory".to_owned(),
        koltrix_mail::config::ObjectKind::S3 => {
            format!("bucket {} at {}", config.objects.s3.bucket, config.objects.s3.endpoint)
        }
    };
    let asked = match Objects::open(&config.objects, &config.server.data_dir) {
        Ok(objects) => objects.ping().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(()) => ok(CHECK, place),
        Err(error) => problem(
            CHECK,
            format!("{place}: {error}"),
            "check [objects] and the store it names: without it no large attachment is taken",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_will_not_do_is_told_apart() {
        let good = Facts {
            version: "16.4".into(),
            makes_roles: true,
            makes_schemas: true,
            max_locks_per_transaction: 1024,
            max_connections: 100,
            durable: true,
            now: OffsetDateTime::UNIX_EPOCH,
        };
        assert!(server(&good).ok);
        for (bad, says) in [
            (Facts { makes_roles: false, ..good.clone() }, "roles"),
            (Facts { makes_schemas: false, ..good.clone() }, "schemas"),
            (Facts { durable: false, ..good.clone() }, "lose"),
            (Facts { max_locks_per_transaction: 64, ..good }, "64"),
        ] {
            let finding = server(&bad);
            assert!(!finding.ok && finding.found.contains(says), "{}", finding.found);
        }
    }

    #[test]
    fn a_clock_may_differ_by_seconds_and_not_by_more() {
        assert!(clock(time::Duration::seconds(-5)).ok);
        assert!(!clock(time::Duration::milliseconds(-5_001)).ok);
        assert!(!clock(time::Duration::milliseconds(5_001)).ok);
    }
}
