//! What every command starts from: the configuration.

use std::path::Path;

use anyhow::Context as _;
use koltrix_mail::config::Config;

/// The settings in force.
pub(crate) struct Context {
    /// Defaults, file and environment, in this order.
    pub(crate) config: Config,
}

impl Context {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let (text, origin) = match file {
            Some(file) => (
                std::fs::read_to_string(file).with_context(|| {
                    format!("the configuration {} cannot be read", file.display())
                })?,
                format!("the configuration {} is refused", file.display()),
            ),
            None => (String::new(), "the configuration is refused".to_owned()),
        };
        let config = Config::parse(&text, |name| std::env::var(name).ok()).context(origin)?;
        Ok(Self { config })
    }
}
