//! The demo organisation: something to send to and read from on the first start.
//!
//! Its password is made for this installation and kept beside the data, so that
//! every start can show it: a password in the manual would open the submission
//! port of whoever tries the server on a public address.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use koltrix_mail::domain::address::Address;
use koltrix_mail::domain::slug::Slug;
use koltrix_mail::mail::password;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::demo::Demo;

const SLUG: &str = "demo";
const DOMAIN: &str = "demo.test";
const PEOPLE: [(&str, &str); 2] = [("alice", "Alice Demo"), ("bob", "Bob Demo")];

/// The two accounts, as they can be used now.
pub(super) struct Accounts {
    /// Their addresses, two of them.
    pub(super) addresses: Vec<String>,
    /// What opens both.
    pub(super) password: String,
}

/// Makes the demo organisation when there is no organisation at all; `None` when its accounts are
/// not there, or not as they were made.
pub(super) async fn accounts(db: &Db, data_dir: &Path) -> anyhow::Result<Option<Accounts>> {
    let file = data_dir.join("demo-password");
    let mailboxes = PEOPLE
        .iter()
        .map(|(local, name)| Ok((Address::parse(&format!("{local}@{DOMAIN}"))?, *name)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if db.organisations().await?.is_empty() {
        make(db, &file, &mailboxes).await?;
    }
    let Ok(password) = fs::read_to_string(&file) else { return Ok(None) };
    for (address, _) in &mailboxes {
        if !opens(db, address, &password).await? {
            return Ok(None);
        }
    }
    let addresses = mailboxes.iter().map(|(address, _)| address.to_string()).collect();
    Ok(Some(Accounts { addresses, password }))
}

async fn make(db: &Db, file: &Path, mailboxes: &[(Address, &str)]) -> anyhow::Result<()> {
    let password = password::generate()?;
    // Before the accounts: should this be the last thing that happens, the next start begins anew.
    keep(file, &password).with_context(|| format!("{} cannot be written", file.display()))?;
    let hash = tokio::task::spawn_blocking(move || password::hash(&password)).await??;
    let slug = Slug::new(SLUG)?;
    let demo = Demo { slug: &slug, name: "Demo", domain: DOMAIN, mailboxes, password_hash: &hash };
    db.add_demo(demo).await?;
    Ok(())
}

fn keep(file: &Path, password: &str) -> std::io::Result<()> {
    let options = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(file);
    options?.write_all(password.as_bytes())
}

async fn opens(db: &Db, address: &Address, password: &str) -> anyhow::Result<bool> {
    let known = db.credentials(address, &password::digest(password)).await?;
    let Some(hash) = known.filter(|known| known.active).and_then(|known| known.password_hash)
    else {
        return Ok(false);
    };
    let password = password.to_owned();
    Ok(tokio::task::spawn_blocking(move || password::verify(&password, &hash)).await?)
}
