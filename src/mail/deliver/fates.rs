//! What becomes of each recipient while the replies come in.

use crate::domain::outcome::Reply;
use crate::mail::outcome::Phase;
use crate::wire::smtp::reply::Said;

/// What became of one recipient: how far it came, and the reply that ended it.
pub type Fate = (Phase, Reply);

/// Whether a reply says that its server has no room for us now, rather than something about a
/// message or a recipient.
pub(super) fn in_trouble(phase: Phase, reply: &Reply) -> bool {
    match phase {
        Phase::Host => true,
        Phase::Mail => (400..500).contains(&reply.code),
        Phase::Rcpt | Phase::Data | Phase::Content => reply.code == 421,
    }
}

/// The replies to MAIL, each RCPT and DATA, as they come in.
pub(super) struct Fates {
    mail: Option<Reply>,
    recipients: Vec<Option<Reply>>,
    data: Option<Reply>,
    next: usize,
}

impl Fates {
    pub(super) fn new(recipients: usize) -> Self {
        Self { mail: None, recipients: vec![None; recipients], data: None, next: 0 }
    }

    pub(super) fn heard(&mut self, said: Vec<Said>) {
        for reply in said.into_iter().map(Said::into_reply) {
            if self.mail.is_none() {
                self.mail = Some(reply);
            } else if let Some(slot) = self.recipients.get_mut(self.next) {
                *slot = Some(reply);
                self.next += 1;
            } else {
                self.data = Some(reply);
            }
        }
    }

    /// Whether anything was answered.
    pub(super) fn began(&self) -> bool {
        self.mail.is_some()
    }

    /// MAIL was refused: nothing that follows means anything.
    pub(super) fn is_refused(&self) -> bool {
        self.mail.as_ref().is_some_and(|reply| !(200..300).contains(&reply.code))
    }

    pub(super) fn any_accepted(&self) -> bool {
        !self.is_refused() && self.recipients.iter().flatten().any(accepted)
    }

    /// Whether DATA was answered, and with 354.
    pub(super) fn go_ahead(&self) -> Option<Result<(), Reply>> {
        let reply = self.data.as_ref()?;
        Some(if reply.code == 354 { Ok(()) } else { Err(reply.clone()) })
    }

    pub(super) fn all(self, phase: Phase, reply: &Reply) -> Vec<Fate> {
        self.recipients.iter().map(|_| (phase, reply.clone())).collect()
    }

    /// Each recipient's own refusal; for the others, what ended it all.
    pub(super) fn rest(self, phase: Phase, reply: &Reply) -> Vec<Fate> {
        if self.is_refused() {
            let mail = self.mail.clone().unwrap_or_else(|| reply.clone());
            return self.all(Phase::Mail, &mail);
        }
        let recipients = self.recipients.into_iter();
        recipients
            .map(|own| match own {
                Some(refusal) if !accepted(&refusal) => (Phase::Rcpt, refusal),
                _ => (phase, reply.clone()),
            })
            .collect()
    }
}

fn accepted(reply: &Reply) -> bool {
    (200..300).contains(&reply.code)
}
