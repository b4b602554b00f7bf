//! The DNS records of a domain whose mail is here.

use serde::Serialize;

use crate::mail::discovery::SETUP_HOSTS;
use crate::mail::dkim::Algorithm;
use crate::mail::domains::site::Site;
use crate::store::domain_keys::{PublicKeyRow, Standing};
use crate::store::domains::Domain;
use crate::wire::dkim::{key_record, txt_strings};
use crate::wire::mime::Sha256;

/// What a record is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Proves that the domain is the organisation's.
    Verification,
    /// Brings mail here (RFC 5321 §5.1).
    Mx,
    /// Says that mail comes from here (RFC 7208).
    Spf,
    /// A key that signatures are verified with (RFC 6376).
    Dkim,
    /// What to do with mail that neither SPF nor DKIM vouches for (RFC 9989).
    Dmarc,
    /// Says that there is a policy of TLS for incoming mail (RFC 8461).
    MtaSts,
    /// Where that policy is.
    MtaStsHost,
    /// Where reports about TLS go (RFC 8460).
    TlsRpt,
    /// Lets mail clients find their servers (RFC 6186, RFC 8314).
    Service,
    /// Where mail clients ask for their settings.
    ClientSetup,
    /// The host of tracking links.
    TrackingHost,
}

/// How much a record matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Without it mail is lost, refused or taken for spam.
    Required,
    /// Without it something is less safe or less comfortable.
    Recommended,
}

/// The type of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Kind {
    Mx,
    Txt,
    Cname,
    Srv,
}

/// One record to publish.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Record {
    /// What it is for.
    pub purpose: Purpose,
    /// How much it matters.
    pub need: Need,
    /// Its full name, without the final dot.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its value as forms of DNS providers take it: TXT in one piece, names without the final dot.
    pub value: String,
    /// The whole record as a line of a zone file (RFC 1035 §5.1), TXT in strings of 255 octets.
    pub zone_line: String,
    /// Of a DKIM key, whether it signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Standing>,
}

/// What is to be published for a domain.
#[derive(Clone, Debug, Serialize)]
pub struct DnsRecords {
    /// The domain.
    pub domain: String,
    /// The records, the most important first.
    pub records: Vec<Record>,
    /// The server has not made all DKIM keys yet, so their records lack; it does so within a second
    /// when it runs.
    pub keys_pending: bool,
}

/// Writes down the records of `domain`.
pub(super) fn records(site: &Site, domain: &Domain, keys: &[PublicKeyRow]) -> DnsRecords {
    let zone = Zone { domain: &domain.domain, host: &site.hostname };
    let mut records = vec![zone.verification(domain), zone.mx(), zone.spf()];
    records.extend(keys.iter().filter_map(|key| zone.dkim(key)));
    records.push(zone.dmarc());
    if let Some(host) = &domain.tracking_host {
        records.push(record(
            Purpose::TrackingHost,
            Need::Required,
            host.clone(),
            Kind::Cname,
            site.web_host.clone(),
        ));
    }
    records.extend(zone.mta_sts(site));
    records.push(zone.tls_rpt());
    records.extend(zone.services(site.ports));
    records.extend(zone.client_setup(&site.web_host));
    let keys_pending = {
        let signs = |k: &PublicKeyRow| k.standing == Standing::Active;
        !Algorithm::ALL.iter().all(|a| keys.iter().any(|k| k.algorithm == a.name() && signs(k)))
    };
    DnsRecords { domain: domain.domain.clone(), records, keys_pending }
}

struct Zone<'a> {
    domain: &'a str,
    /// The mail server.
    host: &'a str,
}

