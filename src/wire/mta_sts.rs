//! MTA-STS (RFC 8461): the record that announces a domain's policy, and the policy.

use std::time::Duration;

use crate::config::is_host_name;
pub use crate::domain::mta_sts::Mode;

/// The longest time that a policy is kept (RFC 8461 §3.2): about a year.
const MOST_AGE: u64 = 31_557_600;

/// Which servers take a domain's mail, and that they prove to be those.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// What it is good for.
    pub mode: Mode,
    /// How long it holds.
    pub max_age: Duration,
    /// Names in lower case; `*.` stands for one label. Never empty, unless the mode is none.
    pub mx: Vec<String>,
}

/// Why a text is no policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not UTF-8, or has a line that is no field.
    #[error("the policy is not made of fields")]
    Syntax,
    /// The version is not `STSv1`.
    #[error("the policy is of no known version")]
    Version,
    /// A field is missing, or its value makes no sense.
    #[error("the policy has no good {0}")]
    Field(&'static str),
}

/// The id in what `_mta-sts.<domain>` says. None where the records announce no policy, which
/// several of them do not either (RFC 8461 §3.1).
pub fn record_id(records: &[String]) -> Option<&str> {
    let mut ours = records.iter().filter(|text| version_rest(text).is_some());
    let (Some(record), None) = (ours.next(), ours.next()) else { return None };
    let mut id = None;
    let rest = version_rest(record)?.trim_end_matches([' ', '\t']);
    for field in rest.strip_suffix(';').unwrap_or(rest).split(';') {
        let (name, value) = field.trim_matches([' ', '\t']).split_once('=')?;
        if !is_key(name) || value.is_empty() || !value.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        if name == "id" && id.is_none() {
            let good = value.len() <= 32 && value.bytes().all(|b| b.is_ascii_alphanumeric());
            id = Some(good.then_some(value)?);
        }
    }
    id
}

/// What stands behind the version of such a record.
fn version_rest(text: &str) -> Option<&str> {
    text.strip_prefix("v=STSv1")?.trim_start_matches([' ', '\t']).strip_prefix(';')
}

/// The name of a field (`sts-ext-name`, `sts-policy-ext-name`).
fn is_key(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 32
        && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

impl Policy {
    /// Reads a policy. Of fields that may stand there once, the first one counts.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        let text = std::str::from_utf8(text).map_err(|_| PolicyError::Syntax)?;
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        for line in text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])) {
            if line.is_empty() {
                continue;
            }
            let (name, value) = line.split_once(':').ok_or(PolicyError::Syntax)?;
            let value = value.trim_start_matches([' ', '\t']);
            match name {
                "version" => _ = version.get_or_insert(value),
                "mode" => _ = mode.get_or_insert(value),
                "max_age" => _ = max_age.get_or_insert(value),
                "mx" => mx.push(pattern(value).ok_or(PolicyError::Field("mx"))?),
                _ if is_key(name) => {}
                _ => return Err(PolicyError::Syntax),
            }
        }
        if version != Some("STSv1") {
            return Err(PolicyError::Version);
        }
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            _ => return Err(PolicyError::Field("mode")),
        };
        if mx.is_empty() && mode != Mode::None {
            return Err(PolicyError::Field("mx"));
        }
        let max_age = max_age.and_then(seconds).ok_or(PolicyError::Field("max_age"))?;
        Ok(Self { mode, max_age, mx })
    }

    /// Whether a server of this name may take the domain's mail (RFC 8461 §4.1).
    pub fn allows(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let beyond = host.split_once('.').filter(|(first, _)| !first.is_empty());
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(suffix) => beyond.is_some_and(|(_, rest)| rest == suffix),
            None => *pattern == host,
        })
    }

    /// Its lines, as reports quote them (RFC 8460 §4.4).
    pub fn lines(&self) -> Vec<String> {
        let mode = match self.mode {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        };
        let mut lines = vec!["version: STSv1".to_owned(), format!("mode: {mode}")];
        lines.extend(self.mx.iter().map(|pattern| format!("mx: {pattern}")));
        lines.push(format!("max_age: {}", self.max_age.as_secs()));
        lines
    }
}

/// A host name, perhaps with `*.` before it.
fn pattern(value: &str) -> Option<String> {
    let name = value.strip_suffix('.').unwrap_or(value);
    is_host_name(name.strip_prefix("*.").unwrap_or(name)).then(|| name.to_ascii_lowercase())
}

/// One to ten digits; a longer time than may be is the longest that may.
fn seconds(value: &str) -> Option<Duration> {
    let fits = (1..=10).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    let seconds: u64 = fits.then(|| value.parse().ok())??;
    Some(Duration::from_secs(seconds.min(MOST_AGE)))
}

#[cfg(test)]
mod tests;
