//! Unsubscribing with one click: the fields that offer it (RFC 2369, RFC 8058)
//! and the request that does it.

/// The fields for a message whose reader leaves by `url`, each with its line end.
///
/// One click needs HTTPS (RFC 8058 §3.1): elsewhere only the address is given,
/// which a reader opens and confirms.
pub fn fields(url: &str) -> String {
    let address = format!("List-Unsubscribe: <{url}>\r\n");
    if url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")) {
        return address + "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
    }
    address
}

/// Whether the body of a POST asks to unsubscribe: the one pair of RFC 8058
/// §3.2, in either form that a browser writes forms in. The boundary of
/// `multipart/form-data` need not be known for it.
pub fn is_asked(body: &[u8]) -> bool {
    let pair = b"List-Unsubscribe=One-Click".as_slice();
    body.split(|octet| *octet == b'&').any(|found| found.trim_ascii() == pair) || is_part(body)
}

/// Whether a part named `List-Unsubscribe` says `One-Click`.
fn is_part(body: &[u8]) -> bool {
    let mut lines = body.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    let named = lines.by_ref().any(|line| {
        let line = line.to_ascii_lowercase();
        let mut words = line.split(|octet| *octet == b';').map(<[u8]>::trim_ascii);
        words.next().is_some_and(|first| first.starts_with(b"content-disposition:"))
            && words.any(|word| word == b"name=\"list-unsubscribe\"")
    });
    named && lines.skip_while(|line| !line.is_empty()).nth(1) == Some(b"One-Click")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_click_is_offered_over_https_only() {
        assert_eq!(
            fields("https://go.example/u/1"),
            "List-Unsubscribe: <https://go.example/u/1>\r\n\
             List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        );
        assert_eq!(
            fields("http://go.example/u/1"),
            "List-Unsubscribe: <http://go.example/u/1>\r\n"
        );
    }

    /// RFC 8058 §8.1 and §8.2.
    #[test]
    fn the_requests_of_the_rfc() {
        let multipart = "---FormBoundaryjWmhtjORrn\r\n\
            Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n\
            One-Click\r\n---FormBoundaryjWmhtjORrn--\r\n";
        assert!(is_asked(b"List-Unsubscribe=One-Click"));
        assert!(is_asked(b"from=page&List-Unsubscribe=One-Click\r\n"));
        assert!(is_asked(multipart.as_bytes()));
        assert!(!is_asked(multipart.replace("One-Click", "No").as_bytes()));
        assert!(!is_asked(multipart.replace("List-Unsubscribe", "Other").as_bytes()));
        for other in ["", "List-Unsubscribe=", "List-Unsubscribe", "x=List-Unsubscribe=One-Click"] {
            assert!(!is_asked(other.as_bytes()), "{other}");
        }
    }

    proptest! {
        #[test]
        fn whatever_else_a_form_holds(before in "[^&]{0,40}", after in "[^&]{0,40}") {
            let body = format!("a={before}&List-Unsubscribe=One-Click&b={after}");
            prop_assert!(is_asked(body.as_bytes()));
        }
    }
}
