"""fetchmail takes what is unread out of the mailbox, byte for byte. See client.py for the
arguments."""

from client import Box, folder, run, site

CONFIG = """
set no bouncemail
set invisible
poll localhost protocol IMAP service {at.tls_port}
  user "{at.user}" password "{at.password}"
  ssl sslcertck sslcertfile {at.ca_file}
  mda "cat >> {path}/mail.%T"
"""


def main():
    at = site()
    box = Box(at, at.user)
    sent = [box.put("INBOX", "first"), box.put("INBOX", "second")]
    box.put("INBOX", "read before", r"\Seen")
    with folder() as path:
        config = path / "fetchmailrc"
        config.write_text(CONFIG.format(at=at, path=path))
        config.chmod(0o600)
        environment = {"HOME": str(path), "FETCHMAILHOME": str(path), "PATH": "/usr/bin:/bin"}

        def fetch(fine):
            run("fetchmail", "--fetchmailrc", config, "--nosyslog", fine=fine, env=environment)
            return b"".join(file.read_bytes() for file in path.glob("mail.*"))

        got = fetch((0,))
        for message in sent:
            _, text = message.replace(b"\r\n", b"\n").split(b"\n\n", 1)
            assert text in got, got
        assert b"read before" not in got
        # What was taken is gone; what was read before is not.
        assert box.flags("INBOX") == {"read before": {r"\Seen"}}, box.flags("INBOX")
        # "No new mail" is 1.
        assert fetch((1,)) == got


if __name__ == "__main__":
    main()
