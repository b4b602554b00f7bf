//! The data directory and the certificate.

use std::path::Path;

use koltrix_mail::config::Config;
use koltrix_mail::net::hostname::hostname;
use koltrix_mail::net::tls;
use time::{Duration, OffsetDateTime};

use super::{Finding, ok, problem};
use crate::cli::output::moment;

/// Less than this, and mail is soon refused for want of room.
const LITTLE_SPACE: u64 = 1 << 30;
/// Time enough to renew.
const SOON: Duration = Duration::days(14);

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let host = hostname(&config.server.hostname);
    vec![data_directory(&config.server.data_dir), certificate(&config.server.certs_dir, &host)]
}

fn data_directory(dir: &Path) -> Finding {
    const CHECK: &str = "data directory";
    let shown = dir.display();
    if !dir.exists() {
        return ok(CHECK, format!("{shown} will be made by the first start"));
    }
    let probe = dir.join(format!(".doctor.{}", std::process::id()));
    if let Err(error) = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)) {
        return problem(
            CHECK,
            format!("{shown} cannot be written: {error}"),
            "make it writable for the server's user, or choose another with server.data_dir",
        );
    }
    match rustix::fs::statvfs(dir) {
        Ok(disk) => space(dir, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => problem(CHECK, format!("{shown}: {error}"), "look at its file system"),
    }
}

fn space(dir: &Path, free: u64) -> Finding {
    let found = format!("{}, {} MiB free", dir.display(), free >> 20);
    if free < LITTLE_SPACE {
        return problem(
            "data directory",
            found,
            "make room: mail is refused when the disk is full",
        );
    }
    ok("data directory", found)
}

fn certificate(dir: &Path, host: &str) -> Finding {
    const CHECK: &str = "certificate";
    if !dir.join("fullchain.pem").exists() && !dir.join("privkey.pem").exists() {
        let found = format!("{} has none; the first start makes one", dir.display());
        return ok(CHECK, found);
    }
    match tls::inspect(dir, host) {
        Ok(facts) => judge(dir, host, facts, OffsetDateTime::now_utc()),
        Err(error) => problem(CHECK, error.to_string(), "put a pair that belongs together there"),
    }
}

fn judge(dir: &Path, host: &str, facts: tls::Facts, now: OffsetDateTime) -> Finding {
    const CHECK: &str = "certificate";
    let left = facts.not_after.map_or(0, |end| (end - now).whole_days().max(0));
    let found = format!("{}, until {} ({left} days)", dir.display(), moment(facts.not_after));
    let renew = "put a renewed fullchain.pem and privkey.pem there";
    match facts.not_after {
        Some(end) if end <= now => problem(CHECK, format!("{found}: expired"), renew),
        Some(end) if end - now < SOON => problem(CHECK, format!("{found}: ends soon"), renew),
        _ if !facts.names_host => problem(
            CHECK,
            format!("{found}, but not for the name {host}"),
            "set server.hostname to a name it holds, or get one for this name",
        ),
        _ => ok(CHECK, format!("{found}, for {host}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_judged_by_end_and_name() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let judged = |days: i64, names_host| {
            let not_after = Some(now + Duration::days(days));
            let finding =
                judge(Path::new("certs"), "mx.test", tls::Facts { not_after, names_host }, now);
            (finding.ok, finding.found)
        };
        assert!(judged(15, true).0);
        assert!(judged(13, true).1.ends_with("ends soon"));
        assert!(judged(0, true).1.ends_with("expired"));
        assert_eq!(
            judged(90, false),
            (
                false,
                "certs, until 1970-04-01 00:00Z (90 days), but not for the name mx.test".to_owned()
            )
        );
    }

    #[test]
    fn a_full_disk_and_a_foreign_file_are_problems() {
        assert!(!space(Path::new("data"), LITTLE_SPACE - 1).ok);
        assert!(space(Path::new("data"), LITTLE_SPACE).ok);
        let dir = tempfile::tempdir().unwrap();
        assert!(certificate(dir.path(), "mx.test").ok);
        std::fs::write(dir.path().join("fullchain.pem"), "no").unwrap();
        assert!(!certificate(dir.path(), "mx.test").ok);
    }
}
