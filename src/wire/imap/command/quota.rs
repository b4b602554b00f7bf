//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 §4.1). GETQUOTAROOT names one mailbox and nothing
//! else, so [`mailbox::one`](super::mailbox::one) reads it.

use crate::wire::imap::cursor::{Cursor, Parsed};

/// The most resources in one SETQUOTA.
const MAX_RESOURCES: usize = 20;

/// `SETQUOTA`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetQuota {
    /// The name of the quota root.
    pub root: String,
    /// Resources, in upper case, and their new limits; what is not named has none any more.
    pub limits: Vec<(String, u64)>,
}

/// ```abnf
/// getquota        = "GETQUOTA" SP quota-root-name
/// quota-root-name = astring
/// ```
pub(super) fn get_quota(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.sp()?;
    cursor.astring_utf8("a quota root")
}

/// ```abnf
/// setquota          = "SETQUOTA" SP quota-root-name SP setquota-list
/// setquota-list     = "(" [setquota-resource *(SP setquota-resource)] ")"
/// setquota-resource = resource-name SP resource-limit
/// resource-name     = "STORAGE" / "MESSAGE" / "MAILBOX" / "ANNOTATION-STORAGE" /
///                     resource-name-ext
/// resource-limit    = number64
/// ```
pub(super) fn set_quota(cursor: &mut Cursor<'_>) -> Parsed<SetQuota> {
    let root = get_quota(cursor)?;
    cursor.sp()?;
    let limits = cursor.list(MAX_RESOURCES, "resources", true, |cursor| {
        let name = cursor.atom("a resource")?.to_ascii_uppercase();
        cursor.sp()?;
        Ok((name, cursor.number64()?))
    })?;
    Ok(SetQuota { root, limits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};
    use crate::wire::imap::error::What;
    use crate::wire::imap::mailbox::MailboxName;

    fn parse(line: &str) -> Result<Command, What> {
        parse_command(line.as_bytes()).map(|tagged| tagged.command).map_err(|error| error.what)
    }

    #[test]
    fn the_examples_of_rfc_9208_section_4_1() {
        assert_eq!(
            parse("G0001 GETQUOTA \"!partition/sda4\"\r\n").unwrap(),
            Command::GetQuota("!partition/sda4".to_owned())
        );
        assert_eq!(
            parse("G0002 GETQUOTAROOT INBOX\r\n").unwrap(),
            Command::GetQuotaRoot(MailboxName::inbox())
        );
        let limits = vec![("STORAGE".to_owned(), 512), ("MESSAGE".to_owned(), 9)];
        assert_eq!(
            parse("S0000 SETQUOTA \"\" (STORAGE 512 message 9)\r\n").unwrap(),
            Command::SetQuota(SetQuota { root: String::new(), limits })
        );
    }

    #[test]
    fn what_is_none_of_them() {
        for bad in [
            "a GETQUOTA\r\n",
            "a GETQUOTA (\r\n",
            "a GETQUOTAROOT\r\n",
            "a GETQUOTAROOT a b\r\n",
            "a SETQUOTA \"\"\r\n",
            "a SETQUOTA \"\" (STORAGE)\r\n",
            "a SETQUOTA \"\" (STORAGE x)\r\n",
            "a SETQUOTA \"\" (STORAGE 9223372036854775808)\r\n",
        ] {
            assert!(matches!(parse(bad), Err(What::Expected(_))), "{bad}");
        }
        assert_eq!(parse("a GETQUOTAROOT a/../b\r\n"), Err(What::MailboxName));
        let many = format!("a SETQUOTA x ({}X 1)\r\n", "X 1 ".repeat(MAX_RESOURCES));
        assert_eq!(parse(&many), Err(What::Limit("resources")));
    }
}
