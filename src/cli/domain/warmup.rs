//! `koltrix-mail domain warmup`: how much a young domain may send a day.

use anyhow::{bail, ensure};
use clap::Subcommand;
use koltrix_mail::domain::warmup::Warmup;
use koltrix_mail::mail::domains::Domains;
use koltrix_mail::mail::warmup::{self, providers};
use koltrix_mail::store::db::Db;
use serde::Serialize;

use super::One;
use crate::cli::output::Table;

/// Begin or change the warm-up of a domain: bulk beyond the day's budget waits
/// for the next day, people's own mail never waits.
#[derive(Subcommand)]
pub(super) enum Verb {
    /// Begin one, or resume one that is paused.
    #[command(after_help = "Examples:\n  koltrix-mail domain warmup start acme.example\n  \
                      koltrix-mail domain warmup start acme.example --provider google --schedule 20,40,80,160")]
    Start {
        #[command(flatten)]
        at: At,
        /// Messages a day, one number for each good day.
        #[arg(long, value_delimiter = ',', value_name = "NUMBERS")]
        schedule: Option<Vec<i32>>,
    },
    /// Show what may go today, what went, and why.
    #[command(after_help = "Example:\n  koltrix-mail domain warmup show acme.example --json")]
    Show {
        #[command(flatten)]
        one: One,
    },
    /// Keep the budget as it is until it is started again.
    #[command(after_help = "Example:\n  koltrix-mail domain warmup pause acme.example")]
    Pause {
        #[command(flatten)]
        at: At,
    },
    /// End it: no limit any more, and what it holds goes.
    #[command(after_help = "Example:\n  koltrix-mail domain warmup stop acme.example")]
    Stop {
        #[command(flatten)]
        at: At,
    },
}

/// A domain's warm-up towards one group of receivers.
#[derive(clap::Args)]
pub(super) struct At {
    #[command(flatten)]
    one: One,
    /// Receivers, by their MX: google, microsoft, yahoo, ...; `*` is all of them together.
    #[arg(long, default_value = "*", value_name = "GROUP")]
    provider: String,
}

/// A warm-up, as `--json` has it.
#[derive(Serialize)]
struct View {
    provider: String,
    status: &'static str,
    step: u32,
    schedule: Vec<u32>,
    day: String,
    budget: u32,
    sent: u32,
    deferred: u32,
    complained: u32,
    reason: String,
}

impl From<&Warmup> for View {
    fn from(warmup: &Warmup) -> Self {
        Self {
            provider: warmup.provider.clone(),
            status: warmup.status.as_str(),
            step: warmup.step,
            schedule: warmup.schedule.clone(),
            day: warmup.day.to_string(),
            budget: warmup.budget,
            sent: warmup.sent,
            deferred: warmup.deferred,
            complained: warmup.complained,
            reason: warmup.reason.clone(),
        }
    }
}

impl Verb {
    pub(super) async fn run(self, db: &Db, domains: &Domains) -> anyhow::Result<()> {
        let one = match self {
            Self::Start { at, schedule } => {
                let domain = at.one.find(db, domains).await?;
                ensure!(
                    providers::is_known(&at.provider),
                    "there is no group {}: say *, {}",
                    at.provider,
                    providers::names().collect::<Vec<_>>().join(", ")
                );
                let numbers = schedule.as_deref();
                ensure!(
                    numbers
                        .is_none_or(|s| (1..=100).contains(&s.len()) && s.iter().all(|n| *n > 0)),
                    "a schedule is 1 to 100 numbers above zero, such as 50,100,200"
                );
                db.start_warmup(domain.tenant_id, domain.id, &at.provider, numbers).await?;
                at.one
            }
            Self::Show { one } => one,
            Self::Pause { at } => {
                let domain = at.one.find(db, domains).await?;
                if !db.pause_warmup(domain.id, &at.provider).await? {
                    bail!(
                        "{} has no such warm-up: `domain warmup show` tells which",
                        domain.domain
                    );
                }
                at.one
            }
            Self::Stop { at } => {
                let domain = at.one.find(db, domains).await?;
                if !db.stop_warmup(domain.id, &at.provider).await? {
                    bail!(
                        "{} has no such warm-up: `domain warmup show` tells which",
                        domain.domain
                    );
                }
                at.one
            }
        };
        let domain = one.find(db, domains).await?;
        // What a larger budget lets go need not wait for the server to look.
        warmup::release(db, domain.tenant_id).await?;
        let warmups = db.warmups(domain.tenant_id, &domain.domain).await?;
        let views: Vec<View> = warmups.all.iter().map(View::from).collect();
        one.format.show(&views, |views| text(&domain.domain, views))
    }
}

fn text(domain: &str, views: &[View]) -> String {
    if views.is_empty() {
        return format!("{domain} has no warm-up: it may send as much as there is.");
    }
    let mut table = Table::new(["TO", "STATE", "TODAY", "SENT", "PUT OFF", "COMPLAINTS", "WHY"]);
    for view in views {
        table.row([
            view.provider.clone(),
            view.status.to_owned(),
            view.budget.to_string(),
            view.sent.to_string(),
            view.deferred.to_string(),
            view.complained.to_string(),
            view.reason.clone(),
        ]);
    }
    table.to_string()
}
