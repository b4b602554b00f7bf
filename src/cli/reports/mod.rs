//! `koltrix-mail reports`: what domains will be told of their mail.

mod list;
mod send;

use clap::Subcommand;
use koltrix_mail::store::report_counts::CountedDay;
use serde::Serialize;
use time::OffsetDateTime;

use super::context::Context;
use super::database::with_database;
use super::output::{Table, moment};

/// Look at what domains will be told of their mail, and tell them now.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(list::Args),
    Send(send::Args),
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        with_database(context, async |db| match self.verb {
            Verb::List(args) => args.run(&db).await,
            Verb::Send(args) => args.run(&db, &context.config).await,
        })
        .await
    }
}

/// A day of a domain, as `--json` has it.
#[derive(Serialize)]
struct View {
    kind: &'static str,
    day: String,
    domain: String,
    total: i64,
    #[serde(with = "time::serde::rfc3339")]
    due_at: OffsetDateTime,
}

impl From<CountedDay> for View {
    fn from(counted: CountedDay) -> Self {
        Self {
            kind: counted.kind.as_str(),
            day: counted.day.to_string(),
            domain: counted.domain,
            total: counted.total,
            due_at: counted.due_at,
        }
    }
}

fn views(days: Vec<CountedDay>) -> Vec<View> {
    days.into_iter().map(View::from).collect()
}

fn table(views: &[View]) -> String {
    let mut table = Table::new(["KIND", "DAY", "DOMAIN", "COUNTED", "DUE"]);
    for view in views {
        table.row([
            view.kind.to_owned(),
            view.day.clone(),
            view.domain.clone(),
            view.total.to_string(),
            moment(view.due_at),
        ]);
    }
    table.to_string()
}
