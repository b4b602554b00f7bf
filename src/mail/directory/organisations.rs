//! Organisations: making, finding, suspending.

use crate::domain::slug::Slug;
use crate::mail::directory::Directory;
use crate::mail::{Error, Reason};
use crate::store;
use crate::store::tenants::Organisation;

fn slug(text: &str) -> Result<Slug, Error> {
    Slug::new(text).map_err(|_| Reason::BadSlug.into())
}

fn known<T>(result: Result<T, store::Error>) -> Result<T, Error> {
    result.map_err(|error| match error {
        store::Error::NotFound => Error::NotFound("organisation"),
        other => other.into(),
    })
}

impl Directory {
    /// Makes an organisation with its schema; `name` is for people, 1 to 200 characters.
    ///
    /// # Errors
    /// [`Reason::BadSlug`], also for a reserved one; [`Reason::BadName`];
    /// [`Error::Exists`].
    pub async fn add_organisation(
        &self,
        slug_text: &str,
        name: &str,
    ) -> Result<Organisation, Error> {
        let slug = slug(slug_text)?;
        self.db.add_organisation(&slug, name).await.map_err(|error| {
            if error.is_conflict("tenants_slug_key") {
                Error::Exists("organisation")
            } else if error.is_conflict("tenants_slug_check") {
                Reason::BadSlug.into()
            } else if error.is_conflict("tenants_name_check") {
                Reason::BadName.into()
            } else {
                error.into()
            }
        })?;
        known(self.db.organisation(&slug).await)
    }

    /// Every organisation, by slug.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, Error> {
        Ok(self.db.organisations().await?)
    }

    /// The organisation of that slug.
    ///
    /// # Errors
    /// [`Reason::BadSlug`]; [`Error::NotFound`].
    pub async fn organisation(&self, slug_text: &str) -> Result<Organisation, Error> {
        known(self.db.organisation(&slug(slug_text)?).await)
    }

    /// From now on it neither sends nor receives nor logs in; nothing is lost.
    ///
    /// # Errors
    /// As [`Directory::organisation`].
    pub async fn suspend(&self, slug: &str) -> Result<Organisation, Error> {
        self.set_status(slug, "suspended").await
    }

    /// Undoes [`Directory::suspend`].
    ///
    /// # Errors
    /// As [`Directory::organisation`].
    pub async fn resume(&self, slug: &str) -> Result<Organisation, Error> {
        self.set_status(slug, "active").await
    }

    async fn set_status(&self, slug_text: &str, status: &str) -> Result<Organisation, Error> {
        let slug = slug(slug_text)?;
        known(self.db.set_organisation_status(&slug, status).await)?;
        known(self.db.organisation(&slug).await)
    }
}
