//! `koltrix-mail domain`: the domains of organisations and their DNS.

mod rotate;
mod warmup;

use anyhow::{anyhow, bail};
use clap::Subcommand;
use koltrix_mail::domain::ids::TenantId;
use koltrix_mail::mail::Error;
use koltrix_mail::mail::directory::Directory;
use koltrix_mail::mail::domains::{
    DnsRecords, Domains, Finding, Need, Purpose, Report, Site, State,
};
use koltrix_mail::net::dns::Resolver;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::domains::Domain;
use std::fmt::Write as _;

use super::context::Context;
use super::database::with_database;
use super::explain::explain;
use super::output::{Format, Table, moment};

/// Add domains, and see to their DNS records.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Add a domain to an organisation; it sends once its DNS proves it.
    #[command(after_help = "Example:\n  koltrix-mail domain add acme acme.example")]
    Add {
        /// The organisation's slug.
        tenant: String,
        /// The domain.
        domain: String,
        /// Host of the links in tracked mail, when it is to be another than the server's.
        #[arg(long, value_name = "HOST")]
        tracking_host: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Print the DNS records that a domain needs, as lines of a zone file.
    #[command(after_help = "Example:\n  koltrix-mail domain dns acme.example")]
    Dns {
        #[command(flatten)]
        one: One,
    },
    /// Look up a domain's records; exit code 1 while a required one is not right.
    #[command(after_help = "Example:\n  koltrix-mail domain check acme.example")]
    Check {
        #[command(flatten)]
        one: One,
    },
    /// Make new DKIM keys; they sign once their records are seen, and the old ones retire.
    #[command(after_help = "Example:\n  koltrix-mail domain rotate-key acme.example")]
    RotateKey {
        #[command(flatten)]
        one: One,
    },
    /// List domains.
    #[command(after_help = "Example:\n  koltrix-mail domain list --tenant acme")]
    List {
        /// Only this organisation's.
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Begin or change a warm-up: how much a young domain may send a day.
    Warmup {
        #[command(subcommand)]
        verb: warmup::Verb,
    },
}

/// A domain, by its name.
#[derive(clap::Args)]
struct One {
    /// Which domain.
    domain: String,
    /// Whose, when several organisations claim it.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let resolver = Resolver::new(&context.config.dns)?;
        let site = Site::new(&context.config);
        with_database(context, async |db| {
            self.verb.run(&db, &Domains::new(db.clone(), resolver, site)).await
        })
        .await
    }
}

impl Verb {
    async fn run(self, db: &Db, domains: &Domains) -> anyhow::Result<()> {
        match self {
            Self::Add { tenant: slug, domain, tracking_host, format } => {
                let id = organisation(db, &slug).await?;
                let added = domains.add(id, &domain, tracking_host.as_deref()).await;
                let added = added.map_err(|e| explain(&domain, e))?;
                format.show(&added, |added| {
                    let name = &added.domain;
                    format!(
                        "Added {name} to {slug}. Publish what `koltrix-mail domain dns {name}` \
                         prints, then run `koltrix-mail domain check {name}`."
                    )
                })
            }
            Self::Dns { one } => {
                let domain = one.find(db, domains).await?;
                let records = domains.dns_records(&domain).await;
                one.format.show(&records.map_err(|e| explain(&one.domain, e))?, zone)
            }
            Self::Check { one } => {
                let domain = one.find(db, domains).await?;
                let report = domains.check(&domain).await.map_err(|e| explain(&one.domain, e))?;
                one.format.show(&report, findings)?;
                match report.ok {
                    true => Ok(()),
                    false => bail!("{} is not ready: do what is said above", report.domain),
                }
            }
            Self::RotateKey { one } => rotate::run(&one, db, domains).await,
            Self::List { tenant, format } => {
                let id = match tenant {
                    Some(slug) => Some(organisation(db, &slug).await?),
                    None => None,
                };
                let all = domains.list(id).await.map_err(|e| explain("", e))?;
                format.show(&all, |all| table(all))
            }
            Self::Warmup { verb } => verb.run(db, domains).await,
        }
    }
}

