//! Waiting for what has to come true: it is asked for again and again, for a bounded time.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Between two questions.
const TURN: Duration = Duration::from_millis(20);

/// What `probe` answers, once it does; `None` when it does not within `limit`.
pub async fn within<T>(limit: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let answered = async {
        let mut turns = interval(TURN);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            if let Some(answer) = probe().await {
                return answer;
            }
        }
    };
    timeout(limit, answered).await.ok()
}

/// Waits until something holds, for no longer than `limit`.
pub async fn until(what: &str, limit: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let held = within(limit, async || holds().await.then_some(())).await;
    assert!(held.is_some(), "{what}: not within {limit:?}");
}

/// Waits until a domain has its DKIM keys: its mail waits for them.
pub async fn for_keys(pool: &PgPool, domain: &str) {
    let made = "SELECT count(*) >= 2 FROM domain_keys k JOIN tenant_domains d ON d.id = k.domain_id
                WHERE d.domain = $1";
    let made = async || sqlx::query_scalar(made).bind(domain).fetch_one(pool).await.unwrap();
    until("keys", Duration::from_mins(1), made).await;
}
