//! Names of other people's mailboxes (RFC 2342): `shared/<address of the owner>/<name there>`.

use super::mailbox::{DELIMITER, MailboxName};

/// What these names begin with.
pub const PREFIX: &str = "shared/";

/// The name of a mailbox of somebody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedName {
    owner: String,
    folder: MailboxName,
}

impl SharedName {
    /// Reads a mailbox name; `None` for one that is not of this form, and so one's own.
    pub fn of(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?;
        // There may be a delimiter before the `@`, and there is none behind it.
        let (local, behind) = rest.split_once('@')?;
        let (domain, folder) = behind.split_once(DELIMITER)?;
        let owner = format!("{local}@{domain}").to_lowercase();
        Some(Self { owner, folder: MailboxName::new(folder)? })
    }

    /// The owner's address, in lower case.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The name that the owner calls it by.
    pub fn folder(&self) -> &str {
        self.folder.as_str()
    }

    /// The whole name of the mailbox above it, if there can be one.
    pub fn above(&self) -> Option<String> {
        let above = self.folder.ancestors().next()?;
        Some(format!("{PREFIX}{}{DELIMITER}{above}", self.owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_it_is_and_what_it_is_called_there() {
        let name = SharedName::of("shared/Bob@Here.test/inbox/a").unwrap();
        assert_eq!((name.owner(), name.folder()), ("bob@here.test", "INBOX/a"));
        assert_eq!(name.above().as_deref(), Some("shared/bob@here.test/INBOX"));
        let name = SharedName::of("shared/a/b@here.test/Work").unwrap();
        assert_eq!((name.owner(), name.folder(), name.above()), ("a/b@here.test", "Work", None));
        for own in [
            "INBOX",
            "shared",
            "shared/bob@here.test",
            "shared/bob@here.test/",
            "shared/team/a",
            "Shared/bob@here.test/INBOX",
            "shared/bob@here.test/../INBOX",
        ] {
            assert_eq!(SharedName::of(own), None, "{own}");
        }
    }
}
