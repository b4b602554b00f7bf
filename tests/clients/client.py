"""What the scripts here share: the accounts, a look at the mailbox from outside, and how a program
is run.

usage of every script: SCRIPT STARTTLS_PORT TLS_PORT SUBMISSION_PORT CA_FILE PASSWORD USER OTHER_USER

Each exits with 0 when all of it worked; the first thing that did not is an AssertionError. The two
mailboxes are empty at first, and the second is used by scripts that need one only.
"""

import contextlib
import imaplib
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60


@dataclass
class Site:
    """Where the server is, and who may log in."""

    starttls_port: int
    tls_port: int
    submission_port: int
    ca_file: str
    password: str
    user: str
    other: str


def site():
    """The arguments of the script."""
    starttls, tls, submission, ca_file, password, user, other = sys.argv[1:]
    return Site(int(starttls), int(tls), int(submission), ca_file, password, user, other)


@contextlib.contextmanager
def folder():
    """A path that is there for a while."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def run(*command, fine=(0,), **options):
    """Runs a program that has to succeed; what it prints. One that asks would wait for ever."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        **options,
    )
    out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    assert done.returncode in fine, (command[0], done.returncode, out, err)
    return out


def ok(answer):
    """The data of an answer that must be OK."""
    status, data = answer
    assert status == "OK", (status, data)
    return data


class Box:
    """A mailbox as the server has it."""

    def __init__(self, site, user):
        context = ssl.create_default_context(cafile=site.ca_file)
        self.imap = imaplib.IMAP4_SSL("localhost", site.tls_port, ssl_context=context)
        ok(self.imap.login(user, site.password))

    def put(self, folder, subject, flags=""):
        """Puts a small message into a folder."""
        message = (
            f"From: Ann <ann@client.example>\r\nTo: Bob <bob@client.example>\r\n"
            f"Date: Wed, 17 Jul 1996 02:23:25 -0700\r\nSubject: {subject}\r\n"
            f"Message-ID: <{subject.replace(' ', '.')}@client.example>\r\n\r\n"
            f"The body of {subject}.\r\n"
        )
        ok(self.imap.append(folder, f"({flags})", None, message.encode()))
        return message.encode()

    def flags(self, folder):
        """Subjects in a folder, in order, and what flags each has."""
        if ok(self.imap.select(folder, readonly=True)) == [b"0"]:
            return {}
        found = {}
        fetched = ok(self.imap.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
        for told, field in (pair for pair in fetched if isinstance(pair, tuple)):
            subject = field.decode().strip().removeprefix("Subject: ")
            flags = imaplib.ParseFlags(told)
            found[subject] = {flag.decode() for flag in flags} - {r"\Recent"}
        return found

    def search(self, folder, *keys):
        """UIDs of the messages in a folder for which the keys hold."""
        ok(self.imap.select(folder, readonly=True))
        return [int(uid) for uid in ok(self.imap.uid("SEARCH", *keys))[0].split()]

    def change(self, folder, subject, flags):
        """Adds flags to a message; one that is deleted is gone at once."""
        ok(self.imap.select(folder))
        (uid,) = ok(self.imap.uid("SEARCH", "SUBJECT", f'"{subject}"'))[0].split()
        ok(self.imap.uid("STORE", uid, "+FLAGS", f"({flags})"))
        if r"\Deleted" in flags:
            ok(self.imap.expunge())


class Maildir:
    """The copy that a program keeps of a folder."""

    def __init__(self, path):
        self.path = Path(path)

    def find(self, text):
        """The file that holds this text, if there is one."""
        for sub in ("new", "cur"):
            for file in sorted((self.path / sub).glob("*")):
                if text.encode() in file.read_bytes():
                    return file
        return None

    def flags(self, text):
        """The Maildir flags of the message that holds this text."""
        file = self.find(text)
        assert file, f"{text!r} is not in {self.path}"
        return set(file.name.partition(":2,")[2])

    def flag(self, text, flags):
        """Gives a message these Maildir flags."""
        file = self.find(text)
        file.rename(self.path / "cur" / f"{file.name.partition(':2,')[0]}:2,{flags}")

    def write(self, subject, flags):
        """Writes a new message."""
        text = f"From: a@client.example\nSubject: {subject}\nMessage-ID: <{subject}@here>\n\nWritten here.\n"
        (self.path / "cur" / f"1.{subject}:2,{flags}").write_text(text)
