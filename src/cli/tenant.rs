//! `koltrix-mail tenant`: the organisations.

use clap::Subcommand;
use koltrix_mail::mail::directory::Directory;
use koltrix_mail::store::tenants::Organisation;

use super::context::Context;
use super::database::with_database;
use super::explain::explain;
use super::output::{Format, Table, moment};

/// Make and manage organisations.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an organisation, with its own schema in the database.
    #[command(after_help = "Example:\n  koltrix-mail tenant add acme --name 'Acme Ltd'")]
    Add {
        /// Its short name for good: a-z, 0-9 and _.
        slug: String,
        /// Its name for people; the slug when not given.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// List all organisations.
    #[command(after_help = "Example:\n  koltrix-mail tenant list --json")]
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Stop an organisation's mail and logins; nothing is lost.
    #[command(after_help = "Example:\n  koltrix-mail tenant suspend acme")]
    Suspend {
        /// Which organisation.
        slug: String,
        #[command(flatten)]
        format: Format,
    },
    /// Let a suspended organisation go on.
    #[command(after_help = "Example:\n  koltrix-mail tenant resume acme")]
    Resume {
        /// Which organisation.
        slug: String,
        #[command(flatten)]
        format: Format,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        with_database(context, async |db| self.verb.run(&Directory::new(db)).await).await
    }
}

impl Verb {
    async fn run(self, directory: &Directory) -> anyhow::Result<()> {
        match self {
            Self::Add { slug, name, format } => {
                let added = directory.add_organisation(&slug, name.as_deref().unwrap_or(&slug));
                let added = added.await.map_err(|error| explain(&slug, error))?;
                format.show(&added, |o| {
                    format!(
                        "Made the organisation {0}. Next: koltrix-mail domain add {0} DOMAIN",
                        o.slug
                    )
                })
            }
            Self::List { format } => {
                let all = directory.organisations().await.map_err(|e| explain("", e))?;
                format.show(&all, |all| table(all))
            }
            Self::Suspend { slug, format } => {
                let done = directory.suspend(&slug).await.map_err(|e| explain(&slug, e))?;
                format.show(&done, |o| format!("{} is {}.", o.slug, o.status))
            }
            Self::Resume { slug, format } => {
                let done = directory.resume(&slug).await.map_err(|e| explain(&slug, e))?;
                format.show(&done, |o| format!("{} is {}.", o.slug, o.status))
            }
        }
    }
}

fn table(all: &[Organisation]) -> String {
    let mut table =
        Table::new(["SLUG", "NAME", "STATUS", "ONBOARDING", "DOMAINS", "MAILBOXES", "MADE"]);
    for o in all {
        table.row([
            o.slug.clone(),
            o.name.clone(),
            o.status.clone(),
            o.onboarding_state.clone(),
            o.domains.to_string(),
            o.mailboxes.to_string(),
            moment(o.created_at),
        ]);
    }
    table.to_string()
}
