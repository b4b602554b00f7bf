//! STORE and FETCH of X-GM-LABELS (X-GM-EXT-1): labels are keywords by their names, and a few flags.

use crate::domain::flags::{FlagOp, Flags, Keyword};
use crate::domain::label::Labels;
use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::cmd::{fetch, store};
use crate::imap::enabled::Enabled;
use crate::imap::selected::Selected;
use crate::imap::server::Services;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::wire::imap::command::{Fetch, FetchItem, Store, StoreLabels};
use crate::wire::imap::label::LabelName;
use crate::wire::imap::response::Code;

/// The keyword behind `\Important`.
const IMPORTANT: &str = "$Important";

/// Changes labels, and tells the new ones unless `.SILENT`.
pub(in crate::imap) async fn store_labels(
    services: &Services,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    enabled: Enabled,
    asked: &StoreLabels,
) -> Result<Answer, Gone> {
    if selected.read_only {
        return Ok(Answer::read_only());
    }
    if !selected.rights.contain(Rights::WRITE) {
        return Ok(Answer::no_rights());
    }
    if asked.labels.iter().any(|label| matches!(label, LabelName::Mailbox(_))) {
        return Ok(Answer::no(Code::Cannot, "MOVE and COPY change the mailbox"));
    }
    let mailboxes = &services.mailboxes;
    let flags = match flags(services, who, selected, &asked.labels).await {
        Ok(flags) => flags,
        Err(error) => return Ok(error.into()),
    };
    let mut change = Store {
        uid: asked.uid,
        set: asked.set.clone(),
        unchanged_since: asked.unchanged_since,
        op: asked.op,
        silent: true,
        flags,
    };
    if asked.op == FlagOp::Replace {
        if asked.unchanged_since.is_some() {
            return Ok(Answer::no(Code::Cannot, "Add and remove labels one by one"));
        }
        // What is no label stays, so those that are go first.
        let labels = match mailboxes.labels(who, selected.folder).await {
            Ok(labels) => labels,
            Err(error) => return Ok(error.into()),
        };
        let others =
            Store { op: FlagOp::Remove, flags: all_but(&labels, &change.flags), ..change.clone() };
        let answer = store::store(mailboxes, channel, who, selected, enabled, &others).await?;
        if !answer.is_ok() {
            return Ok(answer);
        }
        change.op = FlagOp::Add;
    }
    let answer = store::store(mailboxes, channel, who, selected, enabled, &change).await?;
    if asked.silent || !answer.is_ok() {
        return Ok(answer);
    }
    let told = Fetch {
        uid: asked.uid,
        set: asked.set.clone(),
        items: vec![FetchItem::GmLabels],
        changed: None,
        partial: None,
    };
    let told = fetch::fetch(services, channel, who, selected, enabled, &told).await?;
    Ok(if told.is_ok() { answer } else { told })
}

/// The labels of a message, as they are told.
pub(super) fn told(flags: &Flags, labels: &Labels) -> Vec<LabelName> {
    let system = [(flags.flagged, LabelName::Starred), (flags.draft, LabelName::Draft)];
    let mut told: Vec<LabelName> =
        system.into_iter().filter_map(|(on, label)| on.then_some(label)).collect();
    for keyword in &flags.keywords {
        if is_important(keyword) {
            told.push(LabelName::Important);
        } else if !keyword.is_agreed_on() {
            told.extend(LabelName::named(labels.name_of(keyword)));
        }
    }
    told
}

/// The flags that stand for labels; one that is missing is made.
async fn flags(
    services: &Services,
    who: &Identity,
    selected: &Selected,
    labels: &[LabelName],
) -> Result<Flags, Error> {
    let name = |label: &'_ LabelName| match label {
        LabelName::Named(name) => Some(name.clone()),
        _ => None,
    };
    let names: Vec<String> = labels.iter().filter_map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut keywords = services.mailboxes.labelled(who, selected.folder, &names).await?;
    if labels.contains(&LabelName::Important) {
        keywords.extend(Keyword::new(IMPORTANT));
    }
    let flags = Flags {
        flagged: labels.contains(&LabelName::Starred),
        draft: labels.contains(&LabelName::Draft),
        ..Flags::default()
    };
    Ok(flags.apply(FlagOp::Add, &Flags { keywords, ..Flags::default() }))
}

/// The flags that stand for any label but these.
fn all_but(labels: &Labels, wanted: &Flags) -> Flags {
    let keywords = labels.keywords().cloned().chain(Keyword::new(IMPORTANT)).collect();
    let all = Flags { flagged: true, draft: true, keywords, ..Flags::default() };
    all.apply(FlagOp::Remove, wanted)
}

fn is_important(keyword: &Keyword) -> bool {
    keyword.as_str().eq_ignore_ascii_case(IMPORTANT)
}
