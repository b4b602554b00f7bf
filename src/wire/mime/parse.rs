//! From octets to [`Form`].

use super::address::{Item, RawMailbox};
use super::bodies::Bodies;
use super::bound::{Bound, MAX_HEADER};
use super::content::Encoding;
use super::decode::{MAX_TOKEN, decode_words, literal, message_ids, timestamp};
use super::entity::Entity;
use super::envelope::encode_envelope;
use super::form::{Attachment, Disposition, Form, Mailbox};
use super::headers::{block_len, find_all};
use super::origin::Origin;
use super::part::{Part, PartKind, Parts};
use super::scan::scan;
use super::structure::encode_structure;
use super::subject::{base_subject, is_reply};
use super::text::{MAX_TEXT, read_opaque, read_text, snippet};

/// Identifiers kept of References and In-Reply-To.
const MAX_REFERENCES: usize = 50;

/// Octets of a header block that is kept as one, readable or not.
const MAX_BLOCK: usize = 1024 * 1024;

/// Takes a message apart. Never fails: what goes past a [`Bound`] is opaque, one text body; what is
/// broken otherwise is read as far as it goes.
pub fn parse(raw: &[u8]) -> Form {
    // A header that never ends is not held in memory whole: what is behind the bound counts as body.
    let header_len = block_len(raw.get(..MAX_BLOCK).unwrap_or(raw));
    let header = raw.get(..header_len).unwrap_or_default();
    // A second From must not hide behind a header too long to read.
    let from_count = find_all(raw, "from").count();
    let mut form = Form { header_len, from_count, ..read_header(header) };
    let shape = scan(raw).and_then(|entities| read_shape(raw, &entities, &mut form));
    if let Err(bound) = shape {
        read_as_opaque(raw, bound, &mut form);
    }
    form.snippet = snippet(&form.text);
    form
}

/// All the text of a message of which [`parse`] has kept the begin; at most `limit` octets.
pub fn read_whole_text(raw: &[u8], limit: usize) -> String {
    let Ok(entities) = scan(raw) else {
        let header_len = block_len(raw.get(..MAX_BLOCK).unwrap_or(raw));
        return read_opaque(raw.get(header_len..).unwrap_or_default(), limit);
    };
    let parts = Parts::new(entities.iter().map(|entity| entity.part).collect());
    read_text(raw, &Bodies::of(&entities, &parts).readable(), limit)
}

/// Fills in everything that the top header says.
fn read_header(header: &[u8]) -> Form {
    let origin = Origin::read(header.get(..MAX_HEADER).unwrap_or(header));
    let mut envelope = Vec::new();
    encode_envelope(&mut envelope, &origin);
    let subject = origin.subject.map(decode_words).unwrap_or_default();
    Form {
        message_id: origin.message_id.and_then(|value| message_ids(value).into_iter().next()),
        in_reply_to: references(origin.in_reply_to),
        references: references(origin.references),
        base_subject: base_subject(&subject),
        is_reply: is_reply(&subject),
        subject,
        date: origin.date.and_then(timestamp),
        from: mailboxes(&origin.from),
        sender: mailboxes(&origin.sender),
        reply_to: mailboxes(&origin.reply_to),
        to: mailboxes(&origin.to),
        cc: mailboxes(&origin.cc),
        bcc: mailboxes(&origin.bcc),
        envelope,
        ..Form::default()
    }
}

fn read_shape(raw: &[u8], entities: &[Entity<'_>], form: &mut Form) -> Result<(), Bound> {
    form.body_structure = encode_structure(raw, entities, true)?;
    form.body = encode_structure(raw, entities, false)?;
    form.parts = Parts::new(entities.iter().map(|entity| entity.part).collect());
    let bodies = Bodies::of(entities, &form.parts);
    form.text = read_text(raw, &bodies.readable(), MAX_TEXT);
    form.html = bodies.has_html();
    form.attachments = bodies.attachments();
    Ok(())
}

fn read_as_opaque(raw: &[u8], bound: Bound, form: &mut Form) {
    let body = raw.get(form.header_len..).unwrap_or_default();
    let lines = memchr::memchr_iter(b'\n', body).count();
    let structure = format!(
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"8bit\" {} {lines}",
        body.len()
    );
    form.body = format!("{structure})").into_bytes();
    form.body_structure = format!("{structure} NIL NIL NIL NIL)").into_bytes();
    form.parts = Parts::new(vec![Part {
        kind: PartKind::Leaf,
        start: 0,
        header_len: form.header_len,
        body_len: body.len(),
        span: 1,
    }]);
    form.text = read_opaque(body, MAX_TEXT);
    form.attachments = long_body(body.len(), form.header_len).into_iter().collect();
    form.opaque = Some(bound);
}

/// A body of which not all text is kept is kept like an attachment.
fn long_body(len: usize, start: usize) -> Option<Attachment> {
    (len > MAX_TEXT).then(|| Attachment {
        section: "1".to_owned(),
        filename: None,
        content_type: "text/plain".to_owned(),
        disposition: Disposition::Inline,
        content_id: None,
        encoding: Encoding::Identity,
        range: start..start + len,
    })
}

fn references(value: Option<&[u8]>) -> Vec<String> {
    let mut ids = value.map(message_ids).unwrap_or_default();
    ids.drain(..ids.len().saturating_sub(MAX_REFERENCES));
    ids
}

fn mailboxes(items: &[Item]) -> Vec<Mailbox> {
    let mailbox = |item: &Item| match item {
        Item::Mailbox(mailbox) if mailbox.spec.len() <= MAX_TOKEN => Some(decode_mailbox(mailbox)),
        _ => None,
    };
    items.iter().filter_map(mailbox).filter(|mailbox| !mailbox.address.is_empty()).collect()
}

fn decode_mailbox(mailbox: &RawMailbox) -> Mailbox {
    let name = mailbox.name.as_deref().map(decode_words).filter(|name| !name.is_empty());
    Mailbox { name, address: literal(&mailbox.spec) }
}
