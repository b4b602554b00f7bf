//! DMARC aggregate reports in XML (RFC 9990 appendix A, which keeps what RFC 7489 appendix C had).
//!
//! Words are kept as they were written: what others report is theirs to spell.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::ReadError;

/// The namespace of what is written here (RFC 9990 §3.1.1). Readers of RFC 7489 ignore it.
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:dmarc-2.0";
/// Elements out of order that a reader holds back.
const HELD_BACK: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// A whole report.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename = "feedback")]
pub struct Feedback {
    /// [`NAMESPACE`].
    #[serde(rename = "@xmlns", default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `1.0`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Who reports, and when.
    pub report_metadata: Metadata,
    /// The policy that was found.
    pub policy_published: Published,
    /// What came.
    #[serde(default)]
    pub record: Vec<Record>,
}

/// Who reports, and when.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// The reporting organisation.
    pub org_name: String,
    /// Whom to ask there.
    #[serde(default)]
    pub email: String,
    /// Names this report among all of that organisation.
    pub report_id: String,
    /// The time it is about.
    pub date_range: DateRange,
    /// The program that wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generator: String,
}

/// A time in seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DateRange {
    /// Its first second.
    pub begin: i64,
    /// Its last one.
    pub end: i64,
}

/// A policy as a domain publishes it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Published {
    /// Where it stands.
    pub domain: String,
    /// How it was found: `treewalk` or `psl`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub discovery_method: String,
    /// `p=`.
    #[serde(default)]
    pub p: String,
    /// `sp=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sp: String,
    /// `np=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub np: String,
    /// `adkim=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub adkim: String,
    /// `aspf=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub aspf: String,
    /// `t=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub testing: String,
}

/// Messages that are alike.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// Where they came from and what became of them.
    pub row: Row,
    /// Whose they say they are.
    #[serde(default)]
    pub identifiers: Identifiers,
    /// What was found out.
    #[serde(default)]
    pub auth_results: AuthResults,
}

/// Where messages came from and what became of them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// The client's address.
    pub source_ip: String,
    /// How many.
    pub count: u64,
    /// What became of them.
    #[serde(default)]
    pub policy_evaluated: Evaluated,
}

/// What became of messages, and why.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Evaluated {
    /// `none`, `quarantine` or `reject`.
    #[serde(default)]
    pub disposition: String,
    /// Whether DKIM passed for an aligned domain: `pass` or `fail`.
    #[serde(default)]
    pub dkim: String,
    /// The same for SPF.
    #[serde(default)]
    pub spf: String,
    /// Why it is not what the policy asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Reason>,
}

/// Why a policy was not obeyed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Reason {
    /// `local_policy`, `policy_test_mode` and so on.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// Domains that messages name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Identifiers {
    /// In From.
    #[serde(default)]
    pub header_from: String,
    /// In MAIL; empty for the null reverse-path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub envelope_from: String,
}

/// The results of the single methods.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct AuthResults {
    /// Every signature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim: Vec<Dkim>,
    /// SPF.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spf: Vec<Spf>,
}

/// The result of one signature.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Dkim {
    /// `d=`.
    #[serde(default)]
    pub domain: String,
    /// `s=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub selector: String,
    /// In the words of RFC 8601.
    #[serde(default)]
    pub result: String,
}

/// The result of SPF.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Spf {
    /// Whose record was asked for.
    #[serde(default)]
    pub domain: String,
    /// `mfrom`, or `helo` as RFC 7489 had it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// In the words of RFC 8601.
    #[serde(default)]
    pub result: String,
}

impl Feedback {
    /// Reads a report. Elements that nobody knows are passed over, and no entity is ever looked up.
    ///
    /// # Errors
    /// [`ReadError::Xml`].
    pub fn read(xml: &[u8]) -> Result<Self, ReadError> {
        let text = String::from_utf8_lossy(xml);
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = quick_xml::de::Deserializer::from_str(text);
        reader.event_buffer_size(Some(HELD_BACK));
        Self::deserialize(&mut reader).map_err(|error| ReadError::Xml(error.to_string()))
    }

    /// The report in XML; characters that no XML may hold are replaced.
    ///
    /// # Errors
    /// [`ReadError::Xml`] when a value cannot be written at all.
    pub fn write(&self) -> Result<Vec<u8>, ReadError> {
        let body =
            quick_xml::se::to_string(self).map_err(|error| ReadError::Xml(error.to_string()))?;
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        // XML 1.0 §2.2: no control characters but these, not even escaped.
        let fit = |c: char| if c.is_control() && !"\t\r\n".contains(c) { '?' } else { c };
        xml.extend(body.chars().map(fit));
        xml.push('\n');
        Ok(xml.into_bytes())
    }
}

#[cfg(test)]
pub(crate) mod tests;
