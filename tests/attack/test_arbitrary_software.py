"""Arbitrary installation (specification 1.5.2): a mirror offers metadata that nobody signed, or files that nobody listed.

The mirror holds no key. Whatever it puts in the place of a document is refused before anything in it counts.
"""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, table
from tuffet.errors import AbsentError, MismatchError, ThresholdError, TooLargeError
from tuffet.metadata import TUF_JSON, hashes_of
from tuffet.metadata.schema import Unknown
from tuffet.testing import FakeRepository

Payload = Any
Forgery = Callable[[FakeRepository, str, Payload], bytes]


def stranger(repo: FakeRepository, role: str, payload: Payload) -> bytes:
    return repo.sign(payload, role, repo.new_signers(1))


def nobody(repo: FakeRepository, role: str, payload: Payload) -> bytes:
    return repo.sign(payload, role, ())


def impostor(repo: FakeRepository, role: str, payload: Payload) -> bytes:
    (right,) = repo.signers[role]
    return TUF_JSON.seal(payload, [(right.keyid, repo.new_signers(1)[0].sign(TUF_JSON.signed_bytes(payload)))])


def pasted(repo: FakeRepository, role: str, payload: Payload) -> bytes:
    """Carry over the good signature of a document that expires earlier."""
    (right,) = repo.signers[role]
    longer = replace(payload, expires="2099-01-01T00:00:00Z")
    return TUF_JSON.seal(longer, [(right.keyid, right.sign(TUF_JSON.signed_bytes(payload)))])


def other_role(repo: FakeRepository, role: str, payload: Payload) -> bytes:
    return repo.sign(payload, role, repo.signers["snapshot" if role != "snapshot" else "timestamp"])


def emptied(repo: FakeRepository, role: str, payload: Payload) -> bytes:
    return TUF_JSON.seal(payload, [(signer.keyid, b"") for signer in repo.signers[role]])


def bytewise(repo: FakeRepository, role: str, payload: Payload) -> bytes:
    """Sign the bytes on the wire rather than their canonical form, which differ where a string holds a line break."""
    (right,) = repo.signers[role]
    odd = replace(payload, unknown=Unknown({"x": "\n"}))
    wire = TUF_JSON.seal(odd, [])
    return TUF_JSON.seal(odd, [(right.keyid, right.sign(wire[wire.index(b'"signed":') + 9 : -1]))])


FORGERIES = [
    ("signed by a stranger", stranger),
    ("signed by nobody", nobody),
    ("signed by a stranger under the right key's id", impostor),
    ("with the right key's signature over another document", pasted),
    ("signed by the key of another role (B122)", other_role),
    ("with an empty signature by the right key", emptied),
    ("signed over bytes that are not its canonical form", bytewise),
]

PLACES: list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]] = [
    # what is forged, the role, its file, what else is asked for until it is judged, what is rightly believed until then
    ("the next root", "root", "2.root.json", UP_TO_TIMESTAMP, ()),
    ("the timestamp", "timestamp", "timestamp.json", UP_TO_TIMESTAMP, ()),
    ("the snapshot", "snapshot", "4.snapshot.json", (*UP_TO_TIMESTAMP, "4.snapshot.json"), ("timestamp.json",)),
    (
        "the targets",
        "targets",
        "4.targets.json",
        (*UP_TO_TIMESTAMP, "4.snapshot.json", "4.targets.json"),
        ("timestamp.json", "snapshot.json"),
    ),
    (
        "a delegated role",
        "team",
        "1.team.json",
        (*UP_TO_TIMESTAMP, "4.snapshot.json", "4.targets.json", "1.team.json"),
        ("timestamp.json", "snapshot.json", "targets.json"),
    ),
]


def document(repo: FakeRepository, role: str) -> Payload:
    """Return what the forger starts from; for root, the one that would follow."""
    if role == "root":
        return replace(repo.root, version=repo.root.version + 1)
    return repo.roles[role] if role in repo.roles else getattr(repo, role)


