"""neomutt reads, flags, copies and moves, and sends by submission. See client.py for the arguments."""

import shlex
import time

from client import SECONDS, Box, folder, run, site

CONFIG = """
set folder = "imaps://{at.user}@localhost:{at.tls_port}/"
set spoolfile = +INBOX
set imap_pass = "{at.password}"
set smtp_pass = "{at.password}"
set smtp_authenticators = "plain:login"
set smtp_url = "smtps://{at.user}@localhost:{at.submission_port}/"
set from = {at.user}
set ssl_ca_certificates_file = {at.ca_file}
set mbox_type = Maildir
set copy = no
set move = no
set delete = yes
set quit = yes
unset confirmappend
unset wait_key
"""


def read_and_file(box, config, path):
    """Types keys where the INBOX is shown; neomutt wants a terminal for that."""
    copy = path / "copy"
    keys = (
        f"<set-flag>!<copy-message>{copy}<enter>y<save-message>=Archive<enter><sync-mailbox><quit>"
    )
    typed = shlex.quote(f'push "{keys}"')
    command = f"TERM=xterm neomutt -n -F {config} -e {typed}"
    run("script", "--quiet", "--return", "--command", command, "/dev/null")
    (copied,) = [file for sub in ("new", "cur") for file in (copy / sub).iterdir()]
    assert "The body of for mutt." in copied.read_text()
    assert box.flags("INBOX") == {}
    assert r"\Flagged" in box.flags("Archive")["for mutt"]


def send(at, config, path):
    """By submission over TLS, with an attachment."""
    body = path / "body"
    body.write_text("Written in mutt.\n")
    command = f"neomutt -n -F {config} -s 'from mutt' -a {body} -- {at.other} < {body}"
    run("sh", "-c", command)
    there = Box(at, at.other)
    deadline = time.monotonic() + SECONDS
    while not (found := there.search("INBOX", "SUBJECT", '"from mutt"')):
        assert time.monotonic() < deadline, "the message does not come"
    there.imap.select("INBOX")
    _, fetched = there.imap.uid("FETCH", str(found[0]), "(BODY.PEEK[])")
    message = fetched[0][1]
    assert b"\r\n\r\nWritten in mutt.\r\n" in message, message
    assert b"Content-Disposition: attachment; filename" in message, message


def main():
    at = site()
    box = Box(at, at.user)
    box.put("INBOX", "for mutt")
    with folder() as path:
        config = path / "rc"
        config.write_text(CONFIG.format(at=at))
        read_and_file(box, config, path)
        send(at, config, path)


if __name__ == "__main__":
    main()