impl Zone<'_> {
    fn txt(&self, purpose: Purpose, need: Need, label: &str, value: String) -> Record {
        record(purpose, need, format!("{label}.{}", self.domain), Kind::Txt, value)
    }

    fn verification(&self, domain: &Domain) -> Record {
        let need = match domain.verified_at {
            Some(_) => Need::Recommended,
            None => Need::Required,
        };
        let value = format!("koltrix-verify={}", domain.verification_token);
        self.txt(Purpose::Verification, need, "_koltrix", value)
    }

    fn mx(&self) -> Record {
        let value = format!("10 {}", self.host);
        record(Purpose::Mx, Need::Required, self.domain.to_owned(), Kind::Mx, value)
    }

    /// Names the server rather than `mx`, so that it holds while another host takes the mail.
    fn spf(&self) -> Record {
        let value = format!("v=spf1 a:{} ~all", self.host);
        record(Purpose::Spf, Need::Required, self.domain.to_owned(), Kind::Txt, value)
    }

    fn dkim(&self, key: &PublicKeyRow) -> Option<Record> {
        let kind = Algorithm::named(&key.algorithm)?.key_type();
        let value = key_record(kind, &key.public_key);
        let label = format!("{}._domainkey", key.selector);
        let need = match key.standing {
            Standing::Active => Need::Required,
            Standing::Pending | Standing::Retiring { .. } => Need::Recommended,
        };
        let record = self.txt(Purpose::Dkim, need, &label, value);
        Some(Record { key: Some(key.standing), ..record })
    }

    /// `p=none` asks for reports only: whoever else sends for the domain is seen before it is cut off.
    fn dmarc(&self) -> Record {
        let value = format!("v=DMARC1; p=none; rua=mailto:postmaster@{}", self.domain);
        self.txt(Purpose::Dmarc, Need::Required, "_dmarc", value)
    }

    /// The id changes when the policy does.
    fn mta_sts(&self, site: &Site) -> [Record; 2] {
        let digest = Sha256::of(site.policy.lines().concat().as_bytes()).to_string();
        let id = digest.get(..16).unwrap_or_default();
        let value = format!("v=STSv1; id={id}");
        let host = format!("mta-sts.{}", self.domain);
        let target = site.web_host.clone();
        [
            self.txt(Purpose::MtaSts, Need::Recommended, "_mta-sts", value),
            record(Purpose::MtaStsHost, Need::Recommended, host, Kind::Cname, target),
        ]
    }

    fn tls_rpt(&self) -> Record {
        let value = format!("v=TLSRPTv1; rua=mailto:postmaster@{}", self.domain);
        self.txt(Purpose::TlsRpt, Need::Recommended, "_smtp._tls", value)
    }

    /// Beside the SRV records, which hardly any client looks at.
    fn client_setup(&self, web_host: &str) -> [Record; 2] {
        SETUP_HOSTS.map(|prefix| {
            let name = format!("{prefix}{}", self.domain);
            record(Purpose::ClientSetup, Need::Recommended, name, Kind::Cname, web_host.to_owned())
        })
    }

    /// TLS from the first byte is preferred (RFC 8314 §5.1).
    fn services(&self, ports: [u16; 4]) -> [Record; 4] {
        let labels = ["_submissions", "_submission", "_imaps", "_imap"];
        let mut services = labels.into_iter().zip([0, 10, 0, 10]).zip(ports);
        labels.map(|label| {
            let ((_, priority), port) = services.next().unwrap_or(((label, 0), 0));
            let name = format!("{label}._tcp.{}", self.domain);
            let value = format!("{priority} 1 {port} {}", self.host);
            record(Purpose::Service, Need::Recommended, name, Kind::Srv, value)
        })
    }
}

fn record(purpose: Purpose, need: Need, name: String, kind: Kind, value: String) -> Record {
    let zone_line = match kind {
        Kind::Txt => format!("{name}. 3600 IN TXT {}", txt_strings(&value)),
        Kind::Mx => format!("{name}. 3600 IN MX {value}."),
        Kind::Cname => format!("{name}. 3600 IN CNAME {value}."),
        Kind::Srv => format!("{name}. 3600 IN SRV {value}."),
    };
    Record { purpose, need, name, kind, value, zone_line, key: None }
}

