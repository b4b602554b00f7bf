//! `[metrics]`: numbers for whoever watches the server.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, de};

/// Where they are told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Plain HTTP; `None` tells nobody.
    #[serde(deserialize_with = "address_or_none")]
    pub listen: Option<SocketAddr>,
}

/// An empty text is none.
fn address_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn an_empty_address_switches_it_off() {
        let listen = |text| Config::parse(text, |_| None).map(|config| config.metrics.listen);
        assert!(listen("").unwrap().unwrap().ip().is_loopback());
        assert_eq!(listen("metrics.listen = ''").unwrap(), None);
        assert!(listen("metrics.listen = 'localhost'").is_err());
    }
}
