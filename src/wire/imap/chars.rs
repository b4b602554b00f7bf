//! Character classes of the grammar (RFC 3501 §9).

/// ```abnf
/// ATOM-CHAR     = <any CHAR except atom-specials>
/// atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
/// ```
pub(super) fn is_atom_char(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// ```abnf
/// ASTRING-CHAR = ATOM-CHAR / resp-specials
/// ```
pub(super) fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']'
}

/// Whether a byte may stand between quotes in what this server writes: printable ASCII and tab.
///
/// The grammar's TEXT-CHAR lets other control characters through; no client needs them.
pub(super) fn is_quotable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}

/// ```abnf
/// list-char      = ATOM-CHAR / list-wildcards / resp-specials
/// list-wildcards = "%" / "*"
/// ```
pub(super) fn is_list_char(byte: u8) -> bool {
    is_astring_char(byte) || matches!(byte, b'%' | b'*')
}

/// ```abnf
/// tag = 1*<any ASTRING-CHAR except "+">
/// ```
pub(super) fn is_tag_char(byte: u8) -> bool {
    is_astring_char(byte) && byte != b'+'
}
