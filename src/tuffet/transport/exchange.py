"""One GET on the wire: sent in its turn, sent again if its connection was stale, redirected so often and no further.

Nothing here knows who reads or when; see `answer` for that. Errors of the socket pass through as they are.
"""

import threading
from collections.abc import Iterator
from typing import Protocol

from tuffet.errors import AbsentError, ConnectError, StatusError, TransportError, UsageError
from tuffet.transport.connect import reason
from tuffet.transport.framing import Head, read_body, read_head
from tuffet.transport.lane import Lane
from tuffet.transport.url import Address, parse_url
from tuffet.transport.wire import Wire

_OK = 200
# Object stores say 403 of a file that is not there to whoever may not list their files (B097).
_ABSENT = frozenset((403, 404, 410))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_DRAIN_BYTES = 1 << 16
_DRAIN_SECONDS = 1.0


class Connector(Protocol):
    """What an exchange needs from its transport."""

    max_redirects: int

    def lane(self, address: Address) -> Lane:
        """Return the queue of requests to an address's server."""

    def connect(self, url: str, address: Address) -> Wire:
        """Return a new connection to an address's server."""

    def request(self, address: Address) -> bytes:
        """Return the bytes that ask for an address."""


class Exchange:
    """A request and its answer; `wire` is the connection while there is one, `reusable` whether it is so after the body."""

    def __init__(self, connector: Connector, url: str, address: Address) -> None:
        self.url = url
        self.wire: Wire | None = None
        self.reusable = False
        self.given_up = False
        self._connector, self._address = connector, address

    def dispatch(self, wire: Wire | None, previous: threading.Event | None = None) -> Wire:
        """Send the request on an idle wire or a new one, once the previous request has been sent."""
        request = self._connector.request(self._address)
        if wire is not None:
            if previous is not None:
                previous.wait()
            try:
                wire.send(request)
            except OSError:
                wire.close()  # The server had closed it while it was idle: a new one takes its place.
            else:
                return wire
        lane = self._connector.lane(self._address)
        lane.reachable = False
        wire = self._connector.connect(self.url, self._address)
        lane.reachable = True
        if previous is not None:
            previous.wait()
        if self.given_up:
            wire.close()
            raise TransportError(self.url, "the answer was closed before it was asked for")
        try:
            wire.send(request)
        except OSError as error:
            wire.close()
            raise ConnectError(self.url, f"the request was not sent: {reason(error)}") from error
        return wire

    def open(self) -> Iterator[bytes]:
        """Return the pieces of the body that is at the end of the redirects, or raise what there is instead."""
        for _ in range(self._connector.max_redirects + 1):
            wire, head = self._read_head()
            if head.status == _OK:
                if any(coding != "identity" for coding in head.tokens("content-encoding")):
                    raise TransportError(self.url, f"the answer is encoded as {head.headers['content-encoding']!a:.40}, unasked")
                pieces, self.reusable = read_body(wire, self.url, head)
                return pieces
            self._drain(wire, head)
            if head.status in _ABSENT:
                raise AbsentError(self.url, head.status)
            if head.status not in _REDIRECTS or "location" not in head.headers:
                raise StatusError(self.url, head.status)
            self._follow(head.headers["location"])
        raise TransportError(self.url, f"more than {self._connector.max_redirects} redirects")

    def release(self, wire: Wire, *, reusable: bool) -> None:
        """Keep the connection for a later request, or close it."""
        if reusable:
            self._connector.lane(self._address).keep(wire)
        else:
            wire.close()

    def _read_head(self) -> tuple[Wire, Head]:
        wire = self.wire
        if wire is None:
            wire = self.wire = self.dispatch(self._connector.lane(self._address).take_idle())
        wire.begin_step()
        try:
            return wire, read_head(wire, self.url)
        except (OSError, ConnectError) as error:
            # A server may close an idle connection at the very moment at which a request goes out on it. That says
            # nothing about the request, so it is sent once more; a silence is another matter.
            if wire.heard or not wire.served or isinstance(error, TimeoutError) or self.given_up:
                raise
        wire.close()
        self.wire = None
        wire = self.wire = self.dispatch(None)
        wire.begin_step()
        return wire, read_head(wire, self.url)

    def _follow(self, location: str) -> None:
        # The room at the first server stays taken, so that redirects cannot open more connections than allowed.
        from urllib.parse import urljoin

        try:
            url = urljoin(self.url, location.partition("#")[0])
            address = parse_url(url)
        except (UsageError, ValueError) as error:
            raise TransportError(self.url, f"redirected to nowhere: {error}") from error
        if self._address.scheme == "https" and address.scheme != "https":
            raise TransportError(self.url, f"redirected from https to {url}")
        self.url, self._address = url, address

    def _drain(self, wire: Wire, head: Head) -> None:
        # A refusal's text is of no use, but the connection is: the next request saves the time of a new one.
        self.wire = None
        left = _DRAIN_BYTES
        try:
            pieces, reusable = read_body(wire, self.url, head)
            wire.begin_step(_DRAIN_SECONDS)
            while reusable and left >= 0 and (piece := next(pieces, None)) is not None:
                left -= len(piece)
        except (OSError, TransportError):
            reusable = False
        self.release(wire, reusable=reusable and left >= 0)
