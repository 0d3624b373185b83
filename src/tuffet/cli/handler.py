"""One connection to the server: requests read within limits, files answered, one after the other.

A request must come whole within some seconds and some kilobytes, however its bytes are spread (a client that sends one
byte now and then holds a thread, and many such clients hold all of them). An answer must be taken at a minimum speed.
"""

import io
import re
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple, Protocol, cast

from tuffet.cli.served import NEVER_KEPT, Served, names_tag, open_served, wanted_part

_BLOCK_BYTES = 1 << 18
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class Limits(NamedTuple):
    """What a client may take of the server, in seconds and bytes."""

    idle_seconds: float = 15.0
    """How long a connection may wait for its next request."""
    request_seconds: float = 10.0
    """How long a request may take from its first byte to its last."""
    request_bytes: int = 1 << 15
    """How long a request may be."""
    block_seconds: float = 30.0
    """How long a client may take for each 256 KiB of an answer."""


class Logged(NamedTuple):
    """An answer, as a log wants it; `target` is printable whatever the client sent."""

    client: str
    method: str
    target: str
    status: int
    size: int


class Listener(Protocol):
    """What a connection needs from its server."""

    directory: str
    limits: Limits
    log: Callable[[Logged], None] | None
    stopping: bool

    def mark(self, request: socket.socket, *, busy: bool) -> None:
        """Note whether the connection is in the middle of a request."""


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; everything else is refused."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tuffet", ""
    disable_nagle_algorithm = True
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"
    connection: socket.socket

    def setup(self) -> None:
        """Read through limits."""
        super().setup()
        self._listener = cast(Listener, self.server)
        self._bytes = _Bytes(self.connection, self._listener)
        self.rfile.close()
        self.rfile = io.BufferedReader(self._bytes)

    def handle_one_request(self) -> None:
        """Answer the next request; a client that hangs up, stalls or says too much loses the connection."""
        self._bytes.expect_request()
        try:
            super().handle_one_request()
        except (OSError, HTTPException):
            self.close_connection = True
        self._listener.mark(self.connection, busy=False)
        if self._listener.stopping:
            self.close_connection = True

    def do_GET(self) -> None:
        """Send a file, a part of it, or the word that it has not changed."""
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            # A body that nobody reads would be taken for the next request.
            self.send_error(HTTPStatus.BAD_REQUEST, "no body is expected")
            return
        served = open_served(self._listener.directory, self.path)
        if served is None:
            self._answer(HTTPStatus.NOT_FOUND, {"Cache-Control": NEVER_KEPT, "Content-Type": self.error_content_type}, b"404 Not Found\n")
            return
        with served.file:
            self._answer_file(served)

    do_HEAD = do_GET  # noqa: N815  # The base class calls methods by these names.

    def do_POST(self) -> None:
        """Refuse to change anything."""
        self.close_connection = True
        body = b"405 Method Not Allowed\n"
        headers = {"Allow": "GET, HEAD", "Cache-Control": NEVER_KEPT, "Content-Type": self.error_content_type, "Connection": "close"}
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, headers, body)

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = do_POST  # noqa: N815

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002  # The base class knows no size.
        """Tell the log about a request that the base class refuses."""
        self._log(int(code) if isinstance(code, int) else 0, 0)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""

    def end_headers(self) -> None:
        """Keep browsers from guessing types."""
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def _answer_file(self, served: Served) -> None:
        kept = {"ETag": served.etag, "Cache-Control": served.cache_control}
        if names_tag(self.headers.get("If-None-Match", ""), served.etag):
            self._answer(HTTPStatus.NOT_MODIFIED, kept, None)
            return
        headers = {**kept, "Content-Type": served.content_type, "Accept-Ranges": "bytes"}
        part = wanted_part(self.headers.get("Range", ""), served.size) if self.command == "GET" else None
        if part is None or self.headers.get("If-Range", served.etag) != served.etag:
            self._begin(HTTPStatus.OK, headers, served.size)
            self._send(served, 0, served.size)
            return
        start, end = part
        if start >= served.size:
            refusal = {"Content-Range": f"bytes */{served.size}", "Cache-Control": NEVER_KEPT, "Content-Type": self.error_content_type}
            self._answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, refusal, b"416 Range Not Satisfiable\n")
            return
        self._begin(HTTPStatus.PARTIAL_CONTENT, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{served.size}"}, end - start)
        self._send(served, start, end)

    def _send(self, served: Served, start: int, end: int) -> None:
        if self.command == "HEAD":
            return
        served.file.seek(start)
        left = end - start
        while left:
            block = served.file.read(min(left, _BLOCK_BYTES))
            if not block:
                # It was cut while we read it, against the rules. The client must see a broken connection, no end.
                raise ConnectionAbortedError(f"{left} bytes are missing")
            self.connection.settimeout(self._listener.limits.block_seconds)
            self.connection.sendall(block)
            left -= len(block)

    def _answer(self, status: HTTPStatus, headers: dict[str, str], body: bytes | None) -> None:
        self._begin(status, headers, None if body is None else len(body))
        if body is not None and self.command != "HEAD":
            self.connection.sendall(body)

    def _begin(self, status: HTTPStatus, headers: dict[str, str], size: int | None) -> None:
        self._log(status, size or 0)
        self.connection.settimeout(self._listener.limits.block_seconds)
        self.send_response_only(status)
        self.send_header("Server", self.version_string())
        self.send_header("Date", self.date_time_string())
        if size is not None:
            self.send_header("Content-Length", str(size))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _log(self, status: int, size: int) -> None:
        if self._listener.log is not None:
            method, target = (_UNPRINTABLE.sub("?", getattr(self, name, None) or "-") for name in ("command", "path"))
            self._listener.log(Logged(str(self.client_address[0]), method, target, status, size))


class _Bytes(io.RawIOBase):
    """The connection's bytes, which must come in time and not be too many for one request."""

    def __init__(self, connection: socket.socket, listener: Listener) -> None:
        self._connection, self._listener = connection, listener
        self.expect_request()

    def expect_request(self) -> None:
        """Begin to count anew; the clock runs from the request's first byte."""
        self._left = self._listener.limits.request_bytes
        self._ends: float | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Read what has come, within the limits."""
        limits = self._listener.limits
        seconds = limits.idle_seconds if self._ends is None else self._ends - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the request took too long")
        if self._left <= 0:
            raise HTTPException("the request is too long")
        self._connection.settimeout(seconds)
        count = self._connection.recv_into(buffer)
        if self._ends is None:
            self._ends = time.monotonic() + limits.request_seconds
            self._listener.mark(self._connection, busy=bool(count))
        self._left -= count
        return count
