"""interimap keeps two mailboxes alike by QRESYNC, both of them on this server. See client.py for the
arguments."""

from client import Box, folder, run, site

CONFIG = """
database = {path}/state.db
list-mailbox = INBOX Archive

[local]
type = imaps
host = localhost
port = {at.tls_port}
username = {at.user}
password = {at.password}
SSL_CAfile = {at.ca_file}

[remote]
type = imaps
host = localhost
port = {at.tls_port}
username = {at.other}
password = {at.password}
SSL_CAfile = {at.ca_file}
"""


def main():
    at = site()
    near, far = Box(at, at.user), Box(at, at.other)
    for subject in ("stays", "is read near", "goes near", "goes far"):
        far.put("INBOX", subject)
    near.put("Archive", "kept", r"\Seen")
    with folder() as path:
        config = path / "config"
        config.write_text(CONFIG.format(at=at, path=path))

        def sync():
            run("interimap", f"--config={config}", "--quiet")
            for name in ("INBOX", "Archive"):
                assert near.flags(name) == far.flags(name), (near.flags(name), far.flags(name))

        sync()
        assert set(near.flags("INBOX")) == {"stays", "is read near", "goes near", "goes far"}
        assert far.flags("Archive") == {"kept": {r"\Seen"}}

        # Both sides change: flags, what is gone, and what is new.
        near.change("INBOX", "is read near", r"\Seen \Answered")
        near.change("INBOX", "goes near", r"\Deleted")
        near.put("INBOX", "new near", r"\Flagged")
        far.change("INBOX", "stays", r"\Flagged work")
        far.change("INBOX", "goes far", r"\Deleted")
        far.put("INBOX", "new far")
        sync()
        now = {
            "stays": {r"\Flagged", "work"},
            "is read near": {r"\Seen", r"\Answered"},
            "new near": {r"\Flagged"},
            "new far": set(),
        }
        assert near.flags("INBOX") == now, near.flags("INBOX")

        # Nothing is left to do.
        uids = near.search("INBOX", "ALL"), far.search("INBOX", "ALL")
        sync()
        assert (near.search("INBOX", "ALL"), far.search("INBOX", "ALL")) == uids


if __name__ == "__main__":
    main()
