//! What an operator does to the queue.

use std::time::Duration;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres};

use crate::domain::ids::OutboundId;
use crate::domain::queue::State;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::lease::interval;

/// Which rows are meant; what is not given means all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// These, named by their own id or by their send's.
    pub ids: Option<Vec<uuid::Uuid>>,
    /// Of this organisation.
    pub tenant: Option<String>,
    /// To this domain.
    pub domain: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Queued at least so long ago.
    pub older_than: Option<Duration>,
}

type Bound<'q> = Query<'q, Postgres, PgArguments>;

impl Selection {
    /// Binds `$1` to `$5`.
    pub(super) fn bind<'q>(&self, query: Bound<'q>) -> Result<Bound<'q>, Error> {
        self.bind_within(query, State::ALL)
    }

    /// The same, for a change that is possible in these states only.
    fn bind_within<'q>(&self, query: Bound<'q>, states: &[State]) -> Result<Bound<'q>, Error> {
        let wanted = states.iter().filter(|state| self.state.is_none_or(|only| only == **state));
        Ok(query
            .bind(self.ids.clone())
            .bind(self.tenant.clone())
            .bind(self.domain.clone())
            .bind(wanted.map(|state| state.as_str()).collect::<Vec<_>>())
            .bind(self.older_than.map(interval).transpose()?))
    }
}

/// `SET` what, for the rows that `$1` to `$5` select.
fn change(set: &str) -> String {
    format!(
        "UPDATE public.outbound_messages o SET {set}
         FROM public.tenants t
         WHERE t.id = o.tenant_id AND ($1::uuid[] IS NULL OR o.id = ANY ($1) OR o.queue_id = ANY ($1))
            AND ($2::text IS NULL OR t.slug = $2) AND ($3::text IS NULL OR o.recipient_domain = $3)
            AND o.state = ANY ($4) AND ($5::interval IS NULL OR o.queued_at < now() - $5)
         RETURNING o.id"
    )
}

impl Db {
    /// Makes queued rows due now. Returns the rows changed, as the others do.
    pub async fn retry_outbound(&self, selection: &Selection) -> Result<Vec<OutboundId>, Error> {
        self.change(selection, &[State::Queued], "next_attempt_at = now()", None).await
    }

    /// Keeps queued rows back, for a stated reason.
    pub async fn hold_outbound(
        &self,
        selection: &Selection,
        reason: &str,
    ) -> Result<Vec<OutboundId>, Error> {
        let set = "state = 'held', held_reason = $6";
        self.change(selection, &[State::Queued], set, Some(reason)).await
    }

    /// Lets held rows go, at once. No budget of a warm-up holds them again.
    pub async fn release_outbound(&self, selection: &Selection) -> Result<Vec<OutboundId>, Error> {
        let set = "state = 'queued', held_reason = NULL, next_attempt_at = now(),
            metadata = o.metadata || '{\"overruled\": true}'";
        self.change(selection, &[State::Held], set, None).await
    }

    /// Drops queued and held rows for good; their senders are not told.
    pub async fn cancel_outbound(&self, selection: &Selection) -> Result<Vec<OutboundId>, Error> {
        let set = "state = 'cancelled', held_reason = NULL, finished_at = now()";
        self.change(selection, &[State::Queued, State::Held], set, None).await
    }

    async fn change(
        &self,
        selection: &Selection,
        states: &[State],
        set: &str,
        reason: Option<&str>,
    ) -> Result<Vec<OutboundId>, Error> {
        // The text is one of the four above.
        let mut query = sqlx::query(AssertSqlSafe(change(set)));
        query = selection.bind_within(query, states)?;
        if let Some(reason) = reason {
            query = query.bind(reason);
        }
        let rows = query.fetch_all(self.pool()).await?;
        rows.iter().map(|row| Ok(OutboundId(sqlx::Row::try_get(row, 0)?))).collect()
    }
}
