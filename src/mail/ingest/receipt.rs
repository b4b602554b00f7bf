//! Read receipts that come in (RFC 8098): which of our messages was read, and by whom.

use serde_json::{Value, json};

use crate::domain::address::Address;
use crate::domain::verdict::{Disposition, Outcome, Verdict};
use crate::wire::mime::mdn;

/// What a receipt says, as `act_on_email` reads it; `None` for every other message, and for a
/// receipt that is not to be believed.
///
/// Anybody can write one (RFC 8098 §6.3). Its author has to be who it says has read the message
/// (§3: From is that person), and nothing may be known against the author; whether that person was
/// sent that message, the transaction asks.
pub(super) fn receipt(raw: &[u8], verdict: &Verdict) -> Option<Value> {
    let receipt = mdn::read(raw)?;
    let forged = verdict.dmarc.result == Outcome::Fail || verdict.disposition == Disposition::Junk;
    if !receipt.displayed || forged {
        return None;
    }
    let address = |text: &str| Address::parse(text).ok().map(|address| address.to_string());
    let readers: Vec<String> =
        [Some(&receipt.final_recipient), receipt.original_recipient.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|text| address(text))
            .collect();
    let author = address(&receipt.author)?;
    let is_theirs = readers.contains(&author);
    is_theirs.then(|| json!({ "message_id": receipt.original_message_id, "readers": readers }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Dmarc;

    fn said(from: &str, more: &str, verdict: &Verdict) -> Option<Value> {
        let raw = format!(
            "From: {from}\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n\
             --b\r\n\r\nRead.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n{more}\
             Final-Recipient: rfc822; Ann@shop.test\r\nOriginal-Message-ID: <1@here.test>\r\n\
             Disposition: manual-action/MDN-sent-manually; displayed\r\n--b--\r\n"
        );
        receipt(raw.as_bytes(), verdict)
    }

    #[test]
    fn only_the_reader_may_say_so() {
        let plain = Verdict::default();
        let expected = json!({"message_id": "1@here.test", "readers": ["ann@shop.test"]});
        assert_eq!(said("Ann <ann@Shop.test>", "", &plain), Some(expected));
        assert_eq!(said("eve@else.test", "", &plain), None);
        let team = "Original-Recipient: rfc822; team@shop.test\r\n";
        let expected =
            json!({"message_id": "1@here.test", "readers": ["ann@shop.test", "team@shop.test"]});
        assert_eq!(said("team@shop.test", team, &plain), Some(expected));
        let dmarc = Dmarc { result: Outcome::Fail, ..Dmarc::default() };
        assert_eq!(said("ann@shop.test", "", &Verdict { dmarc, ..Verdict::default() }), None);
        let junk = Verdict { disposition: Disposition::Junk, ..Verdict::default() };
        assert_eq!(said("ann@shop.test", "", &junk), None);
    }
}
