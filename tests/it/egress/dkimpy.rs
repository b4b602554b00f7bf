//! Our signatures, judged by an implementation that is not ours.

use super::Row;
use crate::support::server::{Server, Tenant, server};
use crate::support::verifier::{ask, records};

/// Verifies the signature at `index` with the key records given by name.
const VERIFY: &str = "
import sys, json, dkim
keys = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
def txt(name, timeout=5):
    return keys[(name.decode() if isinstance(name, bytes) else name).rstrip('.')].encode()
print(all(dkim.DKIM(message).verify(idx=i, dnsfunc=txt) for i in range(2)))
";

/// What authheaders says of a message from somewhere that SPF does not know.
const AUTHENTICATE: &str = "
import sys, json, authheaders
records = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
def txt(name, timeout=5):
    name = (name.decode() if isinstance(name, bytes) else name).rstrip('.')
    text = records.get(name)
    return text.encode() if text and '_domainkey' in name else text
print(authheaders.authenticate_message(message, 'oracle.test', spf=False, dnsfunc=txt))
";

fn verified(message: &[u8], records: &str) -> String {
    ask(VERIFY, message, records)
}

#[tokio::test]
async fn both_signatures_of_a_delivered_message_verify_and_protect_it() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(true).await;
    let to = format!("bob@{domain}");
    let html = "<p>Grüße <a href=\"https://target.example/?a=1&amp;b=2\">x</a></p>";
    let row = Row { html: Some(html), tracked: true, ..Row::new(&ann, &to) };
    row.insert(&tenant).await;
    let message = mx.wait_for(1).await.remove(0).data;

    let records = records(server, &tenant).await;
    assert_eq!(verified(&message, &records), "True");
    let text = String::from_utf8(message).unwrap();
    let forged = text.replacen("\r\nFrom: ", "\r\nFrom: boss@bank.example\r\nFrom: ", 1);
    assert_ne!(forged, text);
    // dkimpy does not even answer for a message with two authors.
    assert_ne!(verified(forged.as_bytes(), &records), "True");
    let altered = text.replacen("</p>", "</P>", 1);
    assert_ne!(altered, text);
    assert_ne!(verified(altered.as_bytes(), &records), "True");
}

/// A message that was delivered, with a body in two forms, and the records of its domain.
async fn delivered(server: &Server, tenant: &Tenant) -> (String, String) {
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(true).await;
    let to = format!("bob@{domain}");
    let row = Row { html: Some("<p>Grüße  an  alle</p>\n\n<p>Ann</p>"), ..Row::new(&ann, &to) };
    row.insert(tenant).await;
    let message = String::from_utf8(mx.wait_for(1).await.remove(0).data).unwrap();
    (message, records(server, tenant).await)
}

#[tokio::test]
async fn signatures_survive_what_relays_do_to_a_message() {
    let server = server().await;
    let tenant = server.sender().await;
    let (message, records) = delivered(server, &tenant).await;
    let (header, body) = message.split_once("\r\n\r\n").unwrap();
    let (subject, rest) = header.split_once("\r\nSubject: ").unwrap();
    let relayed = [
        (
            "a trace field",
            format!(
                "Received: from a.test by b.test;\r\n\tMon, 1 Jan 2029 00:00:00 +0000\r\n{message}"
            ),
        ),
        ("a folded field", format!("{subject}\r\nSUBJECT:\r\n\t{rest}\r\n\r\n{body}")),
        (
            "white space at the ends of lines",
            format!("{header}\r\n\r\n{}", body.replace("\r\n", " \t\r\n")),
        ),
        ("white space in lines", format!("{header}\r\n\r\n{}", body.replace(' ', "  "))),
        ("empty lines at the end", format!("{message}\r\n\r\n")),
        ("line ends that were LF for a while", message.replace("\r\n", "\n").replace('\n', "\r\n")),
    ];
    for (what, relayed) in relayed {
        assert_eq!(verified(relayed.as_bytes(), &records), "True", "{what}: {relayed}");
    }
}

#[tokio::test]
async fn dmarc_passes_by_our_signature_alone() {
    let server = server().await;
    let tenant = server.sender().await;
    let (message, records) = delivered(server, &tenant).await;
    let said = ask(AUTHENTICATE, message.as_bytes(), &records);
    assert!(said.contains("dmarc=pass") && said.contains("dkim=pass"), "{said}");
    let forged = message.replacen("Ann</p>", "Eve</p>", 1);
    assert_ne!(forged, message);
    let said = ask(AUTHENTICATE, forged.as_bytes(), &records);
    assert!(said.contains("dmarc=fail"), "{said}");
}
