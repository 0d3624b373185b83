"""What every way of fetching bytes promises: `ask` now, read the answer later.

Asking is separate from reading so that several requests can be on their way at once; they go out in the order in
which they were asked. Whatever goes wrong on the wire is raised where the answer is read, never by `ask`.
"""

from collections.abc import Iterator
from typing import Protocol


class Answer(Protocol):
    """The bytes of one file as they come; iterate once, then forget it.

    Iterating raises `AbsentError` where there is no such file, `StatusError` on another refusal, `ConnectError` when
    the connection broke (a body cut short is never taken for a whole one) and `TransportError` on the rest.
    """

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def close(self) -> None:
        """Abandon the answer: no further byte of it is read, and iterating it from now on raises."""


class Transport(Protocol):
    """Fetches files by URL. It may have a `close()`, after which it answers no more; it never tries again by itself."""

    def ask(self, url: str) -> Answer:
        """Send the request for a URL, whose names are percent-encoded already, and return before its answer has come."""
