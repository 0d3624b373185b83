"""Every truncation and every flipped byte of a good document: refused, or it was no part of what is signed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tuffet.errors import TuffetError
from tuffet.metadata import TUF_JSON, Dialect, Root, Snapshot, Targets, Timestamp
from tuffet.metadata.dsse import DSSE
from tuffet.names import ROOT, TOP_LEVEL
from tuffet.testing import FakeRepository
from tuffet.trust.verify import role_of, verify

KINDS: dict[str, type[Any]] = {"root": Root, "timestamp": Timestamp, "snapshot": Snapshot, "targets": Targets}


def repository(dialect: Dialect) -> FakeRepository:
    repo = FakeRepository(dialect=dialect, hashes_in_meta=True)
    repo.delegate("app", paths=["app-*"])
    repo.publish("a b", b"1", custom={"quote": '"', "line": "\n", "n": 1})
    return repo


REPOSITORIES = {"TUF JSON": repository(TUF_JSON), "DSSE": repository(DSSE)}


def compact(data: bytes) -> bytes:
    return data


def laid_out(data: bytes) -> bytes:
    return json.dumps(json.loads(data), indent=1, sort_keys=True).encode()


def shuffled(data: bytes) -> bytes:
    """Write the document so that it is read the long way: unsorted, with an unknown field outside."""
    whole = json.loads(data)
    return json.dumps({"x": "y", **dict(reversed(whole.items()))}).encode()


def document(repo: FakeRepository, name: str, layout: Callable[[bytes], bytes]) -> bytes:
    files = {"root": "1.root.json", "timestamp": "timestamp.json", "snapshot": "3.snapshot.json", "targets": "3.targets.json"}
    data = repo.served(files[name])
    assert data
    return layout(data)


@pytest.mark.parametrize("name", TOP_LEVEL)
@pytest.mark.parametrize("layout", [compact, laid_out, shuffled])
@pytest.mark.parametrize("dialect", REPOSITORIES)
def test_no_damage_is_believed(dialect: str, layout: Callable[[bytes], bytes], name: str) -> None:
    """Accepted MUST be only what was signed (5.3.4, 5.4.2, 5.5.3, 5.6.3); nothing but a TuffetError is ever raised (B083)."""
    repo = REPOSITORIES[dialect]
    data = document(repo, name, layout)
    root = repo.root

    def believed(text: bytes) -> bytes | None:
        """Return the signed bytes that are believed of a text, None where it is refused."""
        try:
            envelope = repo.dialect.parse(text, KINDS[name])
            verify(envelope, role_of(envelope.payload if name == ROOT else root, name))
        except TuffetError:
            return None
        return bytes(envelope.signed)

    signed = believed(data)
    assert signed is not None
    assert [length for length in range(len(data.rstrip())) if believed(data[:length]) is not None] == []

    # A root may name other root keys, were it not for the signature; what is still believed is the very same document.
    patterns = (0x01, 0x02, 0x04, 0x20, 0x80, 0xFF) if layout is compact else (0x10, 0x7F)
    for place in range(len(data)):
        for pattern in patterns:
            text = bytearray(data)
            text[place] ^= pattern
            assert believed(bytes(text)) in (None, signed), (place, pattern, bytes(text))


@pytest.mark.parametrize("tail", [b"x", b"{}", b",", b"\0", b"]"])
@pytest.mark.parametrize("dialect", REPOSITORIES)
def test_nothing_may_follow_a_document(dialect: str, tail: bytes) -> None:
    """Trailing data is refused (VARIANTS X7), trailing white space is not data."""
    repo = REPOSITORIES[dialect]
    data = document(repo, "timestamp", compact)
    assert repo.dialect.parse(data + b" \r\n\t", Timestamp).payload == repo.timestamp
    with pytest.raises(TuffetError):
        repo.dialect.parse(data + tail, Timestamp)
