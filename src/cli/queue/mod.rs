//! `koltrix-mail queue`: what waits to leave.

mod change;
mod list;
mod selection;
mod show;
mod story;

use clap::Subcommand;

use super::context::Context;
use super::database::with_database;

/// Look at outgoing mail, and decide what becomes of it.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(list::Args),
    Show(show::Args),
    Retry(change::Retry),
    Hold(change::Hold),
    Release(change::Release),
    Cancel(change::Cancel),
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        with_database(context, async |db| match self.verb {
            Verb::List(args) => args.run(&db).await,
            Verb::Show(args) => args.run(&db).await,
            Verb::Retry(args) => args.run(&db).await,
            Verb::Hold(args) => args.run(&db).await,
            Verb::Release(args) => args.run(&db).await,
            Verb::Cancel(args) => args.run(&db).await,
        })
        .await
    }
}
