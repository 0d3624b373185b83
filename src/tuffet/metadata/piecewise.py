"""A long list of targets, proved canonical piece by piece.

Writing a whole role again to compare it with what came would hold its 15 MB in memory once more, beside the file and the
values. Here a few thousand targets at a time are written, compared and forgotten. What is signed is a view of the file.
"""

from itertools import islice
from typing import Final

from msgspec.structs import replace

from tuffet.metadata.canonical import encode_json
from tuffet.metadata.targets import Targets

PIECE: Final = 4096
"""How many targets are written at a time; a role of no more than that is written at once."""


def signed_part(data: bytes, payload: Targets) -> tuple[memoryview, bytes] | None:
    """Return the signed part of a compact, sorted file and what stands around it, or None if the file is no such.

    The part is what `encode_json` would write for the payload, which was decoded from this very file. Text with escapes is
    left to others: its canonical form is another text.
    """
    if b"\\" in data:
        return None
    around = encode_json(replace(payload, targets={}))
    at = around.rindex(b'"targets":{}') + len(b'"targets":{')
    start = data.find(b'"signed":') + len(b'"signed":')
    place = start
    if not data.startswith(around[:at], place):
        return None
    place += at
    last, comma = "", b""
    rest = iter(payload.targets.items())
    while piece := dict(islice(rest, PIECE)):
        written = comma + encode_json(piece)[1:-1]
        # Names are sorted within a piece, because it is written so; the first of each must follow the last of the one before.
        if next(iter(piece)) <= last or not data.startswith(written, place):
            return None
        place += len(written)
        last, comma = next(reversed(piece)), b","
    end = place + len(around) - at
    if not data.startswith(around[at:], place) or data[end:] != b"}":
        return None
    return memoryview(data)[start:end], data[:start] + b"}"
