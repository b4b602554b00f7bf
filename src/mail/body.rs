//! The octets of stored messages: any range of the original, and only what it needs.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;

use crate::domain::ids::{EmailId, TenantId};
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::Fetched;
use crate::store::db::Db;
use crate::store::objects::{Objects, object_key};
use crate::wire::mime::{self, Cut, Parts, Piece, SectionText, Skeleton};

/// Objects of which an excerpt has the begin.
const EXCERPT_OBJECTS: usize = 8;

/// Messages kept at hand: octets of all of them, octets of one, and for how long.
const FRESH: u64 = 32 * 1024 * 1024;
const FRESH_ONE: usize = 256 * 1024;
const FRESH_FOR: Duration = Duration::from_secs(30);

/// Reads bodies. Cheap to clone.
#[derive(Clone)]
pub struct Bodies {
    db: Db,
    objects: Objects,
    /// What was stored a moment ago and is wanted at once, whole.
    fresh: Cache<(TenantId, EmailId), Bytes>,
}

/// A message opened for reading: what Postgres has of it, decompressed.
pub struct Body {
    tenant: TenantId,
    objects: Objects,
    header: Vec<u8>,
    rest: Vec<u8>,
    cuts: Vec<Cut>,
    parts: Parts,
    len: usize,
}

impl Bodies {
    /// Over the stores.
    pub fn new(db: Db, objects: Objects) -> Self {
        let weigh = |_: &_, raw: &Bytes| u32::try_from(raw.len()).unwrap_or(u32::MAX);
        let fresh =
            Cache::builder().max_capacity(FRESH).weigher(weigh).time_to_live(FRESH_FOR).build();
        Self { db, objects, fresh }
    }

    /// Keeps at hand what is stored now and will leave soon, unless it is large.
    pub(in crate::mail) fn keep_fresh(&self, tenant: TenantId, email: EmailId, raw: &Bytes) {
        if raw.len() <= FRESH_ONE {
            self.fresh.insert((tenant, email), raw.clone());
        }
    }

    /// A message that is still at hand.
    pub(in crate::mail) fn fresh(&self, tenant: TenantId, email: EmailId) -> Option<Bytes> {
        self.fresh.get(&(tenant, email))
    }

    /// Opens what FETCH has read with `Columns::source`, and takes it out of there.
    pub fn open(&self, who: &Identity, fetched: &mut Fetched) -> Result<Body, Error> {
        let header = fetched.header.take();
        let (Some(header), Some(skeleton), Some(cuts), Some(parts)) =
            (header, fetched.skeleton.take(), fetched.cuts.take(), fetched.parts.take())
        else {
            return Err(Error::Internal("a body was opened without its source".into()));
        };
        self.body(who.tenant, header, &skeleton, cuts, parts, fetched.ready.size)
    }

    /// Opens a message by its id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn load(&self, tenant: TenantId, email: EmailId) -> Result<Body, Error> {
        let row = self.db.tenant(tenant).snapshot().await?.email_source(email).await?;
        self.body(tenant, row.header, &row.skeleton, row.cuts, row.parts, row.size_bytes)
    }

    fn body(
        &self,
        tenant: TenantId,
        header: Vec<u8>,
        skeleton: &[u8],
        cuts: serde_json::Value,
        parts: serde_json::Value,
        size: u64,
    ) -> Result<Body, Error> {
        let cuts: Vec<Cut> = serde_json::from_value(cuts).map_err(corrupt)?;
        let parts: Parts = serde_json::from_value(parts).map_err(corrupt)?;
        let len = usize::try_from(size).map_err(corrupt)?;
        let left = len.saturating_sub(mime::original_len(header.len(), &cuts));
        let rest = mime::decompress(skeleton, left).map_err(corrupt)?;
        Ok(Body { tenant, objects: self.objects.clone(), header, rest, cuts, parts, len })
    }
}

impl Body {
    /// Octets of the whole message.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The header block, with the empty line that ends it.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Whether it is the empty message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The octets that a section is; `None` when there is no such section.
    pub fn resolve(&self, path: &[u32], text: SectionText) -> Option<Range<usize>> {
        self.parts.resolve(path, text)
    }

    /// Appends the octets `range` of the original to `out`, reading of the
    /// objects only what the range needs. Whoever streams asks for one piece
    /// after the other.
    ///
    /// # Errors
    /// [`Error::Temporary`] without the object store, and when an object is
    /// missing: never octets that are not the message's.
    pub async fn read(&self, range: Range<usize>, out: &mut Vec<u8>) -> Result<(), Error> {
        let range = range.start.min(self.len)..range.end.min(self.len);
        for piece in mime::pieces(&self.cuts, range) {
            match piece {
                Piece::Skeleton(range) => self.read_skeleton(&range, out)?,
                Piece::Object { cut, encoded } => self.read_object(cut, &encoded, out).await?,
            }
        }
        Ok(())
    }

    fn read_skeleton(&self, range: &Range<usize>, out: &mut Vec<u8>) -> Result<(), Error> {
        let skeleton = Skeleton { header: &self.header, rest: &self.rest };
        let (header, rest) = skeleton.get(range).ok_or(mime::Mismatch).map_err(corrupt)?;
        out.extend_from_slice(header);
        out.extend_from_slice(rest);
        Ok(())
    }

    async fn read_object(
        &self,
        cut: usize,
        encoded: &Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let cut = self.cuts.get(cut).ok_or(mime::Mismatch).map_err(corrupt)?;
        let key = object_key(self.tenant, &cut.sha256.to_string());
        let wanted = cut.object_range(encoded);
        let object = self
            .objects
            .get(&key, Some(wanted.start as u64..wanted.end as u64))
            .await
            .map_err(|e| Error::Temporary(format!("object {key}: {e}")))?;
        cut.encode(encoded, &object, out).map_err(corrupt)
    }

    /// The message without what is in the middle of it: of each object only the first `most`
    /// encoded octets, of those behind the first [`EXCERPT_OBJECTS`] nothing.
    ///
    /// # Errors
    /// Those of [`Body::read`].
    pub async fn excerpt(&self, most: usize) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        for piece in mime::pieces(&self.cuts, 0..self.len) {
            match piece {
                Piece::Skeleton(range) => self.read_skeleton(&range, &mut out)?,
                Piece::Object { cut, encoded } if cut < EXCERPT_OBJECTS => {
                    let begin = encoded.start..encoded.end.min(encoded.start + most);
                    self.read_object(cut, &begin, &mut out).await?;
                }
                Piece::Object { .. } => {}
            }
        }
        Ok(out)
    }

    /// The whole message.
    pub async fn all(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(self.len);
        self.read(0..self.len, &mut out).await?;
        Ok(out)
    }
}

fn corrupt(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("a stored message cannot be read: {error}"))
}
