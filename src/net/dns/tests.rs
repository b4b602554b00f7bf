use std::collections::HashSet;
use std::net::Ipv4Addr;

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::Record;
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, SRV, TXT};
use tokio::net::UdpSocket;

use super::*;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// The scripted zone: the answer to one question.
fn answer(question: &str, kind: RecordType) -> Result<Vec<RData>, ResponseCode> {
    let mx = |preference, host| RData::MX(MX::new(preference, name(host)));
    match (question, kind) {
        ("example.org.", RecordType::MX) => {
            Ok(vec![mx(20, "b.example.org."), mx(10, "A.Example.org."), mx(20, "c.example.org.")])
        }
        ("null.example.", RecordType::MX) => Ok(vec![mx(0, ".")]),
        ("a.example.org." | "half.example.", RecordType::A) => {
            Ok(vec![RData::A(A(Ipv4Addr::LOCALHOST))])
        }
        ("a.example.org.", RecordType::AAAA) => {
            Ok(vec![RData::AAAA(AAAA::new(0, 0, 0, 0, 0, 0, 0, 1))])
        }
        ("_imaps._tcp.example.org.", RecordType::SRV) => {
            Ok(vec![RData::SRV(SRV::new(1, 2, 993, name("IMAP.example.org.")))])
        }
        ("txt.example.", RecordType::TXT) => {
            Ok(vec![RData::TXT(TXT::new(vec!["v=spf1 ".to_owned(), "-all".to_owned()]))])
        }
        ("half.example." | "doubt.example.", RecordType::AAAA) | ("broken.example.", _) => {
            Err(ResponseCode::ServFail)
        }
        ("refused.example.", _) => Err(ResponseCode::Refused),
        ("bare.example." | "doubt.example.", _) => Ok(Vec::new()),
        _ => Err(ResponseCode::NXDomain),
    }
}

/// Serves [`answer`] on loopback until the test's runtime ends.
async fn resolver() -> Resolver {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let query = Message::from_vec(&buffer[..length]).unwrap();
            let question = query.queries[0].clone();
            let mut response = Message::response(query.metadata.id, query.metadata.op_code);
            response.add_query(question.clone());
            match answer(&question.name().to_ascii().to_lowercase(), question.query_type()) {
                Ok(answers) => {
                    for data in answers {
                        response.add_answer(Record::from_rdata(question.name().clone(), 60, data));
                    }
                }
                Err(code) => response.metadata.response_code = code,
            }
            socket.send_to(&response.to_vec().unwrap(), peer).await.unwrap();
        }
    });
    let text = format!("[dns]\nservers = [\"{address}\"]\ntimeout = \"1s\"\nattempts = 1");
    Resolver::new(&config::Config::parse(&text, |_| None).unwrap().dns).unwrap()
}

#[tokio::test]
async fn exchanges_come_by_preference_and_equal_ones_in_any_order() {
    let resolver = resolver().await;
    let mut orders = HashSet::new();
    for _ in 0..64 {
        let Exchanges::Hosts(hosts) = resolver.mx("example.org").await.unwrap() else {
            panic!("not null")
        };
        assert_eq!(hosts[0], Exchange { preference: 10, host: "a.example.org".to_owned() });
        assert_eq!([hosts[1].preference, hosts[2].preference], [20, 20]);
        orders.insert(hosts[1].host.clone());
    }
    assert_eq!(orders.len(), 2);
}

#[tokio::test]
async fn a_null_mx_is_told_from_no_mx() {
    let resolver = resolver().await;
    assert_eq!(resolver.mx("null.example").await, Ok(Exchanges::Null));
    assert_eq!(resolver.mx("bare.example").await, Err(DnsError::NotFound));
    assert_eq!(resolver.mx("missing.example").await, Err(DnsError::NotFound));
}

#[tokio::test]
async fn doubt_is_never_a_no() {
    let resolver = resolver().await;
    for domain in ["broken.example", "refused.example"] {
        let result = resolver.mx(domain).await;
        assert!(matches!(result, Err(DnsError::Temporary(_))), "{domain}: {result:?}");
    }
    let result = resolver.addresses("doubt.example").await;
    assert!(matches!(result, Err(DnsError::Temporary(_))), "{result:?}");
}

#[tokio::test]
async fn addresses_of_both_kinds_or_of_one() {
    let resolver = resolver().await;
    let both: Vec<IpAddr> = vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()];
    assert_eq!(resolver.addresses("a.example.org").await, Ok(both.clone()));
    assert_eq!(resolver.addresses("half.example").await, Ok(both[1..].to_vec()));
    assert_eq!(resolver.addresses("bare.example").await, Err(DnsError::NotFound));
}

#[tokio::test]
async fn strings_of_one_txt_record_are_one_text() {
    let resolver = resolver().await;
    assert_eq!(resolver.txt("txt.example").await, Ok(vec!["v=spf1 -all".to_owned()]));
    assert_eq!(resolver.txt("bare.example").await, Err(DnsError::NotFound));
}

#[tokio::test]
async fn services_have_a_host_and_a_port() {
    let resolver = resolver().await;
    let host = "imap.example.org".to_owned();
    let service = Service { priority: 1, weight: 2, port: 993, host };
    assert_eq!(resolver.srv("_imaps._tcp.example.org").await, Ok(vec![service]));
    assert_eq!(resolver.srv("bare.example").await, Err(DnsError::NotFound));
}

#[tokio::test]
async fn what_is_no_name_is_not_found() {
    let resolver = resolver().await;
    for text in ["", "..", "a..b", &"x".repeat(64), &"x.".repeat(200)] {
        assert_eq!(resolver.txt(text).await, Err(DnsError::NotFound), "{text}");
    }
}

#[test]
fn domains_have_one_form() {
    assert_eq!(ascii_domain("B\u{fc}cher.Example.").unwrap(), "xn--bcher-kva.example");
    assert_eq!(ascii_domain("A.example").unwrap(), "a.example");
    assert_eq!(ascii_domain("a..b"), None);
}
