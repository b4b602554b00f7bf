//! Takes mail and counts it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A server on one port of every loopback address.
pub struct Sink {
    pub port: u16,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    open: AtomicUsize,
    taken: AtomicUsize,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], 0))).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let all = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counts = Arc::clone(&all);
                counts.connections.fetch_add(1, Ordering::Relaxed);
                counts.open.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    // Who hangs up has nothing more to say.
                    let _ = serve(stream, &counts).await;
                    counts.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { port, counts }
    }

    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::Relaxed)
    }

    pub fn forget(&self) {
        self.counts.connections.store(0, Ordering::Relaxed);
        self.counts.taken.store(0, Ordering::Relaxed);
    }

    pub async fn until_taken(&self, messages: usize, limit: Duration) {
        let taken = || self.counts.taken.load(Ordering::Relaxed);
        until(limit, || taken() >= messages).await;
        assert_eq!(taken(), messages, "messages were lost or came twice");
    }

    pub async fn until_idle(&self, limit: Duration) {
        until(limit, || self.counts.open.load(Ordering::Relaxed) == 0).await;
    }
}

async fn until(limit: Duration, reached: impl Fn() -> bool) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < limit, "waited for too long");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn serve(stream: TcpStream, counts: &Counts) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(32 * 1024, stream);
    stream.write_all(b"220 sink\r\n").await?;
    let mut line = Vec::new();
    let mut replies = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_slice() {
            b"EHLO" => replies.extend_from_slice(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"),
            b"DATA" => {
                replies.extend_from_slice(b"354 go on\r\n");
                stream.write_all(&replies).await?;
                replies.clear();
                while line != b".\r\n" {
                    line.clear();
                    stream.read_until(b'\n', &mut line).await?;
                }
                counts.taken.fetch_add(1, Ordering::Relaxed);
                replies.extend_from_slice(b"250 taken\r\n");
            }
            b"QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => replies.extend_from_slice(b"250 ok\r\n"),
        }
        if stream.buffer().is_empty() {
            stream.write_all(&replies).await?;
            replies.clear();
        }
    }
}
