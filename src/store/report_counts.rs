//! What domains will be told of their mail, and whom to tell next.

use sqlx::types::Uuid;
use time::Date;

use crate::domain::report::{Counted, Kind};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::word;

/// A domain that is to be told of a day.
#[derive(Clone, Debug)]
pub struct DueReport {
    /// The row, and the report's own id.
    pub id: Uuid,
    /// Of what.
    pub kind: Kind,
    /// Which day.
    pub day: Date,
    /// Whom.
    pub domain: String,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

/// A day of a domain, as an operator sees it.
#[derive(Clone, Debug)]
pub struct CountedDay {
    /// Of what.
    pub kind: Kind,
    /// Which day.
    pub day: Date,
    /// Whose.
    pub domain: String,
    /// When it is told.
    pub due_at: time::OffsetDateTime,
    /// Messages or sessions counted.
    pub total: i64,
}

impl Db {
    /// Adds counts, in one statement: few enough that it is short.
    pub async fn count_for_reports(&self, counts: &[(&Counted, i64)]) -> Result<(), Error> {
        let column = |of: fn(&Counted) -> &str| {
            counts.iter().map(|(counted, _)| of(counted)).collect::<Vec<&str>>()
        };
        let days: Vec<Date> = counts.iter().map(|(counted, _)| counted.day).collect();
        let totals: Vec<i64> = counts.iter().map(|(_, total)| *total).collect();
        sqlx::query("SELECT public.count_for_reports($1, $2, $3, $4, $5)")
            .bind(column(|counted| counted.kind.as_str()))
            .bind(days)
            .bind(column(|counted| &counted.domain))
            .bind(column(|counted| &counted.tuple))
            .bind(totals)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Takes one report that is due. It is due again later, the later the more often it was tried,
    /// unless it is ended.
    pub async fn lease_report(&self) -> Result<Option<DueReport>, Error> {
        let row: Option<(Uuid, String, Date, String, i32)> = sqlx::query_as(
            "UPDATE public.due_reports r SET attempts = r.attempts + 1,
                 due_at = now() + interval '10 minutes' * power(2, least(r.attempts, 6))
             WHERE r.id = (SELECT d.id FROM public.due_reports d WHERE d.due_at <= now()
                 ORDER BY d.due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING r.id, r.kind, r.day, r.domain, r.attempts",
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(|(id, kind, day, domain, attempts)| {
            let attempts = u32::try_from(attempts).unwrap_or(0);
            Ok(DueReport { id, kind: word(&kind)?, day, domain, attempts })
        })
        .transpose()
    }

    /// What was counted, the most frequent first, `most` at most.
    pub async fn counts_of(
        &self,
        due: &DueReport,
        most: u32,
    ) -> Result<Vec<(serde_json::Value, i64)>, Error> {
        Ok(sqlx::query_as(
            "SELECT c.tuple, c.total FROM public.report_counts c
             WHERE c.kind = $1 AND c.day = $2 AND c.domain = $3 ORDER BY c.total DESC, c.id LIMIT $4",
        )
        .bind(due.kind.as_str())
        .bind(due.day)
        .bind(&due.domain)
        .bind(i64::from(most))
        .fetch_all(self.pool())
        .await?)
    }

    /// It was told, or never will be: the counts go.
    pub async fn end_report(&self, due: &DueReport) -> Result<(), Error> {
        sqlx::query(
            "WITH told AS (DELETE FROM public.report_counts WHERE kind = $2 AND day = $3 AND domain = $4)
             DELETE FROM public.due_reports WHERE id = $1",
        )
        .bind(due.id)
        .bind(due.kind.as_str())
        .bind(due.day)
        .bind(&due.domain)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Makes the reports of a day due now, of one domain or of all; says of which.
    pub async fn hasten_reports(
        &self,
        day: Date,
        domain: Option<&str>,
    ) -> Result<Vec<CountedDay>, Error> {
        sqlx::query(
            "UPDATE public.due_reports SET due_at = now(), attempts = 0
             WHERE day = $1 AND ($2::text IS NULL OR domain = $2)",
        )
        .bind(day)
        .bind(domain)
        .execute(self.pool())
        .await?;
        self.counted_days(Some(day), domain).await
    }

    /// Days that are yet to be told of, oldest first.
    pub async fn counted_days(
        &self,
        day: Option<Date>,
        domain: Option<&str>,
    ) -> Result<Vec<CountedDay>, Error> {
        let rows: Vec<(String, Date, String, time::OffsetDateTime, i64)> = sqlx::query_as(
            "SELECT d.kind, d.day, d.domain, d.due_at, coalesce((SELECT sum(c.total)::bigint FROM public.report_counts c
                 WHERE c.kind = d.kind AND c.day = d.day AND c.domain = d.domain), 0)
             FROM public.due_reports d WHERE ($1::date IS NULL OR d.day = $1) AND ($2::text IS NULL OR d.domain = $2)
             ORDER BY d.day, d.kind, d.domain LIMIT 10000",
        )
        .bind(day)
        .bind(domain)
        .fetch_all(self.pool())
        .await?;
        let counted = |(kind, day, domain, due_at, total): (String, _, _, _, _)| {
            Ok(CountedDay { kind: word(&kind)?, day, domain, due_at, total })
        };
        rows.into_iter().map(counted).collect()
    }
}
