//! `/healthz` and `/readyz`, for whatever watches the process.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::router::Edge;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 when mail can be stored, else 503; one line for each
/// thing that it needs.
pub(super) async fn ready(State(edge): State<Edge>) -> (StatusCode, String) {
    let checks = edge.health.check().await;
    let all = checks.iter().all(|check| check.ok);
    let mut lines = String::new();
    for check in checks {
        lines.push_str(check.name);
        lines.push_str(if check.ok { ": ok\n" } else { ": not available\n" });
    }
    (if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, lines)
}
