//! What searches find: SEARCH (RFC 3501 §7.2.5) and ESEARCH (RFC 4731, RFC 9394).

use super::Writer;
use crate::wire::imap::command::{Returns, Tag};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::numbers::NumberSet;
use crate::wire::imap::partial_range::PartialRange;

/// Messages found, in the form in which they are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Numbers {
    /// A set: their order means nothing.
    Set(NumberSet),
    /// In this order (RFC 5267 §3).
    Sorted(Vec<u32>),
}

impl Numbers {
    fn of(numbers: &[u32], sorted: bool) -> Self {
        if sorted {
            Self::Sorted(numbers.to_vec())
        } else {
            Self::Set(numbers.iter().copied().collect())
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Set(set) => set.is_empty(),
            Self::Sorted(numbers) => numbers.is_empty(),
        }
    }
}

/// One ESEARCH answer: what it tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Esearch {
    /// The numbers are UIDs.
    pub uid: bool,
    /// `MIN`
    pub min: Option<u32>,
    /// `MAX`
    pub max: Option<u32>,
    /// `COUNT`
    pub count: Option<u32>,
    /// `ALL`; not told when it is empty.
    pub all: Option<Numbers>,
    /// `PARTIAL`
    pub partial: Option<(PartialRange, Numbers)>,
    /// `MODSEQ`: the highest of the messages told (RFC 7162 §3.1.10)
    pub mod_seq: Option<u64>,
}

impl Esearch {
    /// What `returns` asks to be told of the `numbers` found; `sorted` where their order means
    /// something.
    pub fn of(
        returns: Returns,
        numbers: &[u32],
        uid: bool,
        sorted: bool,
        mod_seq: Option<u64>,
    ) -> Self {
        Self {
            uid,
            min: numbers.first().copied().filter(|_| returns.min),
            max: numbers.last().copied().filter(|_| returns.max),
            count: returns.count.then(|| u32::try_from(numbers.len()).unwrap_or(u32::MAX)),
            all: returns.all.then(|| Numbers::of(numbers, sorted)),
            partial: returns.partial.map(|range| {
                let some = numbers.get(range.of(numbers.len())).unwrap_or_default();
                (range, Numbers::of(some, sorted))
            }),
            mod_seq,
        }
    }
}

impl Writer {
    /// ```abnf
    /// mailbox-data =/ "SEARCH" *(SP nz-number) [SP search-sort-mod-seq]
    /// ```
    pub fn search(&mut self, found: impl IntoIterator<Item = u32>, mod_seq: Option<u64>) {
        self.put("* SEARCH");
        self.numbers(found, mod_seq);
    }

    /// ```abnf
    /// sort-data = "SORT" *(SP nz-number) [SP search-sort-mod-seq]    ; RFC 5256
    /// ```
    pub fn sort(&mut self, sorted: impl IntoIterator<Item = u32>, mod_seq: Option<u64>) {
        self.put("* SORT");
        self.numbers(sorted, mod_seq);
    }

    /// ```abnf
    /// search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")"    ; RFC 7162
    /// ```
    fn numbers(&mut self, numbers: impl IntoIterator<Item = u32>, mod_seq: Option<u64>) {
        for number in numbers {
            self.put(" ");
            self.number(number);
        }
        if let Some(mod_seq) = mod_seq {
            self.put(&format!(" (MODSEQ {mod_seq})"));
        }
        self.end();
    }

    /// The answer to the command `tag`.
    ///
    /// ```abnf
    /// esearch-response   = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    /// search-correlator  = SP "(" "TAG" SP tag-string [SP "MAILBOX" SP mailbox SP "UIDVALIDITY" SP
    ///                      nz-number] ")"                                         ; RFC 7377
    /// search-return-data = "MIN" SP nz-number / "MAX" SP nz-number / "ALL" SP sequence-set /
    ///                      "COUNT" SP number
    /// search-return-data =/ "MODSEQ" SP mod-sequence-value                        ; RFC 7162
    /// search-return-data =/ "PARTIAL" SP "(" partial-range SP partial-results ")"  ; RFC 9394
    /// partial-results    = sequence-set / "NIL"
    /// ```
    pub fn esearch(&mut self, tag: &Tag, found: &Esearch) {
        self.put("* ESEARCH (TAG \"");
        self.put(tag.as_str());
        self.put("\")");
        self.search_data(found);
    }

    /// The same of one of several mailboxes (RFC 7377 §2.1).
    pub fn esearch_in(
        &mut self,
        tag: &Tag,
        mailbox: &MailboxName,
        uid_validity: u32,
        found: &Esearch,
    ) {
        self.put("* ESEARCH (TAG \"");
        self.put(tag.as_str());
        self.put("\" MAILBOX ");
        self.mailbox(mailbox);
        self.put(" UIDVALIDITY ");
        self.number(uid_validity);
        self.put(")");
        self.search_data(found);
    }

