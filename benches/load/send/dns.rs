//! A name server for which `dN.load.test` has the server `mx.dN.load.test`, at 127.0.1.(N + 1).

use std::net::SocketAddr;

use tokio::net::UdpSocket;

const MX: u16 = 15;
const A: u16 = 1;

/// Starts it; it runs as long as the program.
pub async fn start() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((size, from)) = socket.recv_from(&mut packet).await {
            let _ = socket.send_to(&answer(&packet[..size]), from).await;
        }
    });
    address
}

/// The address of a destination's server.
pub fn address(destination: usize) -> String {
    format!("127.0.1.{}", destination + 1)
}

/// RFC 1035 §4.1: the header, the question as it came, and one record or none.
fn answer(query: &[u8]) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] > 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    let question = &query[12..at + 5];
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let data = match (kind, labels.first().map(String::as_str)) {
        (MX, Some(first)) if first != "mx" => {
            // Preference 10, and the name of the question behind "mx".
            Some([&[0, 10, 2, b'm', b'x', 0xC0, 12][..]].concat())
        }
        (A, Some("mx")) => {
            let number: usize = labels[1].trim_start_matches('d').parse().unwrap();
            let ip: std::net::Ipv4Addr = address(number).parse().unwrap();
            Some(ip.octets().to_vec())
        }
        _ => None,
    };
    let mut out =
        [&query[..2], &[0x84, 0, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0], question].concat();
    if let Some(data) = data {
        // The name is that of the question; an hour.
        out.extend([0xC0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0x0E, 0x10, 0, data.len() as u8]);
        out.extend(data);
    }
    out
}
