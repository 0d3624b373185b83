"""Files over http and https, fast to start and strict about what it takes for an answer.

Requests go out in the order asked, answers overlap, connections are used again. Bodies come as they are on the server,
never decompressed; redirects are bounded and never leave https for http; a URL is sent byte by byte as it was given.

It speaks HTTP/1.1 itself, because `http.client` costs 10 ms to import, a third of the client's own imports, and would have
to be replaced where it matters: see `framing`.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from tuffet.errors import UsageError
from tuffet.transport.answer import HttpAnswer
from tuffet.transport.connect import connect
from tuffet.transport.lane import Lane
from tuffet.transport.url import Address, parse_url
from tuffet.transport.wire import Wire

if TYPE_CHECKING:
    import ssl

TIMEOUT_SECONDS = 10.0
CONNECTIONS = 8
MAX_REDIRECTS = 3


class HttpTransport:
    """A transport for http and https URLs; safe for use by several threads at once."""

    def __init__(
        self,
        *,
        timeout: float = TIMEOUT_SECONDS,
        connections: int = CONNECTIONS,
        ssl_context: "ssl.SSLContext | None" = None,
        user_agent: str = "tuffet",
        max_redirects: int = MAX_REDIRECTS,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        """`timeout` bounds, in seconds, each of: connecting, an answer's head, the wait for its next bytes.

        At most `connections` requests to a server are under way at once. `credentials` maps an origin
        (`https://example.com`) to the value of its `Authorization` header, which no other origin is ever sent.
        """
        if connections < 1 or timeout <= 0 or max_redirects < 0:
            raise UsageError("a transport needs at least one connection and a timeout of more than 0 seconds")
        self.max_redirects = max_redirects
        self._timeout, self._connections, self._ssl_context = timeout, connections, ssl_context
        self._user_agent = _header_value(user_agent)
        self._credentials = {parse_url(origin).origin: _header_value(value) for origin, value in (credentials or {}).items()}
        # Taken twice by one thread if garbage collection drops an answer inside.
        self._lock = threading.RLock()
        self._lanes: dict[str, Lane] = {}
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def ask(self, url: str) -> HttpAnswer:
        """Send a GET for the URL, which must be percent-encoded already; see `Transport`."""
        address = parse_url(url)
        if not self._open:
            raise UsageError("the transport is closed")
        answer = HttpAnswer(self, url, address)
        self.lane(address).enter(answer)
        return answer

    def close(self) -> None:
        """Ask no more; answers that were asked for can still be read."""
        self._open = False
        with self._lock:
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.close()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self.close()

    def lane(self, address: Address) -> Lane:
        """Return the queue of requests to an address's server."""
        with self._lock:
            lane = self._lanes.get(address.origin)
            if lane is None:
                lane = self._lanes[address.origin] = Lane(self._connections, self._timeout)
                if not self._open:
                    lane.close()
            return lane

    def connect(self, url: str, address: Address) -> Wire:
        """Return a new connection to an address's server."""
        return connect(url, address, self._timeout, self.tls)

    def request(self, address: Address) -> bytes:
        """Return the bytes that ask for an address."""
        return self.render(address, address.target)

    def render(self, address: Address, target: str, *more: str) -> bytes:
        """Return a GET request for a target, with more header lines."""
        lines = [f"GET {target} HTTP/1.1", f"Host: {address.authority}", f"User-Agent: {self._user_agent}", "Accept: */*"]
        # What is signed are the bytes as they are on the server; and a gzip bomb stays small.
        lines.append("Accept-Encoding: identity")
        if address.origin in self._credentials:
            lines.append(f"Authorization: {self._credentials[address.origin]}")
        return "\r\n".join([*lines, *more, "", ""]).encode()

    def tls(self) -> "ssl.SSLContext":
        """Return the TLS settings, by default the system's; made when first needed, because that takes 20 ms."""
        with self._lock:
            if self._ssl_context is None:
                import ssl

                self._ssl_context = ssl.create_default_context()
            return self._ssl_context


def _header_value(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise UsageError(f"{value!a} cannot be sent as a header")
    return value
