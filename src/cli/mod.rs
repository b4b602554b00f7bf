//! The command line: one file per command, and what they share.

mod app_password;
mod context;
mod database;
mod doctor;
mod domain;
mod explain;
mod filter;
mod mailbox;
mod migrate;
mod output;
mod queue;
mod reports;
mod route;
mod secret;
mod serve;
mod tenant;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use context::Context;

/// A mail server for many organisations: SMTP, IMAP and a tracking edge on one Postgres.
#[derive(Parser)]
#[command(
    name = "koltrix-mail",
    version,
    after_help = "Every option of the configuration, with its default: config.toml in the source, \
                  and README.md."
)]
struct Cli {
    /// Settings that differ from the defaults.
    #[arg(long, global = true, value_name = "FILE", env = "KOLTRIX_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    Migrate(migrate::Args),
    Tenant(tenant::Args),
    Domain(domain::Args),
    Mailbox(mailbox::Args),
    Filter(filter::Args),
    Queue(queue::Args),
    Route(route::Args),
    Reports(reports::Args),
    Doctor(doctor::Args),
}

/// Runs the command that was typed. Errors are one sentence on standard error
/// and exit code 1; a command line that cannot be read is exit code 2.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(cli)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("koltrix-mail: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let context = Context::load(cli.config.as_deref());
    match cli.command {
        Command::Doctor(args) => args.run(context).await,
        Command::Serve(args) => args.run(&context?).await,
        Command::Migrate(args) => args.run(&context?).await,
        Command::Tenant(args) => args.run(&context?).await,
        Command::Domain(args) => args.run(&context?).await,
        Command::Mailbox(args) => args.run(&context?).await,
        Command::Filter(args) => args.run(&context?).await,
        Command::Queue(args) => args.run(&context?).await,
        Command::Route(args) => args.run(&context?).await,
        Command::Reports(args) => args.run(&context?).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help_with_an_example() {
        fn look(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name());
                assert!(sub.get_about().is_some(), "{path} says nothing about itself");
                if sub.has_subcommands() {
                    look(sub, &path);
                } else {
                    let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                    assert!(help.contains(&path), "{path} shows no example of itself: {help}");
                    for example in help.lines().filter(|line| line.starts_with("  koltrix-mail")) {
                        let read = Cli::try_parse_from(words(example));
                        assert!(read.is_ok(), "{example}: {}", read.err().unwrap());
                    }
                }
            }
        }
        look(&Cli::command(), "koltrix-mail");
    }

    /// As a shell would, with single quotes only.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (n, piece) in line.split('\'').enumerate() {
            match n % 2 {
                0 => words.extend(piece.split_whitespace().map(str::to_owned)),
                _ => words.push(piece.to_owned()),
            }
        }
        words
    }
}
