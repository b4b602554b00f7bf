"""mbsync keeps a Maildir and the mailbox alike, both ways. See client.py for the arguments."""

from client import Box, Maildir, folder, run, site

CONFIG = """
IMAPAccount a
Host localhost
Port {at.tls_port}
User {at.user}
Pass "{at.password}"
SSLType IMAPS
CertificateFile {at.ca_file}

IMAPStore far
Account a

MaildirStore near
Path {path}/mail/
Inbox {path}/mail/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState {path}/state/
"""


def main():
    at = site()
    box = Box(at, at.user)
    for subject in ("stays", "is read here", "goes here", "goes there"):
        box.put("INBOX", subject)
    box.put("Archive", "kept", r"\Seen")
    with folder() as path:
        config = path / "mbsyncrc"
        config.write_text(CONFIG.format(at=at, path=path))
        (path / "mail").mkdir()
        (path / "state").mkdir()
        inbox, drafts = Maildir(path / "mail/INBOX"), Maildir(path / "mail/Drafts")

        def sync():
            run("mbsync", "--config", config, "--all")

        sync()
        assert inbox.find("The body of stays.")
        assert Maildir(path / "mail/Archive").flags("The body of kept.") == {"S"}

        # Both sides change.
        inbox.flag("body of is read here", "RS")
        inbox.flag("body of goes here", "T")
        drafts.write("local", "D")
        box.change("INBOX", "stays", r"\Flagged")
        box.change("INBOX", "goes there", r"\Deleted")
        box.put("INBOX", "new there")
        sync()
        assert inbox.flags("body of stays") == {"F"}
        assert inbox.find("body of new there") and not inbox.find("body of goes")
        now = {"stays": {r"\Flagged"}, "is read here": {r"\Answered", r"\Seen"}, "new there": set()}
        assert box.flags("INBOX") == now, box.flags("INBOX")
        assert box.flags("Drafts") == {"local": {r"\Draft"}}

        # Nothing is left to do.
        before = sorted((path / "mail").rglob("*"))
        sync()
        assert sorted((path / "mail").rglob("*")) == before
        assert box.flags("INBOX") == now


if __name__ == "__main__":
    main()
