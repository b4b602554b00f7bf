//! `koltrix-mail mailbox`: the mailboxes and their passwords.

use clap::Subcommand;
use koltrix_mail::domain::address::Address;
use koltrix_mail::domain::ids::TenantId;
use koltrix_mail::mail::directory::{Directory, NewMailbox};
use koltrix_mail::mail::{Error, password};
use koltrix_mail::store::addresses::Mailbox;
use serde_json::json;

use super::context::Context;
use super::database::with_database;
use super::explain::explain;
use super::output::{Format, Table, moment};
use super::{app_password, secret};

/// Make mailboxes and manage how they are opened.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Add(Add),
    Passwd(Passwd),
    AppPassword(app_password::Args),
    List(List),
}

/// Make a mailbox; it receives at once.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  koltrix-mail mailbox add jo@acme.example --name 'Jo Doe' --password"
)]
struct Add {
    /// Its address.
    address: Address,
    /// Its organisation's slug; needed when the domain does not tell it.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// The person's name.
    #[arg(long)]
    name: Option<String>,
    /// Ask for a password, or read it from standard input; without one, only app passwords open it.
    #[arg(long)]
    password: bool,
    #[command(flatten)]
    format: Format,
}

/// Set a mailbox's password, asked for or read from standard input.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  koltrix-mail mailbox passwd jo@acme.example\n  \
                  koltrix-mail mailbox passwd jo@acme.example --generate")]
struct Passwd {
    /// Which mailbox.
    address: Address,
    /// Make a password and print it.
    #[arg(long)]
    generate: bool,
    #[command(flatten)]
    format: Format,
}

/// List mailboxes.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail mailbox list --tenant acme")]
struct List {
    /// Only this organisation's.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        with_database(context, async |db| {
            let directory = Directory::new(db);
            match self.verb {
                Verb::Add(args) => args.run(&directory).await,
                Verb::Passwd(args) => args.run(&directory).await,
                Verb::AppPassword(args) => args.run(&directory).await,
                Verb::List(args) => args.run(&directory).await,
            }
        })
        .await
    }
}

impl Add {
    async fn run(self, directory: &Directory) -> anyhow::Result<()> {
        let tenant = tenant(directory, self.tenant.as_deref()).await?;
        let password = if self.password { Some(secret::read()?) } else { None };
        let new = NewMailbox {
            tenant,
            address: &self.address,
            display_name: self.name.as_deref(),
            password: password.as_deref(),
        };
        let added = directory.add_mailbox(new).await.map_err(|error| match error {
            Error::NotFound("organisation") => anyhow::anyhow!(
                "no one organisation has the domain {}: say whose it is with --tenant SLUG",
                self.address.domain()
            ),
            other => explain(self.address.as_str(), other),
        })?;
        self.format.show(&added, |mailbox| {
            format!("Made the mailbox {} of {}.", mailbox.address, mailbox.tenant)
        })
    }
}

impl Passwd {
    async fn run(self, directory: &Directory) -> anyhow::Result<()> {
        let address = self.address.as_str();
        // Before the question: nobody wants to type a password for nothing.
        directory.mailbox(&self.address).await.map_err(|e| explain(address, e))?;
        let password = if self.generate {
            password::generate().map_err(|e| explain(address, e))?
        } else {
            secret::read()?
        };
        let done = directory.set_password(&self.address, &password).await;
        done.map_err(|e| explain(address, e))?;
        let shown = self.generate.then_some(password);
        self.format.show(&json!({ "address": address, "password": shown }), |_| match &shown {
            Some(password) => format!("The password of {address} is now: {password}"),
            None => format!("The password of {address} is changed."),
        })
    }
}

impl List {
    async fn run(self, directory: &Directory) -> anyhow::Result<()> {
        let tenant = tenant(directory, self.tenant.as_deref()).await?;
        let all = directory.mailboxes(tenant).await.map_err(|e| explain("", e))?;
        self.format.show(&all, |all| table(all))
    }
}

async fn tenant(directory: &Directory, slug: Option<&str>) -> anyhow::Result<Option<TenantId>> {
    match slug {
        Some(slug) => {
            let found = directory.organisation(slug).await.map_err(|e| explain(slug, e))?;
            Ok(Some(found.id))
        }
        None => Ok(None),
    }
}

fn table(all: &[Mailbox]) -> String {
    let mut table =
        Table::new(["ADDRESS", "TENANT", "NAME", "STATUS", "PASSWORD", "APPS", "LAST LOGIN"]);
    for m in all {
        table.row([
            m.address.clone(),
            m.tenant.clone(),
            m.display_name.clone().unwrap_or_default(),
            m.status.clone(),
            if m.has_password { "yes" } else { "no" }.to_owned(),
            m.app_passwords.to_string(),
            moment(m.last_login_at),
        ]);
    }
    table.to_string()
}
