"""No answer is endless, and none takes for ever (specification 1.5.2: endless data, slow retrieval).

Bytes are passed on as they come until one too many has come, or until they come too slowly. Only the time spent
waiting for bytes counts as slowness: a caller that writes to a slow disk must not put the blame on the server.
"""

import time
from collections.abc import Callable, Iterator

from tuffet.errors import TooLargeError, TooSlowError
from tuffet.transport.transport import Answer

MIN_BYTES_PER_SECOND = 500.0
GRACE_SECONDS = 15.0


def receive(
    answer: Answer,
    url: str,
    *,
    at_most: int,
    min_bytes_per_second: float = MIN_BYTES_PER_SECOND,
    grace_seconds: float = GRACE_SECONDS,
    deadline: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """Yield the answer's chunks, at most so many bytes of them, and close the answer whatever happens.

    `deadline` is an instant of `clock`. Both it and the average speed are judged whenever a chunk comes; a server that
    sends nothing at all is the transport's to notice, whose reads return or raise `TooSlowError` within its timeout.
    """
    came, waited = 0, 0.0
    try:
        while True:
            before = clock()
            if deadline is not None and before > deadline:
                raise TooSlowError(url, f"not whole before its deadline, {came} bytes came")
            try:
                chunk = next(answer)
            except StopIteration:
                return
            now = clock()
            waited += now - before
            came += len(chunk)
            if came > at_most:
                raise TooLargeError(url, at_most=at_most)
            if deadline is not None and now > deadline:
                raise TooSlowError(url, f"not whole before its deadline, {came} bytes came")
            if waited > grace_seconds and came < min_bytes_per_second * waited:
                raise TooSlowError(url, f"{came} bytes came in {waited:.1f} s, fewer than {min_bytes_per_second:g} per second")
            yield chunk
    finally:
        # A generator that is dropped half way ends up here as well. Closing an answer that came whole does nothing.
        answer.close()
