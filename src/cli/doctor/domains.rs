//! The domains that send: their records, and the keys they are signed with.

use koltrix_mail::config::Config;
use koltrix_mail::mail::domains::{Domains, Need, Purpose, Report, Site, State};
use koltrix_mail::mail::keys::Keys;
use koltrix_mail::net::dns::Resolver;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::master_key::MasterKey;

use super::{Finding, ok, problem};

/// Domains that are looked at; each costs some fifteen questions.
const MOST: usize = 200;

pub(super) async fn look(config: &Config, db: &Db) -> anyhow::Result<Vec<Finding>> {
    let mut findings = vec![master_key(config, db).await?];
    let domains = Domains::new(db.clone(), Resolver::new(&config.dns)?, Site::new(config));
    let all = domains.list(None).await?;
    let proven: Vec<_> = all.iter().filter(|domain| domain.verified_at.is_some()).collect();
    for domain in proven.iter().take(MOST) {
        findings.extend(judge(&domains.look(domain).await?));
    }
    if proven.len() > MOST {
        let found = format!("{MOST} of {} were looked at", proven.len());
        findings.push(ok("domain", format!("{found}; `domain check` looks at one")));
    }
    Ok(findings)
}

/// Whether what is sealed in the database opens here.
async fn master_key(config: &Config, db: &Db) -> anyhow::Result<Finding> {
    const CHECK: &str = "master key";
    let environment = std::env::var("KOLTRIX_MASTER_KEY").ok();
    let same = "give every node of this database the same master.key, or KOLTRIX_MASTER_KEY: mail \
                that is to be signed waits until then";
    let master = match MasterKey::find(&config.server.data_dir, environment.as_deref()) {
        Ok(Some(master)) => master,
        Ok(None) if db.sealed_samples().await?.is_empty() => {
            return Ok(ok(CHECK, "the first start makes one"));
        }
        Ok(None) => {
            return Ok(problem(CHECK, "there is none here, and the database needs it", same));
        }
        Err(error) => return Ok(problem(CHECK, error.to_string(), same)),
    };
    Ok(match Keys::new(db.clone(), &master)?.open().await? {
        true => ok(CHECK, "it opens the keys of the database"),
        false => problem(CHECK, "the keys of the database were sealed with another one", same),
    })
}

/// A line for each record that receivers judge mail by and that is not right.
fn judge(report: &Report) -> Vec<Finding> {
    let name = &report.domain;
    let mut findings = Vec::new();
    for finding in report.findings.iter().filter(|f| f.record.need == Need::Required) {
        let what = match finding.record.purpose {
            Purpose::Mx => "MX",
            Purpose::Spf => "SPF",
            Purpose::Dkim => "DKIM",
            Purpose::Dmarc => "DMARC",
            _ => continue,
        };
        let state = match finding.state {
            State::Ok => continue,
            State::Missing => "missing",
            State::Wrong => "wrong",
            State::Unknown => "not known",
        };
        let found = format!("{name}: {what} at {} is {state}", finding.record.name);
        findings.push(problem("domain", found, finding.advice.clone().unwrap_or_default()));
    }
    if report.keys_pending {
        let found = format!("{name}: its DKIM keys are not made");
        findings.push(problem("domain", found, "a running server with the worker role makes them"));
    }
    if findings.is_empty() {
        findings.push(ok("domain", format!("{name}: MX, SPF, DKIM and DMARC are right")));
    }
    findings
}
