"""curl lists, reads, searches, uploads and flags. See client.py for the arguments."""

from client import Box, folder, run, site


def main():
    at = site()
    box = Box(at, at.user)
    sent = box.put("INBOX", "curled")
    box.put("INBOX", "another")

    def curl(path, *options):
        command = ["curl", "--silent", "--show-error", "--cacert", at.ca_file]
        login = ["--user", f"{at.user}:{at.password}"]
        return run(*command, *login, *options, f"imaps://localhost:{at.tls_port}/{path}")

    assert '"/" INBOX' in curl("")
    assert curl("INBOX;UID=1").encode() == sent
    text = curl("INBOX;UID=1;SECTION=TEXT")
    assert text.strip() == "The body of curled.", text
    assert curl("INBOX?SUBJECT%20another").strip() == "* SEARCH 2"
    with folder() as path:
        file = path / "message"
        file.write_bytes(sent.replace(b"curled", b"uploaded"))
        curl("Drafts", "--upload-file", file)
    assert set(box.flags("Drafts")) == {"uploaded"}
    curl("INBOX", "--request", r"STORE 2 +FLAGS.SILENT (\Flagged)")
    curl("INBOX", "--request", "COPY 2 Archive")
    assert box.flags("Archive") == {"another": {r"\Flagged"}}
    # What was fetched is read; the other was only found.
    assert box.flags("INBOX") == {"curled": {r"\Seen"}, "another": {r"\Flagged"}}


if __name__ == "__main__":
    main()