    /// `[SP "UID"] *(SP search-return-data)`
    fn search_data(&mut self, found: &Esearch) {
        if found.uid {
            self.put(" UID");
        }
        for (name, number) in [(" MIN ", found.min), (" MAX ", found.max), (" COUNT ", found.count)]
        {
            if let Some(number) = number {
                self.put(name);
                self.number(number);
            }
        }
        if let Some(all) = found.all.as_ref().filter(|all| !all.is_empty()) {
            self.put(" ALL ");
            self.found(all);
        }
        if let Some((range, numbers)) = &found.partial {
            self.put(&format!(" PARTIAL ({range} "));
            self.found(numbers);
            self.put(")");
        }
        if let Some(mod_seq) = found.mod_seq {
            self.put(&format!(" MODSEQ {mod_seq}"));
        }
        self.end();
    }

    /// `sequence-set / "NIL"`
    fn found(&mut self, numbers: &Numbers) {
        match numbers {
            empty if empty.is_empty() => self.put("NIL"),
            Numbers::Set(set) => self.put(&set.to_string()),
            Numbers::Sorted(numbers) => {
                for (index, &number) in numbers.iter().enumerate() {
                    self.put(if index > 0 { "," } else { "" });
                    self.number(number);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};
    use crate::wire::imap::response::tests::written;

    fn esearch(tag: &str, found: &Esearch) -> String {
        let noop = parse_command(format!("{tag} NOOP\r\n").as_bytes()).unwrap();
        written(|w| w.esearch(&noop.tag, found))
    }

    fn set(numbers: impl IntoIterator<Item = u32>) -> Numbers {
        Numbers::Set(numbers.into_iter().collect())
    }

    #[test]
    fn the_examples_of_rfc_3501_section_7_2_5() {
        assert_eq!(written(|w| w.search([2, 3, 6], None)), "* SEARCH 2 3 6\r\n");
        assert_eq!(written(|w| w.search([], None)), "* SEARCH\r\n");
        // RFC 7162 §3.1.5.
        let with = written(|w| w.search([2, 5, 23], Some(917_162_500)));
        assert_eq!(with, "* SEARCH 2 5 23 (MODSEQ 917162500)\r\n");
    }

    #[test]
    fn the_examples_of_rfc_5256() {
        assert_eq!(written(|w| w.sort([2, 84, 882], None)), "* SORT 2 84 882\r\n");
        assert_eq!(written(|w| w.sort([], None)), "* SORT\r\n");
        // RFC 7162 §3.1.9.
        let with = written(|w| w.sort([2, 3, 5, 1, 4], Some(917_162_500)));
        assert_eq!(with, "* SORT 2 3 5 1 4 (MODSEQ 917162500)\r\n");
    }

    #[test]
    fn the_examples_of_rfc_4731_section_3() {
        let found = Esearch { min: Some(2), count: Some(3), ..Esearch::default() };
        assert_eq!(esearch("A282", &found), "* ESEARCH (TAG \"A282\") MIN 2 COUNT 3\r\n");
        let found = Esearch { all: Some(set([2, 10, 11])), ..Esearch::default() };
        assert_eq!(esearch("A283", &found), "* ESEARCH (TAG \"A283\") ALL 2,10:11\r\n");
        let found = Esearch { uid: true, min: Some(7), max: Some(3800), ..Esearch::default() };
        assert_eq!(esearch("A285", &found), "* ESEARCH (TAG \"A285\") UID MIN 7 MAX 3800\r\n");
        let none = Esearch { count: Some(0), all: Some(set([])), ..Esearch::default() };
        assert_eq!(esearch("A", &none), "* ESEARCH (TAG \"A\") COUNT 0\r\n");
    }

    #[test]
    fn the_example_of_rfc_7377() {
        let noop = parse_command(b"tag1 NOOP\r\n").unwrap();
        let uids = [4001, 4003, 4005, 4007, 4009];
        let found = Esearch::of(Returns::ALL, &uids, true, false, None);
        let name = MailboxName::new("folder1").unwrap();
        let line = "* ESEARCH (TAG \"tag1\" MAILBOX folder1 UIDVALIDITY 1) UID ALL \
                    4001,4003,4005,4007,4009\r\n";
        assert_eq!(written(|w| w.esearch_in(&noop.tag, &name, 1, &found)), line);
    }

    #[test]
    fn the_examples_of_rfc_9394_and_5267() {
        let line = b"a UID SEARCH RETURN (PARTIAL -1:-100) ALL\r\n";
        let Command::Search(search) = parse_command(line).unwrap().command else { panic!() };
        let Some(Returns { partial: Some(range), .. }) = search.returns else { panic!() };
        let partial =
            |numbers| Esearch { uid: true, partial: Some((range, numbers)), ..Esearch::default() };
        assert_eq!(
            esearch("A02", &partial(set([1, 2, 5]))),
            "* ESEARCH (TAG \"A02\") UID PARTIAL (-1:-100 1:2,5)\r\n"
        );
        assert_eq!(
            esearch("A02", &partial(set([]))),
            "* ESEARCH (TAG \"A02\") UID PARTIAL (-1:-100 NIL)\r\n"
        );
        let sorted = Numbers::Sorted(vec![23764, 23763, 23761]);
        let found = Esearch { uid: true, count: Some(3), all: Some(sorted), ..Esearch::default() };
        assert_eq!(
            esearch("E01", &found),
            "* ESEARCH (TAG \"E01\") UID COUNT 3 ALL 23764,23763,23761\r\n"
        );
    }
}
