//! The name of a client has to lead back to it (RFC 8601 §2.7.3). Nobody asks for the names of
//! loopback addresses, so the judge is asked about others.

use std::net::IpAddr;

use koltrix_mail::config::Config;
use koltrix_mail::domain::envelope::MailFrom;
use koltrix_mail::domain::verdict::Outcome;
use koltrix_mail::mail::authenticity::Authenticity;
use koltrix_mail::mail::client::Client;
use koltrix_mail::mail::reporting::Tally;
use koltrix_mail::net::dns::Resolver;

use crate::support::dns::Dns;

#[tokio::test]
async fn a_name_counts_where_it_leads_back() {
    let dns = Dns::start().await;
    let config = format!("[dns]\nservers = [{:?}]\ntimeout = \"1s\"", dns.addr().to_string());
    let config = Config::parse(&config, |_| None).unwrap();
    let resolver = Resolver::new(&config.dns).unwrap();
    let judge =
        Authenticity::new(&resolver, "mx.koltrix.test", Vec::new(), Tally::default()).unwrap();
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    dns.ptr(ip("192.0.2.1"), "other.test").ptr(ip("192.0.2.1"), "good.test");
    dns.ip("good.test", ip("192.0.2.1")).ip("other.test", ip("192.0.2.99"));
    dns.ptr(ip("192.0.2.2"), "bank.test").ip("bank.test", ip("192.0.2.99"));
    dns.ptr(ip("2001:db8::3"), "six.test").ip("six.test", ip("2001:db8::3"));
    dns.broken("5.2.0.192.in-addr.arpa.", true);
    for (from, outcome, name) in [
        ("192.0.2.1", Outcome::Pass, Some("good.test")),
        ("::ffff:192.0.2.1", Outcome::Pass, Some("good.test")),
        ("192.0.2.2", Outcome::Fail, None),
        ("2001:db8::3", Outcome::Pass, Some("six.test")),
        ("192.0.2.4", Outcome::Permerror, None),
        ("192.0.2.5", Outcome::Temperror, None),
    ] {
        let client =
            Client { ip: ip(from), helo: "x.test".into(), tls: None, esmtp: true, login: None };
        let content = b"From: a@b.test\r\n\r\nHi\r\n";
        let verdict = judge.judge(content, &client, &MailFrom::default()).await.unwrap();
        assert_eq!((verdict.iprev, verdict.ptr.as_deref()), (outcome, name), "{from}");
    }
}
