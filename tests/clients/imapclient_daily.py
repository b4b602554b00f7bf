"""A day of mail with IMAPClient. See client.py for the arguments."""

import ssl

from client import Box, site
from imapclient import IMAPClient


def search(box):
    assert box.search(["SUBJECT", "two"]) == [2]
    assert box.search(["TEXT", "body of th"]) == [3]
    assert box.sort(["REVERSE SUBJECT"]) == [2, 3, 1]
    assert box.thread(algorithm="REFERENCES") == ((1,), (2,), (3,))


def read(box, sent):
    fetched = box.fetch([1, 2], ["ENVELOPE", "FLAGS", "BODYSTRUCTURE", "BODY.PEEK[]", "RFC822.SIZE"])
    assert sorted(fetched) == [1, 2]
    assert fetched[2][b"BODY[]"] == sent[1]
    assert fetched[2][b"RFC822.SIZE"] == len(sent[1])
    envelope = fetched[1][b"ENVELOPE"]
    assert envelope.subject == b"one" and str(envelope.from_[0]) == "Ann <ann@client.example>"
    assert not fetched[1][b"BODYSTRUCTURE"].is_multipart
    assert rb"\Seen" not in fetched[1][b"FLAGS"]


def change(box):
    assert set(box.add_flags([1], [rb"\Flagged", b"work"])[1]) >= {rb"\Flagged", b"work"}
    box.create_folder("Projekte/Größe")
    assert "Projekte/Größe" in [name for _, _, name in box.list_folders()]
    box.subscribe_folder("Projekte/Größe")
    assert [name for _, _, name in box.list_sub_folders("Projekte/")] == ["Projekte/Größe"]
    box.copy([1], "Projekte/Größe")
    box.move([2], "Archive")
    box.delete_messages([3])
    box.uid_expunge([3])
    assert box.search() == [1]
    assert box.folder_status("Archive", ["MESSAGES"]) == {b"MESSAGES": 1}
    assert box.find_special_folder(b"\\Sent") == "Sent"
    quotas = box.get_quota("INBOX")
    assert {quota.resource for quota in quotas} <= {"STORAGE", "MESSAGE"}


def idle(box, other):
    """News come while the client waits."""
    box.select_folder("INBOX")
    box.idle()
    other.put("INBOX", "four")
    told = box.idle_check(timeout=30)
    while (2, b"EXISTS") not in told:
        told += box.idle_check(timeout=30)
    box.idle_done()


def main():
    at = site()
    other = Box(at, at.user)
    sent = [other.put("INBOX", subject) for subject in ("one", "two", "three")]
    context = ssl.create_default_context(cafile=at.ca_file)
    with IMAPClient("localhost", port=at.tls_port, ssl_context=context, timeout=60) as box:
        box.login(at.user, at.password)
        assert b"koltrix-mail" in box.id_({"name": "test"})[0]
        assert box.select_folder("INBOX")[b"EXISTS"] == 3
        search(box)
        read(box, sent)
        change(box)
        idle(box, other)
    # What was made and where things went, as another client sees it.
    assert other.flags("INBOX") == {"one": {r"\Flagged", "work"}, "four": set()}
    assert set(other.flags("Archive")) == {"two"}
    assert set(other.flags("Projekte/Gr&APYA3w-e")) == {"one"}


if __name__ == "__main__":
    main()
