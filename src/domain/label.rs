//! Labels: keywords, by the names that people give them.

use super::flags::Keyword;

/// A keyword and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What marks a message with it.
    pub keyword: Keyword,
    /// What people call it.
    pub name: String,
}

/// The labels of a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<Label>);

impl Labels {
    /// These; the first of several with one name counts.
    pub fn new(labels: Vec<Label>) -> Self {
        Self(labels)
    }

    /// The keywords of all of them.
    pub fn keywords(&self) -> impl Iterator<Item = &Keyword> {
        self.0.iter().map(|label| &label.keyword)
    }

    /// What people call this keyword: what it says itself, where nobody has named it.
    pub fn name_of<'a>(&'a self, keyword: &'a Keyword) -> &'a str {
        let label = self.0.iter().find(|label| label.keyword == *keyword);
        label.map_or(keyword.as_str(), |label| &label.name)
    }

    /// The keyword of the label of this name, without regard to case; else the one that says so.
    pub fn find(&self, name: &str) -> Option<&Keyword> {
        let lower = name.to_lowercase();
        let named = self.0.iter().find(|label| label.name.to_lowercase() == lower);
        let said = || self.0.iter().find(|label| label.keyword.as_str().to_lowercase() == lower);
        named.or_else(said).map(|label| &label.keyword)
    }
}

/// The keyword for a new label of this name: what cannot stand in one is an underscore. `None` for a
/// name that is too long, or begins as the keywords do that programs have agreed on.
pub fn keyword_for(name: &str) -> Option<Keyword> {
    if name.starts_with('$') {
        return None;
    }
    let spell = |c: char| if Keyword::new(c.encode_utf8(&mut [0; 4])).is_some() { c } else { '_' };
    Keyword::new(&name.chars().map(spell).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(keyword: &str, name: &str) -> Label {
        Label { keyword: Keyword::new(keyword).unwrap(), name: name.to_owned() }
    }

    #[test]
    fn names_and_keywords_lead_to_each_other() {
        let labels = Labels::new(vec![label("muy_importante", "Muy Importante"), label("a", "b")]);
        let muy = Keyword::new("MUY_Importante").unwrap();
        assert_eq!(labels.name_of(&muy), "Muy Importante");
        assert_eq!(labels.find("muy importante"), Some(&muy));
        assert_eq!(labels.find("muy_importante"), Some(&muy));
        assert_eq!(labels.find("c"), None);
        assert_eq!(labels.name_of(&Keyword::new("c").unwrap()), "c");
    }

    #[test]
    fn every_name_has_a_keyword_that_can_be_said() {
        let keyword = |name: &str| keyword_for(name).map(|keyword| keyword.as_str().to_owned());
        assert_eq!(keyword("foo").as_deref(), Some("foo"));
        assert_eq!(keyword("a \"b\" (c)\\").as_deref(), Some("a__b___c__"));
        assert_eq!(keyword("a b/ü").as_deref(), Some("a_b/_"));
        assert_eq!((keyword(""), keyword("$Junk"), keyword(&"x".repeat(101))), (None, None, None));
    }
}
