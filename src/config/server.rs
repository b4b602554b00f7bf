//! `[server]`: names, folders and logs.

use std::path::PathBuf;

use serde::Deserialize;

/// Who this node is and where its files are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The name told to peers; empty means the system's.
    #[serde(deserialize_with = "super::values::optional_host_name")]
    pub hostname: String,
    /// The node's own files; relative to the working directory.
    pub data_dir: PathBuf,
    /// `fullchain.pem` and `privkey.pem`.
    pub certs_dir: PathBuf,
    /// How log lines look.
    pub log_format: LogFormat,
    /// A tracing filter.
    pub log_filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