@pytest.mark.parametrize("forge", table(FORGERIES))
@pytest.mark.parametrize(("role", "file", "asked", "kept"), table(PLACES))
def test_metadata_that_nobody_signed(
    begin: Begin, repo: FakeRepository, forge: Forgery, role: str, file: str, asked: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    """The mirror replaces one document, and all before it is honest (5.3.4, 5.4.2, 5.5.3, 5.6.3)."""
    story = begin(repo)
    repo.delegate("team", paths=["team/*"])
    repo.publish("app.bin", b"two")
    mirror = repo.fork()
    mirror.serve(file, forge(repo, role, document(repo, role)))
    repo.replay(mirror)

    def update() -> None:
        story.client.refresh()
        if role == "team":
            story.believed = story.client.trusted
            story.client.find("team/tool.bin")

    error = story.refused(ThresholdError, update, attack="arbitrary-software", asked=asked, kept=kept)
    assert (error.role, error.needed, error.proved) == (role, 1, ())
    assert error.by == ("targets" if role == "team" else "root 1")
    story.recovers()
    assert story.client.find("team/tool.bin") is None


BODIES: list[tuple[str, Callable[[bytes], bytes], type[Any], str]] = [
    ("one bit is flipped (B059)", lambda data: bytes([data[0] ^ 1]) + data[1:], MismatchError, "arbitrary-software"),
    ("the last byte is missing (B059)", lambda data: data[:-1], MismatchError, "arbitrary-software"),
    ("nothing comes", lambda data: b"", MismatchError, "arbitrary-software"),
    ("other software of the same length comes", lambda data: b"X" * len(data), MismatchError, "arbitrary-software"),
    ("one byte more comes", lambda data: data + b"\n", TooLargeError, "endless-data"),
    ("a login page comes", lambda data: b"<html>please log in</html>" * 9, TooLargeError, "endless-data"),
]


@pytest.mark.parametrize("to", ["file", "folder"])
@pytest.mark.parametrize(("spoil", "kind", "attack"), table(BODIES))
def test_a_file_that_is_not_the_listed_one(
    story: Story, repo: FakeRepository, spoil: Callable[[bytes], bytes], kind: type[Any], attack: str, to: str
) -> None:
    """Length and every hash decide, and what was there before stays (5.7.3)."""
    data = b"the real thing"
    file = repo.publish("tool.bin", data)
    story.refresh()
    target = story.client.find("tool.bin")
    assert target
    place = story.downloads / "tool.bin"
    place.write_bytes(b"the previous version")
    served = f"targets/{file.hashes.sha256}.tool.bin"
    repo.serve(served, spoil(data))

    error = story.refused(
        kind, lambda: story.client.download(target, to=place if to == "file" else story.downloads), attack=attack, asked=[served]
    )
    if isinstance(error, MismatchError):
        assert error.role == "tool.bin"
        expected = (len(data), "length") if len(spoil(data)) != len(data) else (target.hashes["sha256"], "sha256")
        assert (error.expected, error.what) == expected
    repo.serve(served, data)
    assert story.client.download(target, to=story.downloads) == str(place)
    assert place.read_bytes() == data


def test_every_listed_hash_decides(story: Story, repo: FakeRepository) -> None:
    """A file that has one of two hashes right is refused by the other: both MUST match (5.7.3, B049)."""
    two = hashes_of(b"two", ("sha256", "sha512"))
    for right, wrong in (("sha256", "sha512"), ("sha512", "sha256")):
        mixed = replace(two, **{wrong: getattr(hashes_of(b"one", (wrong,)), wrong)})
        file = replace(repo.publish("mixed.bin", b"two"), hashes=mixed)
        repo.change("targets", targets={**repo.roles["targets"].targets, "mixed.bin": file})
        served = f"targets/{mixed.sha256}.mixed.bin"
        repo.serve(served, b"two")
        story.refresh()
        target = story.client.find("mixed.bin")
        assert target
        download = functools.partial(story.client.download, target, to=story.downloads)
        error = story.refused(MismatchError, download, attack="arbitrary-software", asked=[served])
        assert (error.role, error.what, error.expected) == ("mixed.bin", wrong, target.hashes[wrong])
        assert target.hashes[right] == getattr(two, right)


def test_a_file_that_nobody_lists(story: Story, repo: FakeRepository) -> None:
    """The mirror offers it, and no client can even ask for it: there is no Target without a role that vouches (5.7.2)."""
    repo.serve("targets/evil.bin", b"evil")
    heard = list(repo.requests)
    assert story.client.find("evil.bin") is None
    assert [each.path for each in story.client.targets()] == ["app.bin"]
    assert repo.requests == heard


def test_a_file_that_is_withheld(story: Story, repo: FakeRepository) -> None:
    """An absent target is an error, never an older file that was found somewhere."""
    target = story.client.find("app.bin")
    assert target
    served = f"targets/{target.hashes['sha256']}.app.bin"
    repo.withdraw(served)
    error = story.refused(AbsentError, lambda: story.client.download(target, to=story.downloads), attack=None, asked=[served])
    assert error.status == 404
