"""imapfilter searches, flags, copies, moves and deletes on the server. See client.py for the
arguments."""

from client import Box, folder, run, site

RULES = """
options.timeout = 30
options.create = true
options.certificates = true
options.namespace = false
box = IMAP {{
  server = "localhost", port = {at.tls_port}, ssl = "auto",
  username = "{at.user}", password = "{at.password}",
}}
inbox = box["INBOX"]
inbox:contain_subject("to keep"):mark_flagged()
inbox:contain_body("body of a copy"):copy_messages(box["Copies"])
inbox:contain_from("ann@client.example"):contain_subject("to move"):move_messages(box["Archive"])
done = inbox:is_seen() * inbox:is_smaller(100000)
done:delete_messages()
kept = inbox:contain_subject("to keep") + inbox:contain_subject("a copy")
kept:add_flags({{ "filtered" }})
"""


def main():
    at = site()
    box = Box(at, at.user)
    for subject in ("to keep", "a copy", "to move"):
        box.put("INBOX", subject)
    box.put("INBOX", "read and done", r"\Seen")
    with folder() as path:
        rules = path / "rules.lua"
        rules.write_text(RULES.format(at=at))
        # It keeps what it trusts below the home.
        (path / ".imapfilter").mkdir()
        environment = {"HOME": str(path), "PATH": "/usr/bin:/bin", "SSL_CERT_FILE": at.ca_file}
        run("imapfilter", "-c", rules, "-t", at.ca_file, env=environment)
    inbox = {"to keep": {r"\Flagged", "filtered"}, "a copy": {"filtered"}}
    assert box.flags("INBOX") == inbox, box.flags("INBOX")
    assert set(box.flags("Copies")) == {"a copy"}
    assert set(box.flags("Archive")) == {"to move"}


if __name__ == "__main__":
    main()
