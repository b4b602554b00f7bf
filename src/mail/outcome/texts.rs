//! Texts of other servers that tell more than their code: data, in `texts.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::fault::Fault;
use crate::domain::outcome::Reply;

/// One entry of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    /// Who says so; for people.
    #[serde(rename = "who")]
    _who: String,
    /// Phrases in lower case, of which one is enough.
    says: Vec<String>,
    /// The enhanced code that has to be there with it.
    status: Option<String>,
    /// What it is about.
    pub(super) fault: Fault,
    /// It is tried again although the code says never.
    #[serde(default)]
    pub(super) later: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    text: Vec<Text>,
}

static TEXTS: LazyLock<Vec<Text>> = LazyLock::new(|| match read() {
    Ok(texts) => texts,
    // A test reads it, so this does not happen; codes alone would still do.
    Err(error) => {
        tracing::error!(%error, "the known texts cannot be read");
        Vec::new()
    }
});

fn read() -> Result<Vec<Text>, toml::de::Error> {
    toml::from_str::<File>(include_str!("texts.toml")).map(|file| file.text)
}

/// What is known of the words of a refusal.
pub(super) fn known(reply: &Reply) -> Option<&'static Text> {
    if reply.is_positive() {
        return None;
    }
    let (words, status) = (reply.text.to_lowercase(), reply.enhanced_text());
    TEXTS.iter().find(|text| {
        text.status.as_ref().is_none_or(|needed| status.as_ref() == Some(needed))
            && text.says.iter().any(|phrase| words.contains(phrase.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read_and_every_phrase_can_be_found() {
        let texts = read().unwrap();
        assert!(texts.len() > 20);
        for (place, text) in texts.iter().enumerate() {
            assert!(!text.says.is_empty(), "{place}");
            for phrase in &text.says {
                assert_eq!(*phrase, phrase.to_lowercase());
                assert!(text.status.is_some() || phrase.len() >= 4, "'{phrase}' is in everything");
                let above = &texts[..place];
                let earlier = above.iter().filter(|above| above.status.is_none());
                let hidden = earlier.flat_map(|above| &above.says).find(|p| phrase.contains(*p));
                assert_eq!(hidden, None, "'{phrase}' is never reached");
            }
        }
    }
}
