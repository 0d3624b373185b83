"""Answers a workflow's steps with a transport and a cache; the only place where a refresh touches wire and disk.

Requests go out in the order of the steps. A connection that breaks is tried again, with growing pauses; nothing else
is. When the workflow refuses something, whatever is still under way is abandoned and nothing more is asked.
"""

import time
from collections.abc import Callable

import msgspec

from tuffet.client.cache import Cache
from tuffet.errors import AbsentError, ConnectError, UsageError
from tuffet.transport import Answer as Body
from tuffet.transport import Transport, receive
from tuffet.trust.steps import Answer, Ask, Drop, Fetch, Forget, Keep, Load, R, Step, Steps, answer_all


class Speed(msgspec.Struct, frozen=True):
    """How slow is too slow (slow retrieval, specification 1.5.2), and how often a broken connection is tried again."""

    min_bytes_per_second: float = 500.0
    """On average, once the grace is over."""
    grace_seconds: float = 15.0
    metadata_seconds: float = 600.0
    """At most, for one metadata file: at the minimum speed alone the largest that is allowed could take days."""
    tries: int = 3

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise UsageError("a client tries at least once")


class Driver:
    """Runs workflows for one client. Not for several threads at once."""

    def __init__(self, base_url: str, transport: Transport, cache: Cache, speed: Speed) -> None:
        self._base, self._transport, self._cache, self._speed = base_url, transport, cache, speed
        self._pending: dict[int, tuple[Fetch, Body]] = {}
        self._last = 0

    def run(self, steps: Steps[R]) -> R:
        """Return what the workflow returns; what it raises goes to the caller, with nothing left under way."""
        try:
            return answer_all(steps, self._do)
        finally:
            self._drop(tuple(self._pending))

    def _do(self, step: Step) -> object:
        match step:
            case Ask():
                tickets = tuple(self._ask(fetch) for fetch in step.fetches)
                # The answers are on their way; what it takes to judge them is imported meanwhile.
                import hashlib  # noqa: F401

                return tickets
            case Answer():
                return self._answer(*self._pending.pop(step.ticket))
            case Load():
                return self._cache.load(step.role, step.version)
            case Keep():
                self._cache.keep(step.role, step.data, step.version)
            case Forget():
                self._cache.forget(step.role)
            case Drop():
                self._drop(step.tickets)
        return None

    def _ask(self, fetch: Fetch) -> int:
        self._last += 1
        self._pending[self._last] = fetch, self._transport.ask(self._base + fetch.name)
        return self._last

    def _answer(self, fetch: Fetch, body: Body) -> bytes | None:
        url = self._base + fetch.name

        def read(body: Body) -> bytes:
            slowest, grace = self._speed.min_bytes_per_second, self._speed.grace_seconds
            deadline = time.monotonic() + self._speed.metadata_seconds
            chunks = receive(body, url, at_most=fetch.at_most, min_bytes_per_second=slowest, grace_seconds=grace, deadline=deadline)
            return b"".join(chunks)

        try:
            return patiently(lambda: read(self._transport.ask(url)), self._speed.tries, first=lambda: read(body))
        except AbsentError:
            if fetch.optional:
                return None
            raise

    def _drop(self, tickets: tuple[int, ...]) -> None:
        for ticket in tickets:
            if ticket in self._pending:
                self._pending.pop(ticket)[1].close()


def patiently(attempt: Callable[[], R], tries: int, first: Callable[[], R] | None = None) -> R:
    """Return what an attempt returns, trying again after a broken connection; the pauses are urllib3's, with jitter."""
    again = None
    for left in range(tries - 1, -1, -1):
        try:
            return (first or attempt)()
        except ConnectError:
            if not left:
                raise
        from urllib3.util.retry import Retry

        first = None
        again = (again or Retry(total=tries, backoff_factor=0.2, backoff_jitter=0.1)).increment("GET", "/", error=OSError())
        again.sleep()
    raise AssertionError("a client tries at least once")
