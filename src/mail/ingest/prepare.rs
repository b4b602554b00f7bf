//! From octets to what is stored: parse once, cut, prove, put the objects.

use bytes::Bytes;
use serde_json::json;

use crate::domain::ids::{EmailId, QueueId, TenantId};
use crate::mail::Error;
use crate::mail::ingest::dedup::DedupKey;
use crate::mail::ingest::{HEAVY, Ingest};
use crate::mail::spool::Spool;
use crate::store::emails::{Actions, Attachment, Fields, NewEmail, Target};
use crate::store::objects::object_key;
use crate::wire::mime::{self, Cut, Disposition, Encoding, Form, Recipe};

/// Where a message comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `smtp`, `submission`, `append`, `api`, `import` or `system`.
    pub source: &'static str,
    /// Its id in the 250 and in Received.
    pub queue_id: Option<QueueId>,
    /// The envelope's reverse-path, empty for `<>`.
    pub reverse_path: Option<String>,
    /// What makes it the same message when it comes again.
    pub dedup_key: Option<DedupKey>,
    /// INTERNALDATE in seconds since 1970; `None` is now.
    pub internal_date: Option<i64>,
}

/// A message taken apart.
struct Apart {
    raw: Bytes,
    form: Form,
    cuts: Vec<Cut>,
    /// What is left behind the header block, compressed.
    rest: Vec<u8>,
}

impl Ingest {
    /// Makes `raw`, trace fields included, ready for the transaction: all
    /// objects are durable when this returns.
    ///
    /// # Errors
    /// [`Error::Temporary`] without the object store.
    pub async fn prepare(
        &self,
        tenant: TenantId,
        raw: Bytes,
        origin: Origin,
        targets: Vec<Target>,
    ) -> Result<NewEmail, Error> {
        let cut_from = self.cut_from;
        let apart = if raw.len() < HEAVY {
            take_apart(raw, cut_from)?
        } else {
            blocking(move || take_apart(raw, cut_from)).await?
        };
        for cut in &apart.cuts {
            let key = object_key(tenant, &cut.sha256.to_string());
            let object = if apart.raw.len() < HEAVY {
                object(&self.spool, &apart.raw, cut)?
            } else {
                let (spool, raw, cut) = (self.spool.clone(), apart.raw.clone(), cut.clone());
                blocking(move || object(&spool, &raw, &cut)).await?
            };
            self.objects.put(&key, object).await?;
        }
        self.row(tenant, apart, origin, targets)
    }

    fn row(
        &self,
        tenant: TenantId,
        apart: Apart,
        origin: Origin,
        targets: Vec<Target>,
    ) -> Result<NewEmail, Error> {
        let Apart { raw, form, cuts, rest } = apart;
        let attachments = self.attachments(tenant, &form, &cuts);
        let header = raw.get(..form.header_len).unwrap_or_default().to_vec();
        Ok(NewEmail {
            parts: to_json(&form.parts)?,
            cuts: to_json(&cuts)?,
            fields: fields(&form, origin, raw.len()),
            text: form.text,
            envelope: form.envelope,
            body: form.body,
            body_structure: form.body_structure,
            header,
            skeleton: rest,
            attachments,
            targets,
            actions: Actions::default(),
        })
    }

    fn attachments(&self, tenant: TenantId, form: &Form, cuts: &[Cut]) -> Vec<Attachment> {
        let row = |(index, part): (usize, &mime::Attachment)| {
            let cut = cuts.iter().find(|cut| cut.attachment == index);
            let sha256 = cut.map(|cut| cut.sha256.to_string());
            let encoded = part.encoding != Encoding::Identity;
            Attachment {
                section: part.section.clone(),
                filename: part.filename.clone(),
                content_type: part.content_type.clone(),
                disposition: match part.disposition {
                    Disposition::Attachment => "attachment",
                    Disposition::Inline => "inline",
                },
                content_id: part.content_id.clone(),
                size_bytes: cut.map_or(part.range.len(), |cut| cut.object_len) as u64,
                bucket: cut.map(|_| self.objects.bucket().to_owned()),
                object_key: sha256.as_deref().map(|sha256| object_key(tenant, sha256)),
                encoded: encoded && cut.is_none_or(|cut| cut.recipe == Recipe::Raw),
                sha256,
            }
        };
        form.attachments.iter().enumerate().map(row).collect()
    }
}

/// On a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::Internal(format!("parse task: {e}"))))
}

/// The object of `cut`: a part of the message itself where nothing is decoded.
fn object(spool: &Spool, raw: &Bytes, cut: &Cut) -> Result<Bytes, Error> {
    if let Some(range) = cut.as_it_stands().filter(|range| range.end <= raw.len()) {
        return Ok(raw.slice(range));
    }
    let mut object = spool.empty();
    let mut pushed = Ok(());
    cut.object(raw, |octets| {
        if pushed.is_ok() {
            pushed = object.push(octets);
        }
    });
    pushed.and_then(|()| object.finish()).map_err(|e| Error::Temporary(format!("spool file: {e}")))
}

/// Parses, cuts, and proves that the original can be put together again: a
/// message that could not is kept in one piece.
fn take_apart(raw: Bytes, cut_from: usize) -> Result<Apart, Error> {
    let form = mime::parse(&raw);
    let mut split = mime::split(&raw, &form, cut_from);
    if mime::verify(&raw, &split.skeleton, &split.cuts).is_err() {
        tracing::error!(size = raw.len(), "a split message did not come back; kept in one piece");
        split = mime::Split { skeleton: raw.to_vec(), cuts: Vec::new() };
    }
    let rest = split.skeleton.get(form.header_len..).unwrap_or_default();
    let rest = mime::compress(rest).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(Apart { raw, form, cuts: split.cuts, rest })
}

fn fields(form: &Form, origin: Origin, size: usize) -> Fields {
    let from = form.from.first();
    Fields {
        id: EmailId::random(),
        source: origin.source,
        queue_id: origin.queue_id,
        dedup_key: origin.dedup_key,
        reverse_path: origin.reverse_path,
        message_id: form.message_id.clone(),
        in_reply_to: form.in_reply_to.clone(),
        reference_ids: form.references.clone(),
        subject: form.subject.clone(),
        base_subject: form.base_subject.clone(),
        is_reply: form.is_reply,
        from_address: from.map(|m| m.address.clone()).unwrap_or_default(),
        from_name: from.and_then(|m| m.name.clone()),
        recipients: json!({ "from": form.from, "to": form.to, "cc": form.cc, "bcc": form.bcc, "reply_to": form.reply_to }),
        sent_at: form.date,
        internal_date: origin.internal_date,
        size_bytes: size as u64,
        snippet: form.snippet.clone(),
        verdict: json!({}),
        spam_score: None,
        directory_version: None,
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|e| Error::Internal(format!("json: {e}")))
}
