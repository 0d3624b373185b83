"""Where an HTTP/1.1 answer begins and ends (RFC 9112), read strictly.

A body is whole only when its length or its last chunk says so. What could be framed in two ways is refused: two lengths,
a length beside chunks, a transfer coding other than `chunked`, a header line that is none. Python's `http.client` takes a
short body for a whole one, the first of two lengths and 103 Early Hints for the answer, and its trailers never end.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tuffet.errors import ConnectError, StatusError, TransportError
from tuffet.transport.wire import BLOCK_BYTES, Wire

_HEAD_BYTES = 1 << 16
_HEAD_LINES = 128
_INTERIM_ANSWERS = 8
_CHUNK_LINE_BYTES = 1 << 12
_LENGTH_DIGITS = 18
_CHUNK_DIGITS = 15
_FIRST_STATUS, _SWITCHING, _FIRST_FINAL_STATUS = 100, 101, 200
_BODILESS = frozenset((204, 304))
_HEX = frozenset(b"0123456789ABCDEFabcdef")
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Head(NamedTuple):
    """The status and the headers of an answer; names are in lower case, repeated ones are joined by commas (RFC 9110, 5.3)."""

    minor: int
    status: int
    headers: dict[str, str]

    def tokens(self, name: str) -> list[str]:
        """Return a header's comma-separated values in lower case."""
        return [token for part in self.headers.get(name, "").lower().split(",") if (token := part.strip(" \t"))]

    def keeps_alive(self) -> bool:
        """Whether the connection may serve another request once the body has come."""
        options = self.tokens("connection")
        return "close" not in options and (self.minor > 0 or "keep-alive" in options)


def read_head(wire: Wire, url: str) -> Head:
    """Return the head of the final answer; interim ones, such as 103 Early Hints, are read past (RFC 9110, 15.2)."""
    for _ in range(_INTERIM_ANSWERS):
        head = _read_one_head(wire, url)
        if head.status == _SWITCHING:
            raise StatusError(url, head.status)
        if head.status >= _FIRST_FINAL_STATUS:
            return head
    raise TransportError(url, f"more than {_INTERIM_ANSWERS} interim answers came")


def read_body(wire: Wire, url: str, head: Head) -> tuple[Iterator[bytes], bool]:
    """Return the pieces of the body, and whether the connection can still be used after the last one."""
    lengths = set(head.tokens("content-length"))
    codings = head.tokens("transfer-encoding")
    if "transfer-encoding" in head.headers:
        if codings != ["chunked"] or lengths or head.minor == 0:
            raise TransportError(url, "the answer's length is ambiguous: its Transfer-Encoding is not just chunked")
        return _chunks(wire, url), head.keeps_alive()
    if head.status in _BODILESS:
        return iter(()), head.keeps_alive()
    if "content-length" in head.headers:
        length = lengths.pop() if len(lengths) == 1 else ""
        if not (length.isascii() and length.isdigit()) or len(length) > _LENGTH_DIGITS:
            raise TransportError(url, f"the answer's Content-Length is no single number: {head.headers['content-length']!a:.80}")
        return _counted(wire, url, int(length), length), head.keeps_alive()
    return _until_closed(wire), False


def _read_one_head(wire: Wire, url: str) -> Head:
    left = _HEAD_BYTES
    status_line = _head_line(wire, url, left)
    minor, status = _parse_status(status_line, url)
    headers: dict[str, str] = {}
    for _ in range(_HEAD_LINES + 1):
        left -= len(status_line) + 2
        status_line = line = _head_line(wire, url, max(left, 0))
        if not line:
            return Head(minor, status, headers)
        name, colon, value = line.partition(b":")
        if not (colon and name and _TOKEN.issuperset(name)) or b"\0" in value or b"\r" in value or b"\n" in value:
            raise TransportError(url, f"the answer has a header line that is none: {line[:80]!a}")
        key, text = name.decode().lower(), value.decode("latin-1").strip(" \t")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    raise TransportError(url, f"the answer has more than {_HEAD_LINES} header lines")


def _head_line(wire: Wire, url: str, left: int) -> bytes:
    line = wire.take_line(url, "the rest of the answer's head", left)
    if line is None:
        raise ConnectError(url, "the connection was closed before an answer had come")
    return line


def _parse_status(line: bytes, url: str) -> tuple[int, int]:
    # `HTTP/1.1 200 OK`; the reason may be missing, and some servers leave out the blank before it as well.
    if not (line[:7] == b"HTTP/1." and line[7:8].isdigit() and line[8:9] == b" " and line[9:12].isdigit() and line[12:13] in (b" ", b"")):
        raise TransportError(url, f"this is no HTTP answer: {line[:80]!a}")
    status = int(line[9:12])
    if status < _FIRST_STATUS:
        raise TransportError(url, f"the server answered with status {status}, which does not exist")
    return int(line[7:8]), status


def _counted(wire: Wire, url: str, left: int, whole: str) -> Iterator[bytes]:
    while left:
        piece = wire.take(left)
        if not piece:
            raise ConnectError(url, f"the connection was closed {left} bytes before the end of {whole}")
        left -= len(piece)
        yield piece


def _chunks(wire: Wire, url: str) -> Iterator[bytes]:
    while left := _chunk_bytes(wire, url):
        yield from _counted(wire, url, left, "a chunk")
        if _chunk_line(wire, url):
            raise TransportError(url, "a chunk of the answer is longer than it says")
    left = _HEAD_BYTES
    while line := _chunk_line(wire, url):
        left -= len(line) + 2
        if left < 0:
            raise TransportError(url, f"more than {_HEAD_BYTES} bytes of trailers came")


def _chunk_bytes(wire: Wire, url: str) -> int:
    size = _chunk_line(wire, url).partition(b";")[0].rstrip(b" \t")
    # `int` alone would take `0x5`, `+5` and `5_0` too.
    if not (0 < len(size) <= _CHUNK_DIGITS and _HEX.issuperset(size)):
        raise TransportError(url, f"a chunk of the answer has no length: {size[:40]!a}")
    return int(size, 16)


def _chunk_line(wire: Wire, url: str) -> bytes:
    line = wire.take_line(url, "a chunk's first line", _CHUNK_LINE_BYTES)
    if line is None:
        raise ConnectError(url, "the connection was closed before the last chunk")
    return line


def _until_closed(wire: Wire) -> Iterator[bytes]:
    # Only the connection's end says that such a body is whole. Over TLS that end is signed (close_notify), and the
    # wire's socket is told to raise where it is missing; over plain http nothing better is to be had.
    while piece := wire.take(BLOCK_BYTES):
        yield piece
