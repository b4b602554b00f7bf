//! LSUB (RFC 3501 §6.3.9).

use std::collections::BTreeMap;

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Folder, Mailboxes};
use crate::wire::imap::command::Lsub;
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::pattern::ListPattern;
use crate::wire::imap::response::{ListAttribute, Writer};

/// Tells the subscribed names that fit.
pub(in crate::imap) async fn lsub(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    lsub: &Lsub,
) -> Answer {
    match mailboxes.list(who).await {
        Ok(folders) => {
            for (name, subscribed) in chosen(&folders, &lsub.pattern) {
                let attributes: &[_] = if subscribed { &[] } else { &[ListAttribute::NoSelect] };
                out.lsub(&name, attributes);
            }
            Answer::ok("That is all")
        }
        Err(error) => error.into(),
    }
}

/// The names that fit, and whether each is subscribed to itself: for a subscribed name that does
/// not fit, a level above it that does is told in its place, so that clients that walk down with
/// `%` find it.
fn chosen(folders: &[Folder], pattern: &ListPattern) -> BTreeMap<MailboxName, bool> {
    let mut chosen = BTreeMap::new();
    let subscribed = folders.iter().filter(|folder| folder.subscribed);
    for name in subscribed.filter_map(|folder| MailboxName::new(&folder.name)) {
        if pattern.matches(&name) {
            chosen.insert(name, true);
        } else if let Some(above) = name.ancestors().find(|above| pattern.matches(above)) {
            chosen.entry(above).or_insert(false);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::names::tests::folder;

    #[test]
    fn a_level_stands_for_what_is_subscribed_below_it() {
        let folders = [
            folder("foo", false, None),
            folder("foo/bar", true, None),
            folder("x/y", true, None),
            folder("x", true, None),
            folder("no", false, None),
        ];
        let fits = |pattern: &str| -> Vec<String> {
            let chosen = chosen(&folders, &ListPattern::new("", pattern));
            chosen.iter().map(|(name, subscribed)| format!("{name} {subscribed}")).collect()
        };
        assert_eq!(fits("%"), ["foo false", "x true"]);
        assert_eq!(fits("*"), ["foo/bar true", "x true", "x/y true"]);
        assert_eq!(fits("n*"), Vec::<String>::new());
    }
}
