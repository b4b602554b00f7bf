//! What every command starts from: the configuration.

use std::path::Path;

use anyhow::Context as _;
use koltrix_mail::config::Config;

/// The settings in force.
pub(crate) struct Context {
    /// Defaults, file and environment, in this order.
    pub(crate) config: Config,
    /// Where they come from, for people.
    pub(crate) origin: String,
}

impl Context {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let (text, origin) = match file {
            Some(file) => (
                std::fs::read_to_string(file).with_context(|| {
                    format!("the configuration {} cannot be read", file.display())
                })?,
                file.display().to_string(),
            ),
            None => (String::new(), "the defaults".to_owned()),
        };
        let config = Config::parse(&text, |name| std::env::var(name).ok())
            .with_context(|| format!("the configuration ({origin}) is refused"))?;
        Ok(Self { config, origin })
    }
}
