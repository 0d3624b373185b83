"""The requests to one server: sent in the order in which they were asked, so many at a time, on connections kept open.

A request goes out in its caller's thread where that takes no waiting to speak of: on an idle connection, or on a new one
without TLS. Otherwise it gets a thread, so that handshakes run side by side, and waits for the request before it.
"""

import threading
import weakref
from typing import Protocol

from tuffet.transport.wire import Wire


class Request(Protocol):
    """What a lane sends: it tells by `sent` when its turn is over, whether it succeeded or not."""

    sent: threading.Event
    secure: bool

    def send(self, wire: Wire | None, previous: threading.Event) -> None:
        """Go out on this idle wire, or on a new one, once the previous request has."""


_Start = tuple[Request, Wire | None, threading.Event]


class Lane:
    """A queue in front of one server."""

    def __init__(self, connections: int, patience_seconds: float) -> None:
        self._connections, self._patience = connections, patience_seconds
        # A request that is dropped unread ends in here by way of `__del__`, perhaps inside another call: the condition's
        # lock is one that the same thread may take twice.
        self._changed = threading.Condition()
        self._idle: list[Wire] = []
        # Neither holds a reference to a request, so that one which nobody waits for any more ends by itself. With each
        # stands the thread that asked for it, later the one that reads it.
        self._waiting: list[tuple[weakref.ref[Request], int]] = []
        self._reader: dict[int, int] = {}
        self._last = threading.Event()
        self._last.set()
        self._open = True
        self.reachable = True
        """Whether the last attempt to connect succeeded; while not, nobody is kept waiting by the next attempt."""

    def enter(self, request: Request) -> None:
        """Send the request after those before it, or keep it waiting while as many as may be are under way."""
        me = threading.get_ident()
        with self._changed:
            if self._waiting or len(self._reader) >= self._connections:
                self._waiting.append((weakref.ref(request), me))
                return
            start = self._admit(request, me)
        self._run([start])

    def read(self, request: Request) -> None:
        """Say that this thread now reads the request's answer, whose turn must come if it has not yet.

        Where other threads asked for or read what is under way, one of them will make room. If none does, the caller holds
        all the room itself and would wait for itself: then the request and those queued before it go out beyond the limit.
        """
        me = threading.get_ident()
        starts: list[_Start] = []
        with self._changed:
            if id(request) not in self._reader:
                self._changed.wait_for(lambda: id(request) in self._reader or not self._others_hold(me), self._patience)
            while id(request) not in self._reader and self._waiting:
                self._admit_next(starts)
            self._reader[id(request)] = me
        self._run(starts)

    def leave(self, request: Request) -> None:
        """Make room: the request's answer was read or given up."""
        with self._changed:
            if id(request) in self._reader:
                del self._reader[id(request)]
            else:
                self._waiting = [waiting for waiting in self._waiting if waiting[0]() is not request]
            starts: list[_Start] = []
            while self._waiting and len(self._reader) < self._connections:
                self._admit_next(starts)
            self._changed.notify_all()
        self._run(starts)

    def keep(self, wire: Wire) -> None:
        """Keep a connection for a later request, if it is still good for one."""
        with self._changed:
            if self._open and len(self._idle) < self._connections and wire.rests():
                wire.served = True
                self._idle.append(wire)
                return
        wire.close()

    def take_idle(self) -> Wire | None:
        """Return a connection that was kept and has not been closed since."""
        with self._changed:
            while self._idle:
                wire = self._idle.pop()
                if wire.rests():
                    return wire
                wire.close()
        return None

    def close(self) -> None:
        """Close the idle connections, and keep none from now on."""
        with self._changed:
            self._open = False
            while self._idle:
                self._idle.pop().close()

    def _admit_next(self, starts: list[_Start]) -> None:
        waiting, asker = self._waiting.pop(0)
        if (request := waiting()) is not None:
            starts.append(self._admit(request, asker))

    def _admit(self, request: Request, asker: int) -> _Start:
        self._reader[id(request)] = asker
        previous, self._last = self._last, request.sent
        return request, self.take_idle(), previous

    def _others_hold(self, me: int) -> bool:
        return any(reader != me for reader in self._reader.values())

    def _run(self, starts: list[_Start]) -> None:
        for request, wire, previous in starts:
            if previous.is_set() and (wire is not None or (self.reachable and not request.secure)):
                request.send(wire, previous)
            else:
                threading.Thread(target=request.send, args=(wire, previous), daemon=True).start()
