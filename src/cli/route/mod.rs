//! `koltrix-mail route`: how mail leaves.

mod list;
mod remove;
mod set;

use anyhow::Context as _;
use clap::Subcommand;
use koltrix_mail::domain::ids::{DomainId, TenantId};
use koltrix_mail::mail::directory::Directory;
use koltrix_mail::store::db::Db;

use super::context::Context;
use super::database::with_database;
use super::explain::explain;

/// Send an organisation's mail through a smarthost, or from a chosen address of this machine.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Set(set::Args),
    List(list::Args),
    Remove(remove::Args),
}

/// Whose mail.
#[derive(clap::Args)]
struct Whose {
    /// The organisation's slug.
    tenant: String,
    /// Only mail whose From is in this domain; it comes before the organisation's own route.
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        with_database(context, async |db| match self.verb {
            Verb::Set(args) => args.run(&db, context).await,
            Verb::List(args) => args.run(&db).await,
            Verb::Remove(args) => args.run(&db).await,
        })
        .await
    }
}

impl Whose {
    async fn find(&self, db: &Db) -> anyhow::Result<(TenantId, Option<DomainId>)> {
        let tenant = organisation(db, &self.tenant).await?;
        let Some(name) = &self.domain else { return Ok((tenant, None)) };
        let found = db.domains(Some(tenant), Some(&name.to_lowercase())).await?;
        let domain = found.first().with_context(|| {
            format!("{} has no domain {name}: `koltrix-mail domain add` it", self.tenant)
        })?;
        Ok((tenant, Some(domain.id)))
    }

    /// For people.
    fn text(&self) -> String {
        match &self.domain {
            Some(domain) => format!("{domain} of {}", self.tenant),
            None => self.tenant.clone(),
        }
    }
}

async fn organisation(db: &Db, slug: &str) -> anyhow::Result<TenantId> {
    let found = Directory::new(db.clone()).organisation(slug).await;
    Ok(found.map_err(|e| explain(slug, e))?.id)
}
