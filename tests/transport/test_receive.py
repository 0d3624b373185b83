"""No answer is endless and none takes for ever, by a clock that the tests turn."""

from collections.abc import Iterator

import pytest

from tuffet.errors import ConnectError, TooLargeError, TooSlowError
from tuffet.transport import receive


class Dripping:
    """An answer of chunks that take so many seconds each; the hands of the clock are its own."""

    def __init__(self, *chunks: tuple[float, bytes], breaks: bool = False) -> None:
        self.now, self.closed, self.read = 0.0, False, 0
        self._chunks, self._breaks = iter(chunks), breaks

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        for seconds, chunk in self._chunks:
            self.now += seconds
            self.read += len(chunk)
            return chunk
        if self._breaks:
            raise ConnectError("u", "broken")
        raise StopIteration

    def close(self) -> None:
        self.closed = True


def test_chunks_pass_as_they_come() -> None:
    answer = Dripping((1, b"ab"), (1, b"c"))

    assert list(receive(answer, "u", at_most=3, clock=lambda: answer.now)) == [b"ab", b"c"]
    assert answer.closed


def test_one_byte_too_many_ends_it_at_once() -> None:
    """Endless data: no chunk is read after the one that exceeded the limit."""
    answer = Dripping((0, b"ab"), (0, b"cd"), (0, b"ef"))
    came: list[bytes] = []
    with pytest.raises(TooLargeError) as refused:
        came.extend(receive(answer, "u", at_most=3))

    assert (refused.value.at_most, refused.value.attack) == (3, "endless-data")
    assert answer.read == 4
    assert answer.closed


def test_a_drip_is_noticed_after_the_grace() -> None:
    """Slow retrieval: two bytes a second, for ever."""
    answer = Dripping(*[(0.5, b"x")] * 1000)
    with pytest.raises(TooSlowError) as refused:
        list(receive(answer, "u", at_most=1000, min_bytes_per_second=100, grace_seconds=10, clock=lambda: answer.now))

    assert refused.value.attack == "slow-retrieval"
    assert answer.now == 10.5
    assert answer.closed


def test_a_slow_start_is_forgiven() -> None:
    answer = Dripping((9, b""), (1, b"x" * 5000), (1, b"y"))

    assert len(list(receive(answer, "u", at_most=9000, min_bytes_per_second=100, grace_seconds=10, clock=lambda: answer.now))) == 3


def test_a_slow_caller_is_not_the_servers_fault() -> None:
    answer = Dripping((1, b"x" * 100), (1, b"y" * 100), (1, b"z"))
    for _ in receive(answer, "u", at_most=900, min_bytes_per_second=50, grace_seconds=2, clock=lambda: answer.now):
        answer.now += 3600


@pytest.mark.parametrize("seconds", [3.0, 11.0])
def test_a_deadline_ends_it_however_fast(seconds: float) -> None:
    answer = Dripping(*[(seconds, b"x" * 100_000)] * 5)
    with pytest.raises(TooSlowError):
        list(receive(answer, "u", at_most=1_000_000, deadline=10, clock=lambda: answer.now))

    assert answer.closed


def test_a_deadline_that_is_past_reads_nothing() -> None:
    answer = Dripping((1, b"x"))
    answer.now = 11
    with pytest.raises(TooSlowError):
        list(receive(answer, "u", at_most=10, deadline=10, clock=lambda: answer.now))

    assert answer.read == 0


def test_a_failure_passes_and_closes() -> None:
    answer = Dripping((1, b"x"), breaks=True)
    with pytest.raises(ConnectError):
        list(receive(answer, "u", at_most=10, clock=lambda: answer.now))

    assert answer.closed


def test_a_caller_that_stops_closes_the_answer() -> None:
    answer = Dripping((1, b"x"), (1, b"y"))
    chunks = receive(answer, "u", at_most=10, clock=lambda: answer.now)
    next(chunks)
    del chunks

    assert answer.closed
