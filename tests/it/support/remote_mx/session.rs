//! One connection to the remote server.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Received, Shared, Step};

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

struct Session {
    io: BufReader<Box<dyn Io>>,
    shared: Arc<Shared>,
    /// The message in the making.
    draft: Received,
}

/// Why a conversation ends.
struct Over;

pub async fn serve(stream: TcpStream, shared: Arc<Shared>, connection: usize) {
    let draft = Received {
        connection,
        from: stream.peer_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip()),
        helo: String::new(),
        tls: false,
        mail_from: String::new(),
        rcpt_to: Vec::new(),
        data: Vec::new(),
        accepted: false,
    };
    let mut session = Session { io: BufReader::new(Box::new(stream)), shared, draft };
    if session.answer("CONNECT", "220 remote.test ESMTP").await.is_ok() {
        while let Ok(line) = session.line().await {
            if session.command(&line).await.is_err() {
                break;
            }
        }
    }
}

impl Session {
    async fn command(&mut self, line: &str) -> Result<(), Over> {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => {
                line.get(5..).unwrap_or_default().clone_into(&mut self.draft.helo);
                let offer = self.ehlo();
                self.reset();
                self.answer(line, &offer).await?;
            }
            "STARTTLS" if self.shared.tls.is_some() && !self.draft.tls => {
                if self.answer(line, "220 2.0.0 Go ahead").await? {
                    self.start_tls().await?;
                }
            }
            "MAIL" => {
                self.reset();
                if self.answer(line, "250 2.1.0 Ok").await? {
                    line.get(10..).unwrap_or_default().clone_into(&mut self.draft.mail_from);
                }
            }
            "RCPT" => {
                if self.answer(line, "250 2.1.5 Ok").await? {
                    self.draft.rcpt_to.push(line.get(8..).unwrap_or_default().to_owned());
                }
            }
            "DATA" if self.draft.rcpt_to.is_empty() => {
                self.answer(line, "554 5.5.1 No valid recipients").await?;
            }
            "DATA" => {
                if self.answer(line, "354 Go on").await? {
                    self.content().await?;
                }
            }
            "RSET" | "NOOP" => {
                self.reset();
                self.answer(line, "250 2.0.0 Ok").await?;
            }
            "QUIT" => {
                self.answer(line, "221 2.0.0 Bye").await?;
                return Err(Over);
            }
            _ => {
                self.answer(line, "500 5.5.1 What?").await?;
            }
        }
        Ok(())
    }

    fn ehlo(&self) -> String {
        let mut lines = vec!["remote.test"];
        lines.extend(self.shared.extensions.lock().unwrap().iter());
        if self.shared.tls.is_some() && !self.draft.tls {
            lines.push("STARTTLS");
        }
        let last = lines.len() - 1;
        let lines = lines.iter().enumerate();
        let lines: Vec<String> = lines
            .map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }))
            .collect();
        lines.join("\r\n")
    }

    async fn start_tls(&mut self) -> Result<(), Over> {
        if matches!(self.shared.step("TLS"), Some(Step::Drop)) {
            return Err(Over);
        }
        assert!(self.io.buffer().is_empty(), "plaintext after STARTTLS");
        let plain = std::mem::replace(&mut self.io, BufReader::new(Box::new(tokio::io::empty())));
        let acceptor = self.shared.tls.clone().ok_or(Over)?;
        let secure = acceptor.accept(plain.into_inner()).await.map_err(|_| Over)?;
        self.io = BufReader::new(Box::new(secure));
        self.draft.tls = true;
        self.reset();
        Ok(())
    }

    /// Reads to CRLF.CRLF, keeps the message, answers.
    async fn content(&mut self) -> Result<(), Over> {
        loop {
            let mut line = Vec::new();
            if self.io.read_until(b'\n', &mut line).await.map_err(|_| Over)? == 0 {
                return Err(Over);
            }
            if line == b".\r\n" {
                break;
            }
            self.draft.data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let message = self.draft.clone();
        self.shared.seen.send_modify(|seen| seen.messages.push(message));
        let place = self.shared.seen.borrow().messages.len() - 1;
        let accepted = self.answer(".", "250 2.0.0 Ok: queued as 1").await?;
        self.shared.seen.send_modify(|seen| seen.messages[place].accepted = accepted);
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.draft.mail_from.clear();
        self.draft.rcpt_to.clear();
        self.draft.data.clear();
    }

    async fn line(&mut self) -> Result<String, Over> {
        let mut line = String::new();
        match self.io.read_line(&mut line).await {
            Ok(length) if length > 0 => {
                line.truncate(line.trim_end().len());
                self.shared.seen.send_modify(|seen| seen.commands.push(line.clone()));
                Ok(line)
            }
            _ => Err(Over),
        }
    }

    /// Does what the rules say about `line`, else gives the usual answer.
    /// Whether the answer was positive.
    async fn answer(&mut self, line: &str, usual: &str) -> Result<bool, Over> {
        let (text, close) = match self.shared.step(line) {
            None => (usual.to_owned(), false),
            Some(Step::Reply(text)) => (text, false),
            Some(Step::ReplyAndClose(text)) => (text, true),
            Some(Step::Drop) => return Err(Over),
            Some(Step::Silence) => std::future::pending().await,
        };
        self.io.write_all(format!("{text}\r\n").as_bytes()).await.map_err(|_| Over)?;
        self.io.flush().await.map_err(|_| Over)?;
        if close {
            return Err(Over);
        }
        Ok(text.starts_with('2') || text.starts_with('3'))
    }
}
