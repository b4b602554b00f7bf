//! What follows from the policy of the From domain (RFC 9989 §5.3, §5.4).

use std::sync::Arc;

use mail_auth::dmarc::DmarcRecord;

use crate::domain::verdict::{Disposition, Dmarc, Outcome, Policy, Verdict};
use crate::mail::{Error, Reason};

/// What DMARC says of one domain, and the record by which it says it.
pub(super) type Found = (Dmarc, Option<Arc<DmarcRecord>>);

/// Of the domains in From, the one whose owner would mind most; the default without any.
pub(super) fn worst(all: Vec<Found>) -> Found {
    all.into_iter().max_by_key(|(dmarc, _)| gravity(dmarc)).unwrap_or_default()
}

fn gravity(dmarc: &Dmarc) -> u8 {
    match (dmarc.result, dmarc.policy) {
        (Outcome::Fail, Policy::Reject) => 6,
        (Outcome::Fail, Policy::Quarantine) => 5,
        (Outcome::Fail, Policy::None) => 4,
        (Outcome::Temperror, _) => 3,
        (Outcome::Permerror, _) => 2,
        (Outcome::Pass, _) => 0,
        _ => 1,
    }
}

/// Obeys the policy, unless the message passed before somebody trusted sent it on.
///
/// # Errors
/// [`Reason::NotAuthentic`] where it is to be refused.
pub(super) fn apply(verdict: &mut Verdict, sealer: Option<String>) -> Result<(), Error> {
    if verdict.dmarc.result != Outcome::Fail || verdict.dmarc.policy == Policy::None {
        return Ok(());
    }
    if let Some(sealer) = sealer {
        verdict.dmarc.overridden_by = Some(sealer);
        return Ok(());
    }
    match verdict.dmarc.policy {
        Policy::Reject => Err(Reason::NotAuthentic.into()),
        Policy::Quarantine | Policy::None => {
            verdict.disposition = Disposition::Junk;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dmarc(result: Outcome, policy: Policy) -> Dmarc {
        Dmarc { result, policy, ..Dmarc::default() }
    }

    fn applied(result: Outcome, policy: Policy, sealer: Option<&str>) -> Option<Verdict> {
        let mut verdict = Verdict { dmarc: dmarc(result, policy), ..Verdict::default() };
        apply(&mut verdict, sealer.map(str::to_owned)).ok().map(|()| verdict)
    }

    #[test]
    fn only_what_fails_is_refused_or_put_aside() {
        assert!(applied(Outcome::Fail, Policy::Reject, None).is_none());
        let aside = applied(Outcome::Fail, Policy::Quarantine, None).unwrap();
        assert_eq!(aside.disposition, Disposition::Junk);
        for (result, policy) in [
            (Outcome::Fail, Policy::None),
            (Outcome::Pass, Policy::Reject),
            (Outcome::Temperror, Policy::Reject),
            (Outcome::None, Policy::None),
        ] {
            let kept = applied(result, policy, None).unwrap();
            assert_eq!(kept.disposition, Disposition::Keep, "{result:?} {policy:?}");
        }
    }

    #[test]
    fn a_trusted_sealer_overrides_and_is_named() {
        for policy in [Policy::Reject, Policy::Quarantine] {
            let kept = applied(Outcome::Fail, policy, Some("lists.example")).unwrap();
            assert_eq!(kept.disposition, Disposition::Keep);
            assert_eq!(kept.dmarc.overridden_by.as_deref(), Some("lists.example"));
        }
        let passed = applied(Outcome::Pass, Policy::Reject, Some("lists.example")).unwrap();
        assert_eq!(passed.dmarc.overridden_by, None);
    }

    #[test]
    fn one_good_author_does_not_vouch_for_another() {
        let two = vec![
            (dmarc(Outcome::Pass, Policy::Reject), None),
            (dmarc(Outcome::Fail, Policy::Reject), None),
            (dmarc(Outcome::None, Policy::None), None),
        ];
        assert_eq!(worst(two).0.result, Outcome::Fail);
        assert_eq!(worst(Vec::new()).0, Dmarc::default());
    }
}
