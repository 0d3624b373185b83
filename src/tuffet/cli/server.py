"""A server for the public files of a repository: what `tuffet serve` runs, and what tests and demonstrations ask.

It reads and never writes. Whoever is slow, asks for too much or hangs up costs one thread for a bounded time: there are
limits on connections, on a request's size and time, and on how slowly an answer may be taken. TLS is a matter for the
proxy in front; what is served proves itself by its signatures.
"""

import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Self, cast

from tuffet.cli.handler import Handler, Limits, Logged
from tuffet.errors import UsageError

Log = Callable[[Logged], None]
_Request = socket.socket | tuple[bytes, socket.socket]  # The base class serves datagrams too; here it is a socket.

CONNECTIONS = 256
GRACE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server:
    """Serves a directory from a thread of its own, from `start` to `stop`; `with Server(directory) as server: server.url`."""

    def __init__(
        self,
        directory: str,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        log: Log | None = None,
        connections: int = CONNECTIONS,
        limits: Limits | None = None,
    ) -> None:
        """Listen on a port, a free one if it is 0, of this machine alone unless another host is given.

        `log` is called, by several threads at once, with each answer before it is sent.
        """
        try:
            self._listener = _Listener((host, port), directory, log, connections, limits or Limits())
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot listen on {host} port {port}: {getattr(error, 'strerror', None) or error}") from error
        self._thread = threading.Thread(target=self._listener.accept_all, daemon=True)
        self.port: int = self._listener.server_address[1]
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop(0.0 if kind else GRACE_SECONDS)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Accept nobody any more, let the answers that are under way finish for so many seconds, then end them."""
        self._listener.stop_accepting()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.server_close()
        self._listener.finish_connections(grace_seconds)


def serve(directory: str, host: str, port: int, *, ready: Callable[[str], None] | None = None, log: Log | None = None) -> int:
    """Serve a directory until SIGINT or SIGTERM comes, finish what is under way, and return which; `ready` is told the URL.

    It takes over both signals while it runs, so it must be called in the main thread.
    """
    stop = threading.Event()
    came: list[int] = []

    def end(number: int, _: object) -> None:
        came.append(number)
        stop.set()

    server = Server(directory, host, port, log=log)
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with server:
            if ready is not None:
                ready(server.url)
            # On Windows no signal ends a wait without a limit.
            while not stop.wait(1.0):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return came[0]


class _Listener(ThreadingHTTPServer):
    """Accepts connections, knows those that are open, and which of them are in the middle of something."""

    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], directory: str, log: Log | None, connections: int, limits: Limits) -> None:
        if ":" in place[0]:
            self.address_family = socket.AF_INET6
        self.directory, self.log, self.limits = directory, log, limits
        self.stopping = False
        self._most = connections
        self._changed = threading.Condition()
        self._is_busy: dict[socket.socket, bool] = {}
        self._stop, self._stopped = socket.socketpair()
        super().__init__(place, Handler)

    def accept_all(self) -> None:
        """Accept connections until told to stop; unlike `serve_forever`, this sleeps until something happens."""
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ)
            selector.register(self._stopped, selectors.EVENT_READ)
            while not any(key.fileobj is self._stopped for key, _ in selector.select()):
                try:
                    request, client_address = self.get_request()
                except OSError:
                    time.sleep(_PAUSE_SECONDS)  # The client was gone, or there are no descriptors left for a while.
                else:
                    self.process_request(request, client_address)

    def stop_accepting(self) -> None:
        """Wake up `accept_all` and let it return."""
        self._stop.close()

    def server_close(self) -> None:
        """Close the port."""
        super().server_close()
        self._stop.close()
        self._stopped.close()

    def server_bind(self) -> None:
        """Bind, without asking the name service what this machine is called, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: _Request, client_address: object) -> None:
        """Give the connection a thread, or turn it away if there are as many as there may be."""
        connection = cast(socket.socket, request)
        with self._changed:
            accepted = len(self._is_busy) < self._most
            if accepted:
                self._is_busy[connection] = False
        if accepted:
            super().process_request(request, client_address)
            return
        connection.settimeout(0)
        with suppress(OSError):  # The refusal is a courtesy.
            connection.sendall(_BUSY)
        super().shutdown_request(request)

    def shutdown_request(self, request: _Request) -> None:
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._is_busy.pop(cast(socket.socket, request), None)
            self._changed.notify_all()

    def mark(self, request: socket.socket, *, busy: bool) -> None:
        """Note whether the connection is in the middle of a request."""
        with self._changed:
            if request in self._is_busy:
                self._is_busy[request] = busy

    def handle_error(self, request: _Request, client_address: object) -> None:  # noqa: ARG002  # The base class passes them.
        """Say nothing of clients that hang up; anything else is a mistake of ours and goes where a thread's errors go."""
        kind, error, trace = sys.exc_info()
        if kind is not None and not isinstance(error, OSError):
            threading.excepthook(threading.ExceptHookArgs((kind, error, trace, threading.current_thread())))

    def finish_connections(self, grace_seconds: float) -> None:
        """End the idle connections now, and the busy ones when they are done or the grace is over."""
        self.stopping = True
        with self._changed:
            self._end([request for request, busy in self._is_busy.items() if not busy], socket.SHUT_RD)
            if not self._changed.wait_for(lambda: not self._is_busy, grace_seconds):
                self._end(list(self._is_busy), socket.SHUT_RDWR)
                self._changed.wait_for(lambda: not self._is_busy, 1.0)

    @staticmethod
    def _end(requests: list[socket.socket], how: int) -> None:
        # Its thread is inside the socket and closes it; here the socket is only made to return.
        for request in requests:
            with suppress(OSError):  # The client may be faster.
                request.shutdown(how)
