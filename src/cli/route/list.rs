//! `koltrix-mail route list`

use koltrix_mail::store::db::Db;
use koltrix_mail::store::delivery_routes::NamedRoute;
use serde::Serialize;

use super::organisation;
use crate::cli::output::{Format, Table};

/// List routes; passwords are never shown.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail route list --tenant acme")]
pub(super) struct Args {
    /// Only this organisation's.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// A route, as `--json` has it.
#[derive(Serialize)]
struct View {
    id: String,
    tenant: String,
    domain: Option<String>,
    smarthost: Option<String>,
    port: Option<u16>,
    tls: Option<&'static str>,
    username: Option<String>,
    auth_in_clear: bool,
    source_address: Option<String>,
}

impl From<&NamedRoute> for View {
    fn from(named: &NamedRoute) -> Self {
        let smarthost = named.route.smarthost.as_ref();
        let user = smarthost.and_then(|smarthost| smarthost.login.as_ref());
        Self {
            id: named.route.id.to_string(),
            tenant: named.tenant.clone(),
            domain: named.domain.clone(),
            smarthost: smarthost.map(|smarthost| smarthost.host.clone()),
            port: smarthost.map(|smarthost| smarthost.port),
            tls: smarthost.map(|smarthost| smarthost.tls.as_str()),
            username: user.map(|(user, _)| user.clone()),
            auth_in_clear: smarthost.is_some_and(|smarthost| smarthost.auth_in_clear),
            source_address: named.route.source.map(|source| source.to_string()),
        }
    }
}

impl Args {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let tenant = match &self.tenant {
            Some(slug) => Some(organisation(db, slug).await?),
            None => None,
        };
        show(&db.list_routes(tenant).await?, self.format)
    }
}

pub(super) fn show(routes: &[NamedRoute], format: Format) -> anyhow::Result<()> {
    let views: Vec<View> = routes.iter().map(View::from).collect();
    format.show(&views, |views| text(views))
}

fn text(views: &[View]) -> String {
    if views.is_empty() {
        return "All mail takes the way that the settings name (queue.relay).".to_owned();
    }
    let mut table = Table::new(["TENANT", "DOMAIN", "SMARTHOST", "TLS", "USER", "FROM ADDRESS"]);
    for view in views {
        let smarthost = view.smarthost.as_ref().zip(view.port);
        table.row([
            view.tenant.clone(),
            view.domain.clone().unwrap_or_else(|| "*".to_owned()),
            smarthost.map_or_else(|| "-".to_owned(), |(host, port)| format!("{host}:{port}")),
            view.tls.unwrap_or("-").to_owned(),
            view.username.clone().unwrap_or_else(|| "-".to_owned()),
            view.source_address.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    table.to_string()
}
