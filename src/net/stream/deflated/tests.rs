use std::io::Write as _;

use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::super::tests::{LIMIT, SOON, pair, read};
use super::*;
use crate::net::read_buffer::MOST;
use crate::net::stream::Stream;

async fn compressed() -> (Stream, Stream) {
    let (mut client, mut server) = pair().await;
    client.compress();
    server.compress();
    (client, server)
}

/// What a peer sends that says `bytes` and nothing more.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn each_word_is_there_once_it_is_flushed() {
    let (mut client, mut server) = compressed().await;
    for word in [&b"a1 NOOP\r\n"[..], b"x", b"a2 IDLE\r\n"] {
        client.write_all(word, LIMIT).await.unwrap();
        client.flush(LIMIT).await.unwrap();
        assert_eq!(read(&mut server, word.len()).await, word);
        server.write_all(word, LIMIT).await.unwrap();
        server.flush(LIMIT).await.unwrap();
        assert_eq!(read(&mut client, word.len()).await, word);
        // The next word is read also where what wrote has been dropped since.
        client.deflated.as_mut().unwrap().deflate = None;
    }
}

#[tokio::test]
async fn what_writes_is_dropped_in_a_pause() {
    let (mut client, mut server) = compressed().await;
    server.write_all(b"* OK\r\n", LIMIT).await.unwrap();
    server.flush(LIMIT).await.unwrap();
    assert!(server.deflated.as_ref().unwrap().deflate.is_some());
    let late = server.fill(PAUSE + SOON).await.unwrap_err();
    assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    assert!(server.deflated.as_ref().unwrap().deflate.is_none());
    assert_eq!(read(&mut client, 6).await, b"* OK\r\n");
}

#[tokio::test]
async fn a_bomb_grows_no_memory() {
    let (mut client, mut server) = pair().await;
    server.compress();
    let bomb = packed(&vec![b'x'; 64 << 20]);
    assert!(bomb.len() < 128 * 1024);
    let writer = tokio::spawn(async move {
        client.write_all(&bomb, LIMIT).await.unwrap();
        client
    });
    let mut seen = 0;
    while server.fill(LIMIT).await.unwrap() > 0 {
        assert!(server.buffered().len() <= MOST);
        seen += server.buffered().len();
        server.consume(usize::MAX);
    }
    assert_eq!(seen, 64 << 20);
    // Whoever does not use it up is not given more without end.
    let _client = writer.await.unwrap();
    let (mut client, mut server) = compressed().await;
    let writer = tokio::spawn(async move {
        client.write_all(&vec![0; 4 * MOST], LIMIT).await.unwrap();
        client.flush(LIMIT).await.unwrap();
        client
    });
    let error = loop {
        if let Err(error) = server.fill(LIMIT).await {
            break error;
        }
    };
    assert_eq!((error.kind(), server.buffered().len()), (io::ErrorKind::InvalidData, MOST));
    writer.await.unwrap();
}

#[tokio::test]
async fn what_is_not_deflate_ends_the_connection() {
    let (mut client, mut server) = pair().await;
    server.compress();
    client.write_all(b"a1 NOOP\r\na2 LOGOUT\r\n", LIMIT).await.unwrap();
    let kind = server.fill(LIMIT).await.unwrap_err().kind();
    assert_eq!(kind, io::ErrorKind::InvalidData);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn bytes_come_out_as_they_went_in(
        words in prop::collection::vec((0_usize..60_000, any::<u8>(), any::<bool>()), 1..12)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let words: Vec<Vec<u8>> = words
            .into_iter()
            .map(|(count, seed, dull)| {
                let byte = |i: usize| {
                    let i = if dull { 0 } else { i.wrapping_mul(i) / 7 };
                    i.to_le_bytes()[0] ^ seed
                };
                (0..count).map(byte).collect()
            })
            .collect();
        let expected = words.concat();
        let got = runtime.block_on(async {
            let (mut client, mut server) = compressed().await;
            let writer = tokio::spawn(async move {
                for word in &words {
                    client.write_all(word, LIMIT).await.unwrap();
                    client.flush(LIMIT).await.unwrap();
                }
                client
            });
            let got = read(&mut server, expected.len()).await;
            drop(writer.await.unwrap());
            got
        });
        prop_assert!(got == expected);
    }
}
