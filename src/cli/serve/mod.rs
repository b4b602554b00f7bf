//! `koltrix-mail serve`

mod demo;
mod logging;
mod screen;

use std::sync::Arc;

use koltrix_mail::app::{self, Roles, Running};
use koltrix_mail::config::Config;
use koltrix_mail::net::hostname::hostname;
use koltrix_mail::store::embedded::Durability;

use super::context::Context;
use super::output::print;
use screen::Screen;

/// Run the server: all of it, or some of its roles.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  koltrix-mail serve\n  \
                  koltrix-mail serve --config /etc/koltrix-mail.toml --roles smtp,worker")]
pub(crate) struct Args {
    /// What this node does: smtp, imap, edge, worker.
    #[arg(long, default_value = "smtp,imap,edge,worker")]
    roles: Roles,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let config = &context.config;
        logging::start(&config.server)?;
        let running = app::start(Arc::new(config.clone()), self.roles, Durability::Full).await?;
        let told = welcome(config, &running).await;
        if told.is_ok() {
            running.shutdown.requested().await;
        }
        running.stop().await;
        told
    }
}

/// From here on Ctrl-C is asked for politely; what runs where is on the screen.
async fn welcome(config: &Config, running: &Running) -> anyhow::Result<()> {
    running.shutdown.on_signals()?;
    // Only where nothing is configured: whoever has a database has organisations.
    let demo = if config.database.url.is_empty() {
        demo::accounts(running.db(), &config.server.data_dir).await?
    } else {
        None
    };
    let hostname = hostname(&config.server.hostname);
    let screen = Screen { config, hostname: &hostname, addresses: running.addresses, demo };
    Ok(print(&screen.to_string())?)
}
