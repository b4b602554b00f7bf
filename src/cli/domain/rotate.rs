//! `koltrix-mail domain rotate-key`: new DKIM keys in place of old ones.

use std::fmt::Write as _;

use koltrix_mail::mail::domains::{Domains, Rotation};
use koltrix_mail::store::db::Db;
use koltrix_mail::store::domain_keys::Standing;

use super::One;
use crate::cli::explain::explain;
use crate::cli::output::moment;

pub(super) async fn run(one: &One, db: &Db, domains: &Domains) -> anyhow::Result<()> {
    let domain = one.find(db, domains).await?;
    let rotation = domains.rotate_keys(&domain).await.map_err(|e| explain(&one.domain, e))?;
    one.format.show(&rotation, told)
}

fn told(rotation: &Rotation) -> String {
    let name = &rotation.domain;
    if !rotation.made {
        return format!(
            "New keys of {name} are asked for, and a running server makes them: then publish the \
             pending ones of `koltrix-mail domain dns {name}`."
        );
    }
    let mut text = format!(
        "; New keys of {name}. Publish these records beside the old ones. They sign once they are\n\
         ; seen, by the server within minutes or by `koltrix-mail domain check {name}`; until then the\n\
         ; old keys do. `koltrix-mail domain dns {name}` tells how long the old records have to stay.\n"
    );
    for record in &rotation.records {
        let _ = writeln!(text, "{}", record.zone_line);
    }
    text
}

/// What is to be said of a key that does not simply sign.
pub(super) fn standing(key: Option<Standing>) -> String {
    match key {
        None | Some(Standing::Active) => String::new(),
        Some(Standing::Pending) => ", pending: signs once it is seen".to_owned(),
        Some(Standing::Retiring { keep_until }) => {
            format!(", old: keep until {}", moment(Some(keep_until)))
        }
    }
}
