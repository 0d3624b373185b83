"""The canonical form that TUF signs (OLPC canonical JSON), and the strict reading of untyped JSON.

One encoder serves every document. What is parsed is what was signed: the canonical form is made from the very value
that came, and a text that could mean two things (repeated names, floats, bytes that are no UTF-8) means nothing.
"""

import re
from typing import Any, Final, NoReturn

import msgspec

from tuffet.errors import FormatError
from tuffet.names import Json

MAX_DEPTH: Final = 64
"""How deep objects and arrays may nest, counted from the outermost one."""
MAX_INTEGER: Final = 2**64 - 1
"""The bound of integers in fields that we do not know, on both sides of zero."""

_ESCAPED: Final = re.compile(rb'\\(?:["\\bfnrt]|u00[01][0-9a-f])')
_UNESCAPED: Final = {
    **{rb"\u%04x" % code: bytes([code]) for code in range(32)},
    rb"\b": b"\b",
    rb"\f": b"\f",
    rb"\n": b"\n",
    rb"\r": b"\r",
    rb"\t": b"\t",
    rb"\"": rb"\"",
    rb"\\": rb"\\",
}


def _refuse_float(text: str) -> NoReturn:
    raise FormatError("document", f"{text[:20]} is a floating point number, and documents have none")


_sorted = msgspec.json.Encoder(order="sorted")
_untyped: Final = msgspec.json.Decoder(float_hook=_refuse_float)


def encode_json(value: Json) -> bytes:
    """Return compact JSON with sorted names; Structs and plain values alike."""
    return _sorted.encode(value)


def canonical(wire: bytes) -> bytes:
    """Return the canonical form of what `encode_json` wrote.

    The two differ in control characters only, which canonical JSON leaves raw. The result may therefore be no JSON:
    it is there to be signed and hashed, never to be parsed.
    """
    if b"\\" not in wire:
        return wire
    # Nearly every backslash begins a line break of a PEM key. Where replacing those leaves none, nothing else was escaped,
    # and no backslash was one's own escape.
    plain = wire.replace(rb"\n", b"\n")
    if b"\\" not in plain:
        return plain
    return _ESCAPED.sub(lambda found: _UNESCAPED[found[0]], wire)


def encode_canonical(value: Json) -> bytes:
    """Return the canonical form of a JSON value (OLPC canonical JSON); floats are the caller's mistake."""
    return canonical(encode_json(value))


def parse_json(text: bytes) -> tuple[Json, bytes]:
    """Return the value of a JSON text and its compact, sorted encoding.

    Raises FormatError where the text is no JSON, or repeats a name, or holds a float or a lone surrogate. Integers and
    depth have bounds where a document does not bound them itself: see `check_free`.
    """
    try:
        value = _untyped.decode(text)
        wire = encode_json(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError("document", f"not strict JSON: {error}") from error
    # Every string is written with two quotes and its escaped ones. A repeated name takes at least two quotes away
    # when the value is written again, and only \u0022 could hide a quote from the count.
    if wire != text and (b"\\u0022" in text or wire.count(b'"') != text.count(b'"')):
        _refuse_repeated_names(text)
    return value, wire


def check_free(value: Json, where: str, depth: int) -> None:
    """Refuse free-form JSON that nests deeper than `MAX_DEPTH`, or holds floats or integers past 64 bits."""
    stack = [(value, depth)]
    while stack:
        item, level = stack.pop()
        if isinstance(item, (dict, list)):
            if level > MAX_DEPTH:
                raise FormatError(where, f"nested deeper than {MAX_DEPTH} levels")
            stack.extend((inner, level + 1) for inner in (item.values() if isinstance(item, dict) else item))
        elif isinstance(item, int) and not -MAX_INTEGER <= item <= MAX_INTEGER:
            raise FormatError(where, "an integer of more than 64 bits")
        elif isinstance(item, float):
            raise FormatError(where, f"{item} is a floating point number, and documents have none")


def _refuse_repeated_names(text: bytes) -> None:
    import json

    def no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            seen: set[str] = set()
            name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise FormatError("document", f"the name {name[:80]!r} is repeated in one object")
        return members

    json.loads(text, object_pairs_hook=no_repeats)