impl One {
    async fn find(&self, db: &Db, domains: &Domains) -> anyhow::Result<Domain> {
        let tenant = match &self.tenant {
            Some(slug) => Some(organisation(db, slug).await?),
            None => None,
        };
        domains.find(tenant, &self.domain).await.map_err(|error| match error {
            Error::NotFound("domain") => {
                anyhow!("nobody has the domain {}: `koltrix-mail domain add` it", self.domain)
            }
            Error::NotFound(_) => anyhow!(
                "several organisations claim {} and none has proven it: say whose with --tenant SLUG",
                self.domain
            ),
            other => explain(&self.domain, other),
        })
    }
}

async fn organisation(db: &Db, slug: &str) -> anyhow::Result<TenantId> {
    let found = Directory::new(db.clone()).organisation(slug).await;
    Ok(found.map_err(|e| explain(slug, e))?.id)
}

/// Ready to be put into a zone file; comments say what each record is for.
fn zone(records: &DnsRecords) -> String {
    let mut text = String::new();
    for record in &records.records {
        let (what, need) = (words(record.purpose), need(record.need));
        let standing = rotate::standing(record.key);
        let _ = writeln!(text, "; {what}, {need}{standing}\n{}", record.zone_line);
    }
    if records.keys_pending {
        text.push_str("; the DKIM keys are not made yet: a running server does it in a second\n");
    }
    text
}

fn findings(report: &Report) -> String {
    let line = |finding: &Finding| {
        let state = match finding.state {
            State::Ok => "ok",
            State::Missing => "missing",
            State::Wrong => "WRONG",
            State::Unknown => "unknown",
        };
        let what = words(finding.record.purpose);
        let standing = rotate::standing(finding.record.key);
        let mut line = format!("{state:<8} {what:<24} {}{standing}\n", finding.record.name);
        let need = need(finding.record.need);
        for found in &finding.found {
            let _ = writeln!(line, "{:9}found: {}", "", found.replace(char::is_control, "?"));
        }
        if let Some(advice) = &finding.advice {
            let _ = writeln!(line, "{:9}-> {need}: {advice}", "");
        }
        line
    };
    let mut text: String = report.findings.iter().map(line).collect();
    if report.keys_pending {
        text.push_str("The DKIM keys are not made yet: a running server does it in a second.\n");
    }
    for selector in &report.taken_over {
        let _ = writeln!(text, "{selector} signs from now on; the key it follows retires.");
    }
    let proven =
        if report.verified { "proven: it may send" } else { "not proven: it may not send" };
    let _ = writeln!(text, "{} is {proven}.", report.domain);
    text
}

fn words(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Verification => "proof of ownership",
        Purpose::Mx => "where mail goes",
        Purpose::Spf => "who sends (SPF)",
        Purpose::Dkim => "key of signatures (DKIM)",
        Purpose::Dmarc => "policy (DMARC)",
        Purpose::MtaSts => "TLS policy (MTA-STS)",
        Purpose::MtaStsHost => "where that policy is",
        Purpose::TlsRpt => "reports about TLS",
        Purpose::Service => "for mail clients",
        Purpose::ClientSetup => "settings for mail clients",
        Purpose::TrackingHost => "host of tracking links",
    }
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Required => "required",
        Need::Recommended => "recommended",
    }
}

fn table(all: &[Domain]) -> String {
    let mut table = Table::new(["DOMAIN", "TENANT", "PROVEN", "CHECKED", "TRACKING HOST"]);
    for domain in all {
        table.row([
            domain.domain.clone(),
            domain.tenant.clone(),
            moment(domain.verified_at),
            moment(domain.checked_at),
            domain.tracking_host.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}
