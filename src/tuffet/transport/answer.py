"""The answer to one GET as its reader sees it: it only ever ends once it has come whole.

An answer that failed or was closed raises whenever it is iterated again, so that what came of it is never taken for a
file. It may be closed by another thread than the one that reads it.
"""

import threading
from collections.abc import Iterator

from tuffet.errors import ConnectError, TooSlowError, TransportError
from tuffet.transport.connect import reason
from tuffet.transport.exchange import Connector, Exchange
from tuffet.transport.url import Address
from tuffet.transport.wire import Wire


class HttpAnswer:
    """The answer to one GET; see `Answer`. `sent` and `secure` are for the lane that sends it."""

    def __init__(self, connector: Connector, url: str, address: Address) -> None:
        self.sent = threading.Event()
        self.secure = address.scheme == "https"
        self._exchange, self._lane = Exchange(connector, url, address), connector.lane(address)
        self._lock = threading.Lock()
        self._pieces: Iterator[bytes] | None = None
        self._reading = self._over = self._cleared = False
        self._failure: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._lock:
            if self._over:
                raise self._failure or StopIteration()
            self._reading = True
        try:
            return self._next_piece()
        except StopIteration:
            if (failure := self._end(None)) is not None:
                raise failure from None
            raise
        except Exception as error:
            failure = self._end(self._translate(error))
            if failure is error or failure is None:
                raise
            raise failure from error
        except BaseException:
            # An interrupt from the keyboard: the answer is not whole, and must never look so.
            self._end(TransportError(self._exchange.url, "reading was interrupted"))
            raise
        finally:
            self._stop_reading()

    def close(self) -> None:
        """Abandon the answer; another thread that reads it raises."""
        with self._lock:
            if self._over:
                return
            self._over = self._exchange.given_up = True
            self._failure = TransportError(self._exchange.url, "the answer was closed before it had come whole")
            if self._reading:
                # That thread is inside the socket, whose number must not be given away under it: it clears up.
                if self._exchange.wire is not None:
                    self._exchange.wire.interrupt()
                return
        self._clear(reusable=False)

    def __del__(self) -> None:
        # An answer that is dropped makes room for the next one, and its socket is closed without a warning.
        if not getattr(self, "_over", True):
            self.close()

    def send(self, wire: Wire | None, previous: threading.Event) -> None:
        """Put the request on the wire after the previous one; what goes wrong is raised where the answer is read."""
        try:
            sent_on = self._exchange.dispatch(wire, previous)
            with self._lock:
                self._exchange.wire = sent_on
                given_up = self._cleared
            if given_up:
                sent_on.close()
        except Exception as error:  # noqa: BLE001  # A thread has nobody else to tell.
            self._failure = self._failure or error
        finally:
            self.sent.set()

    def _next_piece(self) -> bytes:
        if self._pieces is None:
            self._lane.read(self)
            self.sent.wait()
            if self._failure is not None:
                raise self._failure
            self._pieces = self._exchange.open()
        if self._exchange.wire is not None:
            self._exchange.wire.begin_step()
        return next(self._pieces)

    def _translate(self, error: Exception) -> Exception:
        url, wire = self._exchange.url, self._exchange.wire
        if not isinstance(error, OSError):
            return error
        if not isinstance(error, TimeoutError):
            return ConnectError(url, f"the connection broke: {reason(error)}")
        if wire is not None and wire.heard:
            return TooSlowError(url, "the next bytes of the answer did not come in time")
        return ConnectError(url, "no answer came in time")

    def _end(self, failure: Exception | None) -> Exception | None:
        """Return why the answer is not whole: this failure, unless it had been closed before."""
        with self._lock:
            if not self._over:
                self._over, self._failure = True, failure
            ended = self._failure
        self._clear(reusable=ended is None and self._exchange.reusable)
        return ended

    def _stop_reading(self) -> None:
        with self._lock:
            self._reading = False
            over = self._over
        if over:
            self._clear(reusable=False)

    def _clear(self, *, reusable: bool) -> None:
        with self._lock:
            if self._cleared:
                return
            self._cleared = True
            wire, self._exchange.wire = self._exchange.wire, None
            self._pieces = None
        if wire is not None:
            self._exchange.release(wire, reusable=reusable)
        self._lane.leave(self)
