//! What a login can be bound to, so that nobody in between can pass it on (RFC 5056).

use rustls::CommonState;
use rustls::pki_types::CertificateDer;

use super::Stream;
use crate::net::transport::Transport;
use crate::wire::x509;

/// The channel bindings that a connection has; none in plain text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChannelBindings {
    /// `tls-exporter` (RFC 9266 §2): octets that only the two ends of this very connection know.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate.
    pub end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// The octets of the type that has this name, as IANA lists it.
    pub fn of_type(&self, name: &str) -> Option<&[u8]> {
        match name {
            "tls-exporter" => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            "tls-server-end-point" => self.end_point.as_deref(),
            _ => None,
        }
    }

    /// Whether there is nothing to bind to.
    pub fn is_empty(&self) -> bool {
        self.exporter.is_none() && self.end_point.is_none()
    }
}

impl Stream {
    /// What both ends can bind a login to.
    pub fn bindings(&self) -> ChannelBindings {
        ChannelBindings { exporter: self.exporter(), end_point: self.end_point() }
    }

    /// With TLS 1.3 only; before it, it takes more to be unique (RFC 9266 §4.2).
    fn exporter(&self) -> Option<[u8; 32]> {
        let (label, context) = (b"EXPORTER-Channel-Binding", Some(&b""[..]));
        let modern = |session: &CommonState| {
            session.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3)
        };
        match &self.transport {
            Transport::Server(stream) if modern(stream.get_ref().1) => {
                stream.get_ref().1.export_keying_material([0; 32], label, context).ok()
            }
            Transport::Client(stream) if modern(stream.get_ref().1) => {
                stream.get_ref().1.export_keying_material([0; 32], label, context).ok()
            }
            _ => None,
        }
    }

    fn end_point(&self) -> Option<Vec<u8>> {
        let leaf: Option<&CertificateDer<'_>> = match &self.transport {
            Transport::Server(_) => self.shown.as_ref().and_then(|pair| pair.cert.first()),
            Transport::Client(stream) => stream.get_ref().1.peer_certificates()?.first(),
            Transport::Plain(_) => None,
        };
        x509::end_point(leaf?)
    }
}
