//! A profile that sets up a mailbox on Apple's systems once it is opened there.

use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::Response;
use uuid::Builder;

use super::{WhoseQuery, document};
use crate::http::error::HttpError;
use crate::http::page;
use crate::http::router::Edge;
use crate::wire::mime::Sha256;

const PROFILE: &str = "application/x-apple-aspen-config";
const ATTACHMENT: HeaderValue =
    HeaderValue::from_static("attachment; filename=\"mail.mobileconfig\"");

/// `GET /mail/apple.mobileconfig?email={address}`
pub(super) async fn profile(
    State(edge): State<Edge>,
    Query(whose): WhoseQuery,
) -> Result<Response, HttpError> {
    let address = whose.emailaddress.trim();
    let setup = edge.discovery.setup_for(address).await?;
    let (profile, account) = (identifier("profile", address), identifier("account", address));
    let values = [
        ("address", address),
        ("domain", &setup.domain),
        ("hostname", &setup.hostname),
        ("submission_tls", &setup.ports[0].to_string()),
        ("imap_tls", &setup.ports[2].to_string()),
        ("profile", &profile),
        ("account", &account),
    ];
    let content = page::fill(include_str!("../pages/apple.mobileconfig"), &values);
    let mut response = document(PROFILE, content);
    response.headers_mut().insert(CONTENT_DISPOSITION, ATTACHMENT);
    Ok(response)
}

/// The same for the same address, so that a profile replaces the one before.
fn identifier(of: &str, address: &str) -> String {
    let digest = Sha256::of(format!("{of}:{address}").as_bytes()).to_string();
    let number = digest.get(..32).and_then(|hex| u128::from_str_radix(hex, 16).ok());
    Builder::from_custom_bytes(number.unwrap_or_default().to_be_bytes()).into_uuid().to_string()
}
