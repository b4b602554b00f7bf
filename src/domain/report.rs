//! What is counted for the reports that domains ask for.

use time::Date;

/// Which report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// What became of a domain's mail here (DMARC).
    Dmarc,
    /// How TLS with a domain's servers did.
    Tls,
}

impl Kind {
    /// The word in the database and in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dmarc => "dmarc",
            Self::Tls => "tls",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "dmarc" => Ok(Self::Dmarc),
            "tls" => Ok(Self::Tls),
            other => Err(format!("'{other}' is neither dmarc nor tls")),
        }
    }
}

/// Something that is counted: alike things are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Counted {
    /// For which report.
    pub kind: Kind,
    /// The day it happened on, UTC.
    pub day: Date,
    /// Who is to be told.
    pub domain: String,
    /// What happened, in JSON.
    pub tuple: String,
}
