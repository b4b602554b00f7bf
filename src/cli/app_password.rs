//! `koltrix-mail mailbox app-password`: a password for each client.

use clap::Subcommand;
use koltrix_mail::domain::address::Address;
use koltrix_mail::mail::directory::Directory;
use koltrix_mail::store::app_passwords::AppPassword;
use serde_json::json;
use uuid::Uuid;

use super::explain::explain;
use super::output::{Format, Table, moment};

/// Make and revoke passwords for one client each.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an app password; it is shown now and never again.
    #[command(
        after_help = "Example:\n  koltrix-mail mailbox app-password add jo@acme.example --name Phone"
    )]
    Add {
        /// Which mailbox.
        address: Address,
        /// Which client it is for.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// List a mailbox's app passwords, without the secrets.
    #[command(after_help = "Example:\n  koltrix-mail mailbox app-password list jo@acme.example")]
    List {
        /// Which mailbox.
        address: Address,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke an app password; it opens nothing from now on.
    #[command(after_help = "Example:\n  koltrix-mail mailbox app-password revoke jo@acme.example \
                      3f0c0f4e-8f6c-4a44-9c0b-0f5d2f6f3a10")]
    Revoke {
        /// Which mailbox.
        address: Address,
        /// Which one, as `list` shows it.
        id: Uuid,
        #[command(flatten)]
        format: Format,
    },
}

impl Args {
    pub(crate) async fn run(self, directory: &Directory) -> anyhow::Result<()> {
        match self.verb {
            Verb::Add { address, name, format } => {
                let new = directory.add_app_password(&address, &name).await;
                let new = new.map_err(|e| explain(address.as_str(), e))?;
                let value = json!({ "id": new.id, "name": name, "password": new.secret });
                format.show(&value, |_| {
                    format!("The app password of {address} for {name}, shown once: {}", new.secret)
                })
            }
            Verb::List { address, format } => {
                let all = directory.app_passwords(&address).await;
                let all = all.map_err(|e| explain(address.as_str(), e))?;
                format.show(&all, |all| table(all))
            }
            Verb::Revoke { address, id, format } => {
                let done = directory.revoke_app_password(&address, id).await;
                done.map_err(|e| match e {
                    koltrix_mail::mail::Error::NotFound("app password") => {
                        explain(&id.to_string(), e)
                    }
                    other => explain(address.as_str(), other),
                })?;
                format.show(&json!({ "revoked": id }), |_| format!("Revoked {id}."))
            }
        }
    }
}

fn table(all: &[AppPassword]) -> String {
    let mut table = Table::new(["ID", "NAME", "MADE", "LAST USED", "REVOKED"]);
    for one in all {
        table.row([
            one.id.to_string(),
            one.name.clone(),
            moment(one.created_at),
            moment(one.last_used_at),
            moment(one.revoked_at),
        ]);
    }
    table.to_string()
}
