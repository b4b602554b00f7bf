//! Objects in S3: MinIO and whatever answers the same few calls, path style.

use std::ops::Range;
use std::time::SystemTime;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use crate::store::error::Error;
use crate::store::objects::{Found, Page, YOUNG};

/// How to reach the bucket.
#[derive(Clone)]
pub struct S3Settings {
    /// Base URL, such as `http://minio:9000`.
    pub endpoint: String,
    /// Region; MinIO takes any.
    pub region: String,
    /// Bucket; it must exist.
    pub bucket: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
}

/// An S3 bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
}

impl S3 {
    /// Makes the client; no call is made yet.
    pub fn new(settings: &S3Settings) -> Self {
        let credentials =
            Credentials::new(&settings.access_key, &settings.secret_key, None, None, "config.toml");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(std::time::Duration::from_secs(3))
            .operation_attempt_timeout(std::time::Duration::from_secs(30))
            .build();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&settings.endpoint)
            .region(Region::new(settings.region.clone()))
            .credentials_provider(credentials)
            .force_path_style(true)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .build();
        Self { client: Client::from_conf(config), bucket: settings.bucket.clone() }
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        if self.is_young(key, content.len()).await? {
            return Ok(());
        }
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(content))
            .send()
            .await
            .map_err(|e| sdk_error(&e))?;
        Ok(())
    }

    /// Whether the object is there, whole, and will not be swept soon.
    async fn is_young(&self, key: &str, length: usize) -> Result<bool, Error> {
        let head = match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => head,
            Err(e) => {
                return match sdk_error(&e) {
                    Error::NotFound => Ok(false),
                    other => Err(other),
                };
            }
        };
        let same = head.content_length().and_then(|n| usize::try_from(n).ok()) == Some(length);
        let modified = head.last_modified().and_then(|m| SystemTime::try_from(*m).ok());
        Ok(same && modified.is_some_and(|m| m.elapsed().unwrap_or_default() < YOUNG))
    }

    pub(super) async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Error> {
        let wanted = range.as_ref().map(|r| r.end.saturating_sub(r.start));
        if wanted == Some(0) {
            return Ok(Bytes::new());
        }
        let header = range.map(|r| format!("bytes={}-{}", r.start, r.end - 1));
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_range(header)
            .send()
            .await
            .map_err(|e| sdk_error(&e))?;
        let content =
            object.body.collect().await.map_err(|e| Error::Objects(e.to_string()))?.into_bytes();
        match wanted {
            Some(length) if content.len() as u64 != length => {
                Err(Error::Corrupt(format!("object {key} is too short")))
            }
            _ => Ok(content),
        }
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Error> {
        let sent = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        sent.map(|_| ()).map_err(|e| sdk_error(&e))
    }

    pub(super) async fn list(&self, owner: &str, page: Option<String>) -> Result<Page, Error> {
        let listing = self.client.list_objects_v2().bucket(&self.bucket);
        let listed = listing.prefix(format!("{owner}/")).set_continuation_token(page).send().await;
        let listed = listed.map_err(|e| sdk_error(&e))?;
        let found = listed.contents().iter().filter_map(|object| {
            let modified = SystemTime::try_from(*object.last_modified()?).ok()?;
            Some(Found { key: object.key()?.to_owned(), modified })
        });
        Ok(Page {
            found: found.collect(),
            next: listed.next_continuation_token().map(str::to_owned),
        })
    }

    /// S3 has no rename: a copy, and then the original goes.
    pub(super) async fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        let source = format!("{}/{from}", self.bucket);
        let copy = self.client.copy_object().bucket(&self.bucket).key(to).copy_source(source);
        copy.send().await.map_err(|e| sdk_error(&e))?;
        self.delete(from).await
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        let sent = self.client.head_bucket().bucket(&self.bucket).send().await;
        sent.map(|_| ()).map_err(|e| match sdk_error(&e) {
            Error::NotFound => Error::Objects(format!("there is no bucket '{}'", self.bucket)),
            other => other,
        })
    }
}

/// A HEAD has no body and so no code: its status says it.
fn sdk_error<E: ProvideErrorMetadata + std::error::Error + 'static>(
    error: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>,
) -> Error {
    let status = error.raw_response().map(|r| r.status().as_u16());
    if status == Some(404) {
        return Error::NotFound;
    }
    Error::Objects(DisplayErrorContext(error).to_string())
}
