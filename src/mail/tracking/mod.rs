//! Tracking: tokens go out with a message, hits on them come back.
//!
//! A hit is graded, never dropped, and written before it is answered. When
//! the database is away, what is known in memory still redirects.

pub mod grade;
pub mod hits;
pub mod instrument;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::hit::{Fetch, HitKind};
use crate::domain::token::Token;
use crate::mail::Error;
use crate::store;
use crate::store::db::Db;
use crate::store::hits::Hit;
use crate::store::tracking::Tracked;
use grade::{Facts, Grader};
use hits::Hits;
pub use hits::{Counts, HitWriter};

/// How long a visitor waits for the database to say what a token stands for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Octets of a User-Agent that are kept.
const MAX_USER_AGENT: usize = 512;

/// The tracking edge. Cheap to clone.
#[derive(Clone)]
pub struct Tracking {
    db: Db,
    grader: Arc<Grader>,
    hits: Hits,
    /// What tokens stand for never changes, so a click can be redirected while
    /// the database is away.
    known: Cache<Token, Arc<Tracked>>,
}

/// A request for a pixel or a link.
#[derive(Clone, Debug)]
pub struct Visit {
    /// From where.
    pub ip: IpAddr,
    /// The User-Agent as sent; empty without one.
    pub user_agent: String,
    /// How it was asked for.
    pub fetch: Fetch,
}

impl Tracking {
    /// The edge, and the writer that has to run beside it.
    ///
    /// # Errors
    /// [`Error::Internal`] when the built-in rules cannot be read.
    pub fn new(db: Db) -> Result<(Self, HitWriter), Error> {
        let grader = Arc::new(Grader::built_in().map_err(Error::Internal)?);
        let (hits, writer) = Hits::new(db.clone());
        let known =
            Cache::builder().max_capacity(100_000).time_to_live(Duration::from_hours(1)).build();
        Ok((Self { db, grader, hits, known }, writer))
    }

    /// Somebody fetched a pixel. Whatever `token` is, there is nothing to tell.
    pub async fn open(&self, token: &str, visit: Visit) {
        match self.tracked(token, HitKind::Open).await {
            Ok(tracked) => self.record(&tracked, visit).await,
            Err(Error::NotFound(_)) => {}
            Err(error) => {
                tracing::warn!(%error, "a pixel's token could not be looked up");
                let _ = self.hits.lose();
            }
        }
    }

    /// Somebody followed a link: where it goes.
    ///
    /// # Errors
    /// [`Error::NotFound`] alike for what is no token, nobody's or a pixel's;
    /// [`Error::Temporary`] when the database is away and memory does not know.
    pub async fn click(&self, token: &str, visit: Visit) -> Result<String, Error> {
        let tracked = self.tracked(token, HitKind::Click).await.inspect_err(|error| {
            if !matches!(error, Error::NotFound(_)) {
                let _ = self.hits.lose();
            }
        })?;
        let target = tracked.target.clone().ok_or(Error::NotFound("link"))?;
        self.record(&tracked, visit).await;
        Ok(target)
    }

    /// How many hits were kept, late and lost since the start.
    pub fn counts(&self) -> Counts {
        self.hits.counts()
    }

    async fn tracked(&self, token: &str, kind: HitKind) -> Result<Arc<Tracked>, Error> {
        let token = Token::parse(token).ok_or(Error::NotFound("link"))?;
        let known = self.known.get(&token);
        if let Some(tracked) = known.as_ref().filter(|t| t.delivered_at.is_some()) {
            return of_kind(tracked, kind);
        }
        // Not known, or not delivered yet when it was last asked.
        match tokio::time::timeout(PATIENCE, self.db.tracked(&token)).await {
            Ok(Ok(tracked)) => {
                let tracked = Arc::new(tracked);
                self.known.insert(token, Arc::clone(&tracked));
                of_kind(&tracked, kind)
            }
            Ok(Err(store::Error::NotFound)) => Err(Error::NotFound("link")),
            Ok(Err(error)) => {
                known.map_or_else(|| Err(error.into()), |tracked| of_kind(&tracked, kind))
            }
            Err(_) => known.map_or_else(
                || Err(Error::Temporary("the database does not answer".to_owned())),
                |tracked| of_kind(&tracked, kind),
            ),
        }
    }

    async fn record(&self, tracked: &Tracked, visit: Visit) {
        let at = OffsetDateTime::now_utc();
        let seconds = tracked.delivered_at.map(|delivered| (at - delivered).whole_seconds());
        let grade = self.grader.grade(&Facts {
            kind: tracked.kind,
            fetch: visit.fetch,
            user_agent: &visit.user_agent,
            ip: visit.ip,
            to_self: tracked.to_self,
            sending: tracked.sending,
            seconds_since_delivery: seconds,
        });
        let hit = Hit {
            id: Uuid::new_v4(),
            token_id: tracked.token_id,
            kind: tracked.kind,
            grade,
            at,
            ip: visit.ip,
            user_agent: bounded(visit.user_agent),
            fetch: visit.fetch,
            seconds_since_delivery: seconds,
        };
        self.hits.record(hit).await;
    }
}

fn of_kind(tracked: &Arc<Tracked>, kind: HitKind) -> Result<Arc<Tracked>, Error> {
    if tracked.kind == kind { Ok(Arc::clone(tracked)) } else { Err(Error::NotFound("link")) }
}

/// A User-Agent as it is kept: no NUL, which no text of the database can hold.
fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_USER_AGENT));
    text.retain(|c| c != '\0');
    text
}
