"""offlineimap keeps a Maildir and the mailbox alike, both ways. See client.py for the arguments."""

from client import Box, Maildir, folder, run, site

CONFIG = """
[general]
accounts = a
metadata = {path}/state
ui = quiet

[Account a]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {path}/mail

[Repository far]
type = IMAP
remotehost = localhost
remoteport = {at.tls_port}
remoteuser = {at.user}
remotepass = {at.password}
ssl = yes
sslcacertfile = {at.ca_file}
"""


def main():
    at = site()
    box = Box(at, at.user)
    for subject in ("stays", "is read here", "goes here", "goes there"):
        box.put("INBOX", subject)
    box.put("Archive", "kept", r"\Seen")
    with folder() as path:
        config = path / "offlineimaprc"
        config.write_text(CONFIG.format(at=at, path=path))
        inbox, drafts = Maildir(path / "mail/INBOX"), Maildir(path / "mail/Drafts")

        def sync():
            run("offlineimap", "-c", config, "-o")

        sync()
        assert inbox.find("The body of stays.")
        assert Maildir(path / "mail/Archive").flags("The body of kept.") == {"S"}

        # Both sides change.
        inbox.flag("body of is read here", "RS")
        inbox.find("body of goes here").unlink()
        drafts.write("local", "DS")
        box.change("INBOX", "stays", r"\Flagged")
        box.change("INBOX", "goes there", r"\Deleted")
        box.put("INBOX", "new there")
        sync()
        assert inbox.flags("body of stays") == {"F"}
        assert inbox.find("body of new there") and not inbox.find("body of goes")
        now = {"stays": {r"\Flagged"}, "is read here": {r"\Answered", r"\Seen"}, "new there": set()}
        assert box.flags("INBOX") == now, box.flags("INBOX")
        assert box.flags("Drafts") == {"local": {r"\Draft", r"\Seen"}}, box.flags("Drafts")

        # Nothing is left to do.
        before = sorted((path / "mail").rglob("*"))
        sync()
        assert sorted((path / "mail").rglob("*")) == before
        assert box.flags("INBOX") == now


if __name__ == "__main__":
    main()
