"""A role of more targets than are written at a time: judged exactly as if it were read the long way."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.metadata.documents import reference_canonical
from tuffet.errors import FormatError
from tuffet.metadata import TUF_JSON, Targets
from tuffet.metadata.piecewise import PIECE, signed_part

COUNT = 2 * PIECE + 10


def role(**more: Any) -> dict[str, Any]:
    """Return a role of many targets."""
    files = {f"file-{number:05d}": {"hashes": {"sha256": f"{number:064x}"}, "length": number} for number in range(COUNT)}
    return {"_type": "targets", "expires": "2031-01-01T00:00:00Z", "spec_version": "1.0.34", "targets": files, "version": 1, **more}


def sealed(signed: bytes, keyids: tuple[str, ...] = ("k1",)) -> bytes:
    """Return a compact file around a signed part."""
    signatures = json.dumps([{"keyid": keyid, "sig": "00"} for keyid in keyids], separators=(",", ":")).encode()
    return b'{"signatures":' + signatures + b',"signed":' + signed + b"}"


def compact(value: object) -> bytes:
    """Return sorted, compact JSON."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def test_a_long_list_is_proved_in_pieces() -> None:
    """What is signed is a view of the file: the very bytes that came, and the canonical form of the value."""
    signed = compact(role())
    envelope = TUF_JSON.parse(sealed(signed), Targets)

    assert isinstance(envelope.signed, memoryview)
    assert bytes(envelope.signed) == signed == reference_canonical(role())
    assert len(envelope.payload.targets) == COUNT


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "white space somewhere in the middle": lambda text: text.replace(b'"file-05000":', b'"file-05000": ', 1),
    "white space before the signed part": lambda text: text.replace(b'"signed":', b'"signed": ', 1),
    "white space at the end": lambda text: text + b"\n",
    "an escape that need not be": lambda text: text.replace(b'"file-05000"', b'"file\\u002d05000"', 1),
    "names out of order within a piece": lambda text: swapped(text, b"file-00001", b"file-00003"),
    "names out of order between pieces": lambda text: swapped(text, b"file-00001", b"file-08000"),
    "a target of unknown fields": lambda text: text.replace(b'"length":5000}', b'"length":5000,"x":1}', 1),
    "fields of the role out of order": lambda text: text.replace(b',"version":1}', b"}").replace(b'{"_type"', b'{"version":1,"_type"'),
    "an unknown field outside": lambda text: text.replace(b'{"signatures"', b'{"x":1,"signatures"', 1),
    "another version": lambda text: text.replace(b'"version":1}', b'"version":2}'),
}


def swapped(text: bytes, one: bytes, other: bytes) -> bytes:
    """Return the text with two names exchanged."""
    return text.replace(one, b"\0").replace(other, one).replace(b"\0", other)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_texts_mean_what_they_mean_the_long_way(change: Callable[[bytes], bytes]) -> None:
    """Accepted is what "parse, canonicalise, then verify" accepts, with the same canonical bytes."""
    text = change(sealed(compact(role())))
    envelope = TUF_JSON.parse(text, Targets)

    assert bytes(envelope.signed) == reference_canonical(json.loads(text)["signed"])


REPEATS: dict[str, Callable[[bytes], bytes]] = {
    "a target within a piece": lambda text: text.replace(b'"file-00002":', b'"file-00001":', 1),
    "a target in two pieces": lambda text: text.replace(b'"file-08000":', b'"file-00001":', 1),
    "a field of a target": lambda text: text.replace(b'"length":5000}', b'"length":5000,"length":5000}', 1),
    "a field of the role": lambda text: text.replace(b'"version":1}', b'"version":1,"version":1}', 1),
    "the signed part": lambda text: text.replace(b'"signed":', b'"signed":{},"signed":', 1),
    "the signatures": lambda text: text.replace(b'{"signatures":', b'{"signatures":[],"signatures":', 1),
    "a field of a signature": lambda text: text.replace(b'"sig":"00"', b'"sig":"00","sig":"00"', 1),
}


@pytest.mark.parametrize("change", REPEATS.values(), ids=REPEATS)
def test_a_repeated_name_is_refused_wherever_it_is(change: Callable[[bytes], bytes]) -> None:
    """A text that could mean two things means nothing (B007)."""
    with pytest.raises(FormatError):
        TUF_JSON.parse(change(sealed(compact(role()))), Targets)


def test_a_keyid_that_is_called_signed_confuses_nobody() -> None:
    """The signed part is found by its name and its colon, and a value has no colon after it."""
    envelope = TUF_JSON.parse(sealed(compact(role()), ("signed",)), Targets)

    assert bytes(envelope.signed) == compact(role())


def test_only_the_file_that_was_decoded_is_proved() -> None:
    """A payload that was not decoded from these bytes is not what they say."""
    payload = TUF_JSON.parse(sealed(compact(role())), Targets).payload

    assert signed_part(sealed(compact(role(expires="2032-01-01T00:00:00Z"))), payload) is None
    assert signed_part(sealed(compact(role(version=2))), payload) is None
    assert signed_part(sealed(compact(role())) + b" ", payload) is None
