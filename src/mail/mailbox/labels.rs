//! Labels: keywords by the names that people give them.

use crate::domain::flags::Keyword;
use crate::domain::ids::FolderId;
use crate::domain::label::{Label, Labels, keyword_for};
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::mail::{Error, Reason};

impl Mailboxes {
    /// The labels of the mailbox that a folder belongs to.
    pub async fn labels(&self, who: &Identity, folder: FolderId) -> Result<Labels, Error> {
        Ok(self.snapshot(who).await?.labels(folder).await?)
    }

    /// The keyword of each name; a label that is missing is made.
    ///
    /// # Errors
    /// [`Reason::BadName`] for a name that no label can have.
    pub async fn labelled(
        &self,
        who: &Identity,
        folder: FolderId,
        names: &[&str],
    ) -> Result<Vec<Keyword>, Error> {
        let labels = self.labels(who, folder).await?;
        let mut made = Vec::new();
        let mut keywords = Vec::with_capacity(names.len());
        for &name in names {
            if let Some(keyword) = labels.find(name) {
                keywords.push(keyword.clone());
                continue;
            }
            let keyword = keyword_for(name).ok_or(Reason::BadName)?;
            made.push(Label { keyword: keyword.clone(), name: name.to_owned() });
            keywords.push(keyword);
        }
        if !made.is_empty() {
            let mut tx = self.begin(who).await?;
            for label in &made {
                tx.make_label(folder, label).await?;
            }
            tx.commit().await?;
        }
        Ok(keywords)
    }
}
