//! A client that believes what it is told, and notices what cannot be.

use std::collections::{BTreeMap, BTreeSet};

use super::super::condstore::highest;
use super::{Mailbox, told};
use crate::support::imap::{Imap, Reply};

pub struct Client {
    imap: Imap,
    /// It uses QRESYNC; the others know expunged messages by sequence number.
    pub resyncs: bool,
    /// Its messages in order; 0 for one whose UID it has not been told yet.
    uids: Vec<u32>,
    flags: Mailbox,
    mod_seqs: BTreeMap<u32, u64>,
    validity: String,
    /// The HIGHESTMODSEQ up to which it knows everything.
    highest: u64,
}

impl Client {
    /// Opens INBOX and looks at all of it.
    pub async fn open(mut imap: Imap, resyncs: bool) -> Self {
        let on = if resyncs { "ENABLE QRESYNC" } else { "NOOP" };
        imap.brings(on).await;
        let mut client = Self {
            imap,
            resyncs,
            uids: Vec::new(),
            flags: Mailbox::new(),
            mod_seqs: BTreeMap::new(),
            validity: String::new(),
            highest: 0,
        };
        let opened = client.imap.brings("SELECT INBOX (CONDSTORE)").await;
        client.opened(&opened);
        client.looks_at_new().await;
        client
    }

    fn opened(&mut self, lines: &[String]) {
        let (_, rest) = lines.iter().find_map(|l| l.split_once("[UIDVALIDITY ")).unwrap();
        rest.split(']').next().unwrap().clone_into(&mut self.validity);
        self.reaches(highest(lines));
        for line in lines {
            self.hears(line, true);
        }
    }

    /// HIGHESTMODSEQ never goes backwards.
    fn reaches(&mut self, mod_seq: u64) {
        assert!(mod_seq >= self.highest, "HIGHESTMODSEQ {mod_seq} after {}", self.highest);
        self.highest = mod_seq;
    }

    /// What it believes.
    pub fn believes(&self) -> Mailbox {
        self.uids.iter().map(|uid| (*uid, self.flags[uid].clone())).collect()
    }

    /// The messages that it can name.
    pub fn known(&self) -> BTreeSet<u32> {
        self.uids.iter().copied().filter(|&uid| uid > 0).collect()
    }

    /// A command that works.
    pub async fn says(&mut self, command: &str) {
        if command.contains(" 1:* ") && self.uids.is_empty() {
            return;
        }
        let reply = self.imap.run(command).await;
        assert!(reply.done.starts_with("OK"), "{command}: {reply:?}");
        let by_number = ["FETCH", "STORE", "SEARCH"].iter().any(|name| command.starts_with(name));
        self.takes(&reply, !by_number);
    }

    fn takes(&mut self, reply: &Reply, expunges: bool) {
        for line in &reply.untagged {
            self.hears(line, expunges);
        }
    }

    /// Changes a flag of a message, by UID or by its number.
    pub async fn stores(&mut self, uid: u32, change: &str, flag: &str, add: bool) {
        let by_uid = uid.is_multiple_of(2);
        let place = self.uids.iter().position(|&one| one == uid).unwrap();
        let number = place + 1;
        if by_uid {
            self.says(&format!("UID STORE {uid} {change}")).await;
        } else {
            self.says(&format!("STORE {number} {change}")).await;
        }
        // Who is silent knows what became of the message, if it is still there.
        if let Some(flags) = self.flags.get_mut(&uid).filter(|_| change.contains("SILENT")) {
            if add {
                flags.insert(flag.to_owned())
            } else {
                flags.remove(flag)
            };
        }
    }

    /// Asks for what EXISTS announced.
    pub async fn looks_at_new(&mut self) {
        while let Some(place) = self.uids.iter().position(|&uid| uid == 0) {
            self.says(&format!("FETCH {}:* (UID FLAGS)", place + 1)).await;
            // Those that went before anybody looked are taken out here.
            self.says("NOOP").await;
        }
    }

    /// Goes away without a word and comes back with what it remembers.
    pub async fn comes_back(&mut self, imap: Imap) {
        self.looks_at_new().await;
        self.imap = imap;
        self.imap.brings("ENABLE QRESYNC").await;
        let before = std::mem::take(&mut self.uids);
        let select = format!("SELECT INBOX (QRESYNC ({} {}))", self.validity, self.highest);
        let lines = self.imap.brings(&select).await;
        // Messages in the order of their UIDs; EXISTS says how many there are.
        let exists = lines.iter().find_map(|line| told::number(line, "EXISTS")).unwrap();
        let gone: BTreeSet<u32> =
            lines.iter().filter_map(|l| told::vanished(l)).flatten().collect();
        let new = lines.iter().filter_map(|line| told::fetch(line)?.uid);
        let uids: BTreeSet<u32> =
            before.into_iter().chain(new).filter(|u| !gone.contains(u)).collect();
        self.flags.retain(|uid, _| uids.contains(uid));
        self.uids = uids.into_iter().collect();
        assert_eq!(self.uids.len(), exists, "{select}: {lines:?}");
        self.opened(&lines);
    }

    fn hears(&mut self, line: &str, expunges: bool) {
        if let Some(count) = told::number(line, "EXISTS") {
            assert!(count >= self.uids.len(), "EXISTS {count} of {}", self.uids.len());
            self.uids.resize(count, 0);
        } else if let Some(number) = told::number(line, "EXPUNGE") {
            assert!(expunges && !self.resyncs, "RFC 3501 section 7.4.1: {line}");
            self.flags.remove(&self.uids.remove(number - 1));
        } else if let Some(gone) = told::vanished(line) {
            assert!(expunges && self.resyncs, "RFC 7162 section 3.2.10: {line}");
            self.uids.retain(|uid| !gone.contains(uid));
            self.flags.retain(|uid, _| !gone.contains(uid));
        } else if let Some(fetch) = told::fetch(line) {
            self.hears_of(&fetch, line);
        }
    }

    fn hears_of(&mut self, fetch: &told::Fetch, line: &str) {
        let known = self.uids[fetch.sequence - 1];
        let uid = fetch.uid.unwrap_or(known);
        assert!(known == 0 || known == uid, "{line}: that is message {known}");
        self.uids[fetch.sequence - 1] = uid;
        let named = self.uids.iter().filter(|&&uid| uid > 0);
        assert!(named.is_sorted_by(|a, b| a < b), "UIDs ascend: {line}");
        if let Some(flags) = fetch.flags.as_ref().filter(|_| uid > 0) {
            self.flags.insert(uid, flags.clone());
        }
        if let Some(mod_seq) = fetch.mod_seq.filter(|_| uid > 0) {
            let before = self.mod_seqs.insert(uid, mod_seq).unwrap_or(0);
            assert!(mod_seq >= before, "MODSEQ goes back: {line}");
        }
    }
}
