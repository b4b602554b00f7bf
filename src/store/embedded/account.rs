//! Who PostgreSQL runs as: ourselves, or under root somebody else.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::EmbeddedError;
use super::cluster::Cluster;

/// PostgreSQL wants its user to have a name here.
const PASSWD: &str = "/etc/passwd";

/// An account other than our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// Makes a command run as this account, without root's other groups.
    pub(super) fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

/// The account for a cluster; `None` is our own. A cluster that exists keeps its owner.
pub(super) fn for_cluster(cluster: &Cluster) -> Result<Option<Account>, EmbeddedError> {
    let me = rustix::process::geteuid();
    let owner = fs::metadata(cluster.dir()).ok().map(|metadata| metadata.uid());
    if !me.is_root() {
        return match owner {
            Some(owner) if owner != me.as_raw() => {
                Err(EmbeddedError::NotOurs(cluster.dir().to_owned()))
            }
            _ => Ok(None),
        };
    }
    let passwd = fs::read_to_string(PASSWD).map_err(EmbeddedError::io(PASSWD))?;
    let found = match owner {
        Some(owner) => find(&passwd, |_, account| account.uid == owner),
        None => find(&passwd, |name, _| name == "postgres")
            .or_else(|| find(&passwd, |name, _| name == "nobody")),
    };
    found.map(Some).ok_or(EmbeddedError::NoAccount)
}

/// The first account that fits; never root's.
fn find(passwd: &str, fits: impl Fn(&str, Account) -> bool) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        let account = Account { uid, gid };
        (uid != 0 && fits(name, account)).then_some(account)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_and_root_is_never_one() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n# odd\n\npostgres:x:0:0::/:\nnobody:x:65534:65533::/:/bin/false\nshort:x:5\n";
        let named = |name: &str| find(passwd, |n, _| n == name);
        assert_eq!(named("nobody"), Some(Account { uid: 65534, gid: 65533 }));
        for none in ["root", "postgres", "short", "missing"] {
            assert_eq!(named(none), None, "{none}");
        }
    }
}
