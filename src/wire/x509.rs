//! What stands in a certificate that TLS libraries check but do not tell (RFC 5280 §4.1).

use aws_lc_rs::digest::{self, Algorithm};
use time::{Date, Month, OffsetDateTime, Time};

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The `notAfter` of a certificate in DER; `None` when that is not what the octets are.
pub fn not_after(der: &[u8]) -> Option<OffsetDateTime> {
    // Certificate ::= SEQUENCE { tbsCertificate, ... }
    let (certificate, _) = element(der, SEQUENCE)?;
    let (tbs, _) = element(certificate, SEQUENCE)?;
    // TBSCertificate ::= SEQUENCE { version [0] OPTIONAL, serialNumber INTEGER,
    //     signature SEQUENCE, issuer SEQUENCE, validity SEQUENCE { notBefore, notAfter }, ... }
    let tbs = element(tbs, VERSION).map_or(tbs, |(_, rest)| rest);
    let (_, tbs) = element(tbs, INTEGER)?;
    let (_, tbs) = element(tbs, SEQUENCE)?;
    let (_, tbs) = element(tbs, SEQUENCE)?;
    let (validity, _) = element(tbs, SEQUENCE)?;
    let (_, validity) =
        element(validity, UTC_TIME).or_else(|| element(validity, GENERALIZED_TIME))?;
    element(validity, UTC_TIME)
        .and_then(|(text, _)| {
            // Two digits of the year: 50 to 99 are of the twentieth century (§4.1.2.5.1).
            let (year, rest) = number(text, 2)?;
            moment(if year < 50 { 2000 + year } else { 1900 + year }, rest)
        })
        .or_else(|| {
            let (text, _) = element(validity, GENERALIZED_TIME)?;
            let (year, rest) = number(text, 4)?;
            moment(year, rest)
        })
}

/// The channel binding `tls-server-end-point` of the server that shows this certificate (RFC 5929
/// §4.1): its hash, by the hash of its signature, or by SHA-256 where that is MD5 or SHA-1. `None`
/// where the signature has no hash of its own (Ed25519), or one that it names elsewhere (RSA-PSS).
pub fn end_point(der: &[u8]) -> Option<Vec<u8>> {
    Some(digest::digest(signature_hash(der)?, der).as_ref().to_vec())
}

fn signature_hash(der: &[u8]) -> Option<&'static Algorithm> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { algorithm OBJECT
    //     IDENTIFIER, ... }, signatureValue }
    let (certificate, _) = element(der, SEQUENCE)?;
    let (_, after_tbs) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(after_tbs, SEQUENCE)?;
    let (oid, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    match oid {
        // 1.2.840.113549.1.1: with RSA, PKCS #1 version 1.5 (RFC 4055 §5, RFC 3279 §2.2.1)
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, which] => match which {
            4 | 5 | 11 => Some(&digest::SHA256),
            12 => Some(&digest::SHA384),
            13 => Some(&digest::SHA512),
            _ => None,
        },
        // 1.2.840.10045.4: with ECDSA (RFC 5758 §3.2, RFC 3279 §2.2.3)
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] => Some(&digest::SHA256),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, which] => match which {
            2 => Some(&digest::SHA256),
            3 => Some(&digest::SHA384),
            4 => Some(&digest::SHA512),
            _ => None,
        },
        _ => None,
    }
}

/// The content of the element that `der` begins with, if its tag is `tag`, and what follows.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, der) = der.split_first()?;
    let (&first, mut der) = der.split_first()?;
    if *found != tag {
        return None;
    }
    let mut length = usize::from(first);
    if first >= 0x80 {
        // The long form: so many octets of length. Four are 4 GiB.
        let octets = der.get(..usize::from(first & 0x7f)).filter(|o| (1..=4).contains(&o.len()))?;
        der = der.get(octets.len()..)?;
        length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
    }
    der.split_at_checked(length)
}

fn number(text: &[u8], digits: usize) -> Option<(i32, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = number.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + i32::from(digit - b'0'))
    })?;
    Some((number, rest))
}

/// `MMDDHHMMSSZ`.
fn moment(year: i32, text: &[u8]) -> Option<OffsetDateTime> {
    let (month, text) = number(text, 2)?;
    let (day, text) = number(text, 2)?;
    let (hour, text) = number(text, 2)?;
    let (minute, text) = number(text, 2)?;
    let (second, text) = number(text, 2)?;
    let small = |number: i32| u8::try_from(number).ok();
    let month = Month::try_from(small(month)?).ok()?;
    let date = Date::from_calendar_date(year, month, small(day)?).ok()?;
    let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    (text == b"Z").then(|| OffsetDateTime::new_utc(date, time))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    fn certificate(until: OffsetDateTime) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec!["mail.example.org".into()]).unwrap();
        params.not_after = until;
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        // RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on.
        for until in [
            datetime!(1999-12-31 23:59:59 UTC),
            datetime!(2049-12-31 23:59:59 UTC),
            datetime!(2050-01-01 00:00:00 UTC),
            datetime!(2112-02-29 12:00:01 UTC),
        ] {
            assert_eq!(not_after(&certificate(until)), Some(until));
        }
    }

    #[test]
    fn a_certificate_that_is_cut_tells_nothing() {
        let der = certificate(datetime!(2030-01-01 00:00:00 UTC));
        for length in 0..der.len() {
            assert_eq!(not_after(der.get(..length).unwrap()), None);
        }
    }

    fn signed(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let params = rcgen::CertificateParams::new(vec!["mail.example.org".into()]).unwrap();
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_point_is_hashed_as_it_is_signed() {
        let of = |der: &[u8], with| Some(digest::digest(with, der).as_ref().to_vec());
        let der = signed(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(end_point(&der), of(&der, &digest::SHA256));
        let der = signed(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(end_point(&der), of(&der, &digest::SHA384));
        let der = signed(&rcgen::PKCS_RSA_SHA512);
        assert_eq!(end_point(&der), of(&der, &digest::SHA512));
        assert_eq!(end_point(&signed(&rcgen::PKCS_ED25519)), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(der in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = (not_after(&der), end_point(&der));
        }

        #[test]
        fn any_damage_is_read_without_a_panic(at in 0_usize..200, octet: u8) {
            let mut der = certificate(datetime!(2030-01-01 00:00:00 UTC));
            der[at] = octet;
            let _ = (not_after(&der), end_point(&der));
        }
    }
}
