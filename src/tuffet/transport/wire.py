"""One connection to a server: bytes out, bytes in, and no step takes longer than it may.

A step is what its user says it is: an answer's head, the next piece of a body. A server that keeps sending single bytes
cannot stretch it, because the time is counted for the step and not for each read. Errors are the socket's own.
"""

import socket
import time
from contextlib import suppress

from tuffet.errors import TransportError

BLOCK_BYTES = 1 << 16


class Wire:
    """A connected socket and the bytes that came through it but were not taken yet."""

    def __init__(self, connected: socket.socket, timeout: float) -> None:
        self._socket, self._timeout = connected, timeout
        self._held, self._at = b"", 0
        self._step_ends = 0.0
        self.served = False
        """Whether a request was answered on this connection before the present one."""
        self.heard = False
        """Whether a byte has come since the last request was sent."""

    def send(self, request: bytes) -> None:
        """Send all of a request."""
        self.heard = False
        self._socket.settimeout(self._timeout)
        self._socket.sendall(request)

    def begin_step(self, seconds: float | None = None) -> None:
        """Start the clock: until the next step begins, reading may take so many seconds in all."""
        self._step_ends = time.monotonic() + (self._timeout if seconds is None else seconds)

    def take(self, at_most: int) -> bytes:
        """Return at least one byte as soon as there is one, or none at the connection's end."""
        if self._at < len(self._held):
            piece = self._held[self._at : self._at + at_most]
            self._at += len(piece)
            return piece
        return self._read(min(at_most, BLOCK_BYTES))

    def take_line(self, url: str, what: str, at_most: int) -> bytes | None:
        """Return what comes before the next CRLF, or None at the connection's end; a longer line is refused."""
        while (end := self._held.find(b"\n", self._at)) < 0:
            if len(self._held) - self._at > at_most + 1:
                break
            more = self._read(BLOCK_BYTES)
            if not more:
                return None
            self._held, self._at = self._held[self._at :] + more, 0
        if end < 0 or end - self._at > at_most + 1:
            raise TransportError(url, f"{what} is longer than {at_most} bytes")
        line, self._at = self._held[self._at : end + 1], end + 1
        if not line.endswith(b"\r\n"):
            raise TransportError(url, f"{what} does not end as HTTP's lines do")
        return line[:-2]

    def rests(self) -> bool:
        """Whether the connection is open and silent, so that another request may use it.

        Bytes that nobody asked for are the tail of an over-long body: taken for the next answer, they would poison it.
        """
        if self._at < len(self._held) or getattr(self._socket, "pending", int)():
            return False
        try:
            self._socket.settimeout(0)
            # The base class is asked, because a TLS socket cannot peek: anything that waits, even a TLS record, counts.
            socket.socket.recv(self._socket, 1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return False

    def surrender(self) -> socket.socket:
        """Return the socket for another use, such as TLS through a proxy; no byte may be held."""
        return self._socket

    def interrupt(self) -> None:
        """End the reading of another thread, whose business closing then is."""
        with suppress(OSError):  # It may be closed already, which is what was wanted.
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _read(self, at_most: int) -> bytes:
        left = self._step_ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)
        data = self._socket.recv(at_most)
        self.heard = self.heard or bool(data)
        return data
