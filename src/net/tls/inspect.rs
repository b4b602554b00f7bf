//! What an operator wants to know of the certificate before a client complains.

use std::path::Path;

use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;
use time::OffsetDateTime;

use super::{TlsError, load};
use crate::wire::x509;

/// A certificate's facts.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// When it ends; `None` when it does not tell.
    pub not_after: Option<OffsetDateTime>,
    /// Whether it is for the name that was asked for.
    pub names_host: bool,
}

/// Reads the pair in a folder without making one, and looks for `hostname` in it.
pub fn inspect(dir: &Path, hostname: &str) -> Result<Facts, TlsError> {
    let pair = load::pair(dir)?;
    let leaf = pair.end_entity_cert().map_err(|error| TlsError::Setup(error.to_string()))?;
    let names_host = ServerName::try_from(hostname).is_ok_and(|name| {
        ParsedCertificate::try_from(leaf).is_ok_and(|leaf| verify_server_name(&leaf, &name).is_ok())
    });
    Ok(Facts { not_after: x509::not_after(leaf), names_host })
}
