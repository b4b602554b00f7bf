//! `koltrix-mail filter list`.

use koltrix_mail::domain::address::Address;
use koltrix_mail::mail::filters::{Filters, Listed};

use crate::cli::explain::explain;
use crate::cli::output::{Format, Table};

/// List the enabled filters of a mailbox in the order in which they are asked.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail filter list jo@acme.example")]
pub(super) struct List {
    /// Which mailbox.
    address: Address,
    #[command(flatten)]
    format: Format,
}

impl List {
    pub(super) async fn run(self, filters: &Filters) -> anyhow::Result<()> {
        let all = filters.list(&self.address).await;
        let all = all.map_err(|e| explain(self.address.as_str(), e))?;
        self.format.show(&all, |all| table(all))
    }
}

fn table(all: &[Listed]) -> String {
    let mut table = Table::new(["NAME", "ACTIONS"]);
    for filter in all {
        let actions = match &filter.error {
            Some(error) => format!("not applied: {error}"),
            None => filter.actions.join("; "),
        };
        table.row([filter.name.clone(), actions]);
    }
    table.to_string()
}
