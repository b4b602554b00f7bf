//! `koltrix-mail filter`: the filters of a mailbox, and what they do.

mod apply;
mod list;
mod test;

use clap::Subcommand;
use koltrix_mail::mail::changes::Changes;
use koltrix_mail::mail::filters::Filters;

use super::context::Context;
use super::database::with_database;

/// See the filters of a mailbox, try them on a message, apply them to old mail.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(list::List),
    Test(test::Test),
    Apply(apply::Apply),
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        with_database(context, async |db| {
            let filters = Filters::new(db, Changes::default());
            match self.verb {
                Verb::List(args) => args.run(&filters).await,
                Verb::Test(args) => args.run(&filters).await,
                Verb::Apply(args) => args.run(&filters).await,
            }
        })
        .await
    }
}

/// What is stored came from outside, and a terminal obeys control characters.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "?")
}
