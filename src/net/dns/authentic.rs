//! Questions to a resolver whose word is believed: whether it calls an answer authentic (the AD bit,
//! RFC 4035 §3.2.3), and the TLSA records of servers (RFC 7672).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_resolver::proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::{DnsError, Resolver};
use crate::net::tls::Tlsa;

/// Octets of an answer by UDP; longer ones come by TCP.
const DATAGRAM: u16 = 1232;

impl Resolver {
    /// Whether the resolvers validate, and the way to them is safe.
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Whether the mail exchanges of a domain are authentic, or that it has none.
    pub async fn has_authentic_mx(&self, domain: &str) -> Result<bool, DnsError> {
        Ok(self.ask(domain, RecordType::MX).await?.metadata.authentic_data)
    }

    /// The authentic TLSA records of the server on `port` of `host`, whose addresses are authentic
    /// too; none where it has none.
    ///
    /// # Errors
    /// [`DnsError::Temporary`] also where an answer is not what was signed: nobody may be connected to.
    pub async fn tlsa(&self, host: &str, port: u16) -> Result<Vec<Tlsa>, DnsError> {
        let (v4, v6) =
            tokio::join!(self.ask(host, RecordType::A), self.ask(host, RecordType::AAAA));
        if !v4?.metadata.authentic_data || !v6?.metadata.authentic_data {
            return Ok(Vec::new());
        }
        let answer = self.ask(&format!("_{port}._tcp.{host}"), RecordType::TLSA).await?;
        if !answer.metadata.authentic_data {
            return Ok(Vec::new());
        }
        let records = answer.answers.iter().filter_map(|record| match &record.data {
            RData::TLSA(tlsa) => Some(Tlsa {
                usage: tlsa.cert_usage.into(),
                selector: tlsa.selector.into(),
                matching: tlsa.matching.into(),
                data: tlsa.cert_data.clone(),
            }),
            _ => None,
        });
        Ok(records.collect())
    }

    /// The whole answer, which may say that there is no such name.
    async fn ask(&self, name: &str, kind: RecordType) -> Result<Message, DnsError> {
        let mut name = Name::from_str_relaxed(name).map_err(|_| DnsError::NotFound)?;
        name.set_fqdn(true);
        let question = question(name, kind);
        let wire = question.to_vec().map_err(|error| DnsError::Temporary(error.to_string()))?;
        let mut why = "no resolver is known".to_owned();
        for _ in 0..self.options.attempts.max(1) {
            for server in self.servers() {
                match timeout(self.options.timeout, exchange(server, &question, &wire)).await {
                    Ok(Ok(answer)) => match answer.metadata.response_code {
                        ResponseCode::NoError | ResponseCode::NXDomain => return Ok(answer),
                        code => why = code.to_string(),
                    },
                    Ok(Err(error)) => why = error.to_string(),
                    Err(_) => "no answer in time".clone_into(&mut why),
                }
            }
        }
        Err(DnsError::Temporary(why))
    }

    fn servers(&self) -> impl Iterator<Item = SocketAddr> {
        self.config.name_servers().iter().map(|server| {
            let port = server.connections.first().map_or(53, |connection| connection.port);
            SocketAddr::new(server.ip, port)
        })
    }
}

/// Who sets AD wants to hear it.
fn question(name: Name, kind: RecordType) -> Message {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.metadata.authentic_data = true;
    let mut edns = Edns::new();
    edns.set_max_payload(DATAGRAM);
    question.set_edns(edns);
    question.add_query(Query::query(name, kind));
    question
}

async fn exchange(server: SocketAddr, question: &Message, wire: &[u8]) -> io::Result<Message> {
    let answer = by_udp(server, question, wire).await?;
    if answer.metadata.truncation { by_tcp(server, question, wire).await } else { Ok(answer) }
}

async fn by_udp(server: SocketAddr, question: &Message, wire: &[u8]) -> io::Result<Message> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(wire).await?;
    let mut octets = [0; DATAGRAM as usize];
    loop {
        let length = socket.recv(&mut octets).await?;
        // What answers another question is not for us.
        if let Some(answer) = octets.get(..length).and_then(|octets| answer(octets, question)) {
            return Ok(answer);
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &Message, wire: &[u8]) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(wire.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), wire].concat()).await?;
    let mut octets = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut octets).await?;
    answer(&octets, question).ok_or_else(|| io::Error::other("the answer is to another question"))
}

fn answer(octets: &[u8], question: &Message) -> Option<Message> {
    let answer = Message::from_vec(octets).ok()?;
    let is_ours = answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.queries == question.queries;
    is_ours.then_some(answer)
}
