//! A DNS server on loopback whose records the test writes while it runs.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{
    Header, HeaderCounts, MessageType, Metadata, OpCode, ResponseCode,
};
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, TXT};
use hickory_server::proto::rr::{LowerName, Name, RData, Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;

/// The server. It stops when dropped.
pub struct Dns {
    addr: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _server: Server<Handler>,
}

#[derive(Default)]
struct Zone {
    records: HashMap<(LowerName, RecordType), Vec<RData>>,
    broken: HashSet<LowerName>,
    signed: HashSet<LowerName>,
    asked: HashMap<LowerName, usize>,
}

struct Handler(Arc<Mutex<Zone>>);

impl Dns {
    /// Starts on a free port of 127.0.0.1, UDP and TCP, with no records.
    pub async fn start() -> Self {
        let zone = Arc::new(Mutex::new(Zone::default()));
        let mut server = Server::new(Handler(Arc::clone(&zone)));
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = tcp.local_addr().unwrap();
        server.register_socket(tokio::net::UdpSocket::bind(addr).await.unwrap());
        server.register_listener(tcp, Duration::from_secs(5), 64);
        Self { addr, zone, _server: server }
    }

    /// Where it answers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `domain MX preference host`; host `.` is the null MX (RFC 7505).
    pub fn mx(&self, domain: &str, preference: u16, host: &str) -> &Self {
        self.add(domain, RData::MX(MX::new(preference, name(host))))
    }

    /// `host A ip` or `host AAAA ip`.
    pub fn ip(&self, host: &str, ip: IpAddr) -> &Self {
        let data = match ip {
            IpAddr::V4(ip) => RData::A(A(ip)),
            IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
        };
        self.add(host, data)
    }

    /// `host TXT text`, cut into strings of 255 octets.
    pub fn txt(&self, host: &str, text: &str) -> &Self {
        let strings: Vec<&[u8]> = text.as_bytes().chunks(255).collect();
        self.add(host, RData::TXT(TXT::from_bytes(strings)))
    }

    /// `alias CNAME host`.
    pub fn cname(&self, alias: &str, host: &str) -> &Self {
        self.add(alias, RData::CNAME(CNAME(name(host))))
    }

    /// The reverse record of `ip`.
    pub fn ptr(&self, ip: IpAddr, host: &str) -> &Self {
        self.add(&Name::from(ip).to_string(), RData::PTR(PTR(name(host))))
    }

    /// Any other record.
    pub fn add(&self, host: &str, data: RData) -> &Self {
        let key = (LowerName::new(&name(host)), data.record_type());
        self.zone.lock().unwrap().records.entry(key).or_default().push(data);
        self
    }

    /// Removes all records of this name and type.
    pub fn remove(&self, host: &str, kind: RecordType) -> &Self {
        self.zone.lock().unwrap().records.remove(&(LowerName::new(&name(host)), kind));
        self
    }

    /// Questions about `host` are answered SERVFAIL from now on, or no longer.
    pub fn broken(&self, host: &str, broken: bool) -> &Self {
        let host = LowerName::new(&name(host));
        let mut zone = self.zone.lock().unwrap();
        if broken {
            zone.broken.insert(host)
        } else {
            zone.broken.remove(&host)
        };
        drop(zone);
        self
    }

    /// What is said about `host` is called authentic from now on (RFC 4035 §3.2.3).
    pub fn sign(&self, host: &str) -> &Self {
        self.zone.lock().unwrap().signed.insert(LowerName::new(&name(host)));
        self
    }

    /// How many questions about `host` have come.
    pub fn asked(&self, host: &str) -> usize {
        self.zone.lock().unwrap().asked.get(&LowerName::new(&name(host))).copied().unwrap_or(0)
    }
}

impl Zone {
    /// The answer section, CNAMEs followed, or the error code.
    fn answer(&mut self, host: &LowerName, kind: RecordType) -> Result<Vec<Record>, ResponseCode> {
        *self.asked.entry(host.clone()).or_default() += 1;
        let mut host = host.clone();
        let mut answers = Vec::new();
        for _ in 0..8 {
            if self.broken.contains(&host) {
                return Err(ResponseCode::ServFail);
            }
            let owner = Name::from(host.clone());
            if let Some(found) = self.records.get(&(host.clone(), kind)) {
                answers.extend(
                    found.iter().map(|data| Record::from_rdata(owner.clone(), 1, data.clone())),
                );
                return Ok(answers);
            }
            match self.records.get(&(host.clone(), RecordType::CNAME)).and_then(|all| all.first()) {
                Some(RData::CNAME(target)) => {
                    answers.push(Record::from_rdata(owner, 1, RData::CNAME(target.clone())));
                    host = LowerName::new(&target.0);
                }
                _ => break,
            }
        }
        if answers.is_empty() && !self.records.keys().any(|(known, _)| *known == host) {
            return Err(ResponseCode::NXDomain);
        }
        Ok(answers)
    }
}

// Written out as the async_trait macro would, which is no dependency of ours.
impl RequestHandler for Handler {
    fn handle_request<'a, 'b, 'c, R, T>(
        &'a self,
        request: &'b Request,
        mut reply: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        R: ResponseHandler + 'c,
        T: Time + 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let mut metadata =
                Metadata::new(request.metadata.id, MessageType::Response, OpCode::Query);
            metadata.authoritative = true;
            let answers = request.request_info().map_or_else(
                |_| Err(ResponseCode::FormErr),
                |info| {
                    let query = info.query;
                    let mut zone = self.0.lock().unwrap();
                    metadata.authentic_data =
                        request.metadata.authentic_data && zone.signed.contains(query.name());
                    zone.answer(query.name(), query.query_type())
                },
            );
            let answers = answers.unwrap_or_else(|code| {
                metadata.response_code = code;
                Vec::new()
            });
            let response = MessageResponseBuilder::from_message_request(request).build(
                metadata,
                &answers,
                [],
                [],
                [],
            );
            // A test that has gone away needs no answer.
            reply.send_response(response).await.unwrap_or_else(|_| {
                ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
            })
        })
    }
}

fn name(text: &str) -> Name {
    let mut name = Name::from_utf8(text).unwrap();
    name.set_fqdn(true);
    name
}
