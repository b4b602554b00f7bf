//! Settings as Thunderbird and its relatives ask for them.

use axum::extract::{Query, State};
use axum::response::Response;

use super::{Host, WhoseQuery, document};
use crate::http::error::HttpError;
use crate::http::page;
use crate::http::router::Edge;

/// `GET` at `autoconfig.<domain>` or at the domain itself.
pub(super) async fn settings(
    State(edge): State<Edge>,
    Host(host): Host,
    Query(whose): WhoseQuery,
) -> Result<Response, HttpError> {
    let setup = match whose.emailaddress.is_empty() {
        true => edge.discovery.setup_at(&host).await?,
        false => edge.discovery.setup_for(&whose.emailaddress).await?,
    };
    let ports = setup.ports.map(|port| port.to_string());
    let values = [
        ("domain", setup.domain.as_str()),
        ("hostname", &setup.hostname),
        ("submission_tls", &ports[0]),
        ("submission_starttls", &ports[1]),
        ("imap_tls", &ports[2]),
        ("imap_starttls", &ports[3]),
    ];
    let content = page::fill(include_str!("../pages/autoconfig.xml"), &values);
    Ok(document("text/xml; charset=utf-8", content))
}
