"""A day of mail with Python's imaplib, over STARTTLS and over TLS. See client.py for the arguments."""

import email
import imaplib
import ssl
import time

from client import ok, site

MESSAGE = (
    b"From: Ann <ann@client.example>\r\nTo: bob@client.example\r\n"
    b"Subject: imaplib %d\r\nDate: Wed, 17 Jul 1996 02:23:25 -0700\r\n\r\nBody %d.\r\n"
)


def append_three(box):
    for number in range(3):
        when = imaplib.Time2Internaldate(time.time())
        ok(box.append("INBOX", r"(\Flagged)" if number == 1 else None, when, MESSAGE % (number, number)))


def read(box):
    assert ok(box.select("INBOX")) == [b"3"]
    assert ok(box.search(None, "FLAGGED")) == [b"2"]
    assert ok(box.uid("SEARCH", "SUBJECT", '"imaplib 2"')) == [b"3"]
    (envelope, raw), _ = ok(box.fetch("3", "(FLAGS BODY.PEEK[])"))[:2]
    assert raw == MESSAGE % (2, 2), raw
    assert b"FLAGS" in envelope
    assert email.message_from_bytes(raw)["Subject"] == "imaplib 2"
    assert box.response("UIDVALIDITY")[1][0].isdigit()


def sort(box):
    assert ok(box.sort("(REVERSE SUBJECT)", "UTF-8", "ALL")) == [b"3 2 1"]
    assert ok(box.thread("REFERENCES", "UTF-8", "ALL")) == [b"(1)(2)(3)"]


def change(box):
    ok(box.store("1", "+FLAGS", r"(\Seen \Answered)"))
    ok(box.create("Projects/2026"))
    ok(box.subscribe("Projects/2026"))
    ok(box.copy("1", "Projects/2026"))
    assert any(b"Projects/2026" in line for line in ok(box.lsub()))
    assert any(rb"\Sent" in line for line in ok(box.list()))
    ok(box.store("2", "+FLAGS", r"\Deleted"))
    assert ok(box.expunge()) == [b"2"]
    ok(box.noop())
    assert b"MESSAGES 2" in ok(box.status("INBOX", "(MESSAGES UNSEEN)"))[0]


def clean_up(box):
    ok(box.rename("Projects/2026", "Old"))
    assert ok(box.select("Old", readonly=True)) == [b"1"]
    ok(box.close())
    ok(box.delete("Old"))
    ok(box.select("INBOX"))
    ok(box.store("1:*", "+FLAGS.SILENT", r"\Deleted"))
    ok(box.close())
    box.logout()


def main():
    at = site()
    context = ssl.create_default_context(cafile=at.ca_file)
    plain = imaplib.IMAP4("localhost", at.starttls_port)
    try:
        plain.login(at.user, at.password)
        raise AssertionError("a password was taken in plain text")
    except imaplib.IMAP4.error as error:
        assert "PRIVACYREQUIRED" in str(error), error
    ok(plain.starttls(context))
    plain.authenticate("PLAIN", lambda _: f"\0{at.user}\0{at.password}".encode())
    append_three(plain)
    plain.logout()

    box = imaplib.IMAP4_SSL("localhost", at.tls_port, ssl_context=context)
    box.login(at.user, at.password)
    for name in ("IDLE", "UIDPLUS", "MOVE", "NAMESPACE"):
        assert name in box.capabilities, box.capabilities
    read(box)
    sort(box)
    change(box)
    clean_up(box)


if __name__ == "__main__":
    main()