#[cfg(test)]
pub(super) mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::config::Config;
    use crate::domain::ids::{DomainId, TenantId};

    /// The claim of an organisation `acme` on `acme.example`.
    pub(in crate::mail::domains) fn claim() -> Domain {
        Domain {
            id: DomainId::random(),
            tenant_id: TenantId::random(),
            tenant: "acme".to_owned(),
            domain: "acme.example".to_owned(),
            verification_token: "0123456789abcdef0123456789abcdef".to_owned(),
            verified_at: None,
            checked_at: None,
            tracking_host: Some("go.acme.example".to_owned()),
            created_at: datetime!(2027-01-31 12:00 UTC),
        }
    }

    /// The services of an installation with the ports of RFC 8314.
    pub(in crate::mail::domains) fn site() -> Site {
        let text = "server.hostname = \"mx.host.example\"\n\
            http.public_url = \"https://Web.host.example:8443/x\"\n\
            submission.listen_tls = \"0.0.0.0:465\"\nsubmission.listen_starttls = \"0.0.0.0:587\"\n\
            imap.listen_tls = \"0.0.0.0:993\"\nimap.listen_starttls = \"0.0.0.0:143\"\n";
        Site::new(&Config::parse(text, |_| None).unwrap())
    }

    /// A key of each algorithm.
    pub(in crate::mail::domains) fn keys() -> Vec<PublicKeyRow> {
        let key = |letter, algorithm: Algorithm, length| PublicKeyRow {
            selector: format!("kx-{letter}-20270131"),
            algorithm: algorithm.name().to_owned(),
            public_key: vec![7; length],
            standing: Standing::Active,
        };
        vec![key('r', Algorithm::Rsa, 294), key('e', Algorithm::Ed25519, 32)]
    }

    #[test]
    fn every_record_of_a_domain() {
        let all = records(&site(), &claim(), &keys());
        assert!(!all.keys_pending);
        let lines: Vec<String> =
            all.records.iter().map(|r| r.zone_line.replace(" 3600 IN", "")).collect();
        let ed25519 = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        assert_eq!(
            lines[0],
            "_koltrix.acme.example. TXT \"koltrix-verify=0123456789abcdef0123456789abcdef\""
        );
        assert_eq!(lines[1], "acme.example. MX 10 mx.host.example.");
        assert_eq!(lines[2], "acme.example. TXT \"v=spf1 a:mx.host.example ~all\"");
        assert!(
            lines[3]
                .starts_with("kx-r-20270131._domainkey.acme.example. TXT \"v=DKIM1; k=rsa; p=BwcH")
        );
        assert!(lines[3].split('"').all(|string| string.len() <= 255), "{}", lines[3]);
        assert_eq!(
            lines[4],
            format!(
                "kx-e-20270131._domainkey.acme.example. TXT \"v=DKIM1; k=ed25519; p={ed25519}\""
            )
        );
        assert_eq!(
            lines[5..],
            [
                "_dmarc.acme.example. TXT \"v=DMARC1; p=none; rua=mailto:postmaster@acme.example\"",
                "go.acme.example. CNAME web.host.example.",
                "_mta-sts.acme.example. TXT \"v=STSv1; id=ID\"",
                "mta-sts.acme.example. CNAME web.host.example.",
                "_smtp._tls.acme.example. TXT \"v=TLSRPTv1; rua=mailto:postmaster@acme.example\"",
                "_submissions._tcp.acme.example. SRV 0 1 465 mx.host.example.",
                "_submission._tcp.acme.example. SRV 10 1 587 mx.host.example.",
                "_imaps._tcp.acme.example. SRV 0 1 993 mx.host.example.",
                "_imap._tcp.acme.example. SRV 10 1 143 mx.host.example.",
                "autoconfig.acme.example. CNAME web.host.example.",
                "autodiscover.acme.example. CNAME web.host.example.",
            ]
            .map(|line| line.replace("id=ID", &format!("id={}", sts_id(&all))))
        );
    }

    /// RFC 8461 §3.1: 1 to 32 letters and digits.
    fn sts_id(all: &DnsRecords) -> &str {
        let record = all.records.iter().find(|r| r.purpose == Purpose::MtaSts).unwrap();
        let id = record.value.strip_prefix("v=STSv1; id=").unwrap();
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        id
    }

    #[test]
    fn what_is_not_there_yet_is_said_or_left_out() {
        let claim = Domain { tracking_host: None, ..claim() };
        let all = records(&site(), &claim, &keys()[..1]);
        assert!(all.keys_pending);
        assert!(all.records.iter().all(|r| r.purpose != Purpose::TrackingHost));
        let proven = Domain { verified_at: Some(claim.created_at), ..claim };
        assert_eq!(records(&site(), &proven, &[]).records[0].need, Need::Recommended);
    }
}
