"""P6: the canonical form of a value, beside securesystemslib's (the same form) and rfc8785's (the same bytes for plain text)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import rfc8785
from securesystemslib.formats import encode_canonical as peer_encode

from bench import samples
from bench.harness import Compared, Goal, Row, alternate, timed
from tuffet.metadata.canonical import encode_canonical


def encoders() -> Iterator[Row]:
    """P6: a bin, a root and a large role."""
    ten_thousand = _as_read(10_000)
    yield _compare("10,000 targets, beside securesystemslib", ten_thousand, _securesystemslib, 20, number=5)
    yield _compare("10,000 targets, beside rfc8785", ten_thousand, rfc8785.dumps, 40, number=5)
    yield _compare("root with PEM keys, beside securesystemslib", samples.pem_root(), _securesystemslib, 5, number=200)
    yield _compare("100,000 targets, beside securesystemslib", _as_read(100_000), _securesystemslib, 12)


def _compare(subject: str, value: dict[str, Any], peer: Callable[[Any], bytes], times: float, number: int = 1) -> Row:
    assert encode_canonical(value) == peer(value)
    theirs, ours = alternate(timed(lambda: peer(value), number), timed(lambda: encode_canonical(value), number))
    return Compared("P6", subject, theirs, ours, Goal(1 / times))


def _as_read(count: int) -> dict[str, Any]:
    """Return the value of a file, whose names are in order; that is what gets encoded, to be verified or signed again."""
    value: dict[str, Any] = json.loads(samples.sealed(samples.targets(count)))["signed"]
    return value


def _securesystemslib(value: Any) -> bytes:
    text = peer_encode(value)
    assert isinstance(text, str)
    return text.encode()
