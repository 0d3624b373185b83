"""Slow retrieval (specification 1.5.2): a server that sends just enough for nobody to call it dead.

An average below the minimum speed ends an answer once the grace is over, and a deadline ends a download however it goes.
"""

import time
from collections.abc import Iterator

import pytest

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Tampering, table
from tuffet.client import Speed
from tuffet.errors import TooSlowError
from tuffet.testing import FakeRepository

SPEED = Speed(min_bytes_per_second=1000, grace_seconds=0.05)


def drip() -> Iterator[bytes]:
    """Give a hundred bytes a second, for ever."""
    while True:
        time.sleep(0.01)
        yield b" "


ALL = (*UP_TO_TIMESTAMP, "3.snapshot.json", "3.targets.json")

DRIPS: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    # what drips, its file, what is asked for, what is rightly believed before
    ("the next root", "2.root.json", UP_TO_TIMESTAMP, ()),
    ("the timestamp", "timestamp.json", UP_TO_TIMESTAMP, ()),
    ("the snapshot", "3.snapshot.json", ALL[:3], ("timestamp.json",)),
    ("the targets", "3.targets.json", ALL, ("timestamp.json", "snapshot.json")),
]


@pytest.mark.parametrize(("file", "asked", "kept"), table(DRIPS))
def test_metadata_that_drips(begin: Begin, repo: FakeRepository, file: str, asked: tuple[str, ...], kept: tuple[str, ...]) -> None:
    """It is given up in time, and not tried again: a slow server is no broken connection."""
    tampering = Tampering(repo, {})
    story = begin(repo, transport=tampering, speed=SPEED)
    repo.publish("app.bin", b"two")
    tampering.bodies[file] = drip
    error = story.refused(TooSlowError, story.client.refresh, attack="slow-retrieval", asked=asked, kept=kept)
    assert error.url == repo.metadata_url + file
    assert 0 < tampering.read[file] < 50
    tampering.bodies.clear()
    story.recovers()


def test_a_delegated_role_that_drips(begin: Begin, repo: FakeRepository) -> None:
    """As for the top-level roles."""
    repo.delegate("team", paths=["team/*"])
    story = begin(repo, transport=Tampering(repo, {"1.team.json": drip}), speed=SPEED)
    story.refused(TooSlowError, lambda: story.client.find("team/tool"), attack="slow-retrieval", asked=["1.team.json"])


@pytest.mark.parametrize("deadline", [None, 0.08], ids=["too slow on average", "fast enough, and late"])
def test_a_target_that_drips(begin: Begin, repo: FakeRepository, deadline: float | None) -> None:
    """Either the average or the deadline ends it, and nothing of the file stays."""
    tampering = Tampering(repo, {})
    repo.publish("large.bin", b" " * 5000)
    slow = SPEED if deadline is None else Speed(min_bytes_per_second=1)
    story = begin(repo, transport=tampering, speed=slow)
    target = story.client.find("large.bin")
    assert target
    served = f"targets/{target.hashes['sha256']}.large.bin"
    tampering.bodies[served] = drip
    error = story.refused(
        TooSlowError,
        lambda: story.client.download(target, to=story.downloads, deadline_seconds=deadline),
        attack="slow-retrieval",
        asked=[served],
    )
    assert ("before its deadline" in str(error)) is (deadline is not None)
    assert tampering.read[served] < 50
    tampering.bodies.clear()
    story.client.download(target, to=story.downloads)


def test_a_slow_disk_is_not_the_servers_fault(begin: Begin, repo: FakeRepository) -> None:
    """Time that the client's own machine takes is not counted, so no honest mirror is accused."""
    repo.publish("large.bin", b" " * 300_000)
    story = begin(repo, speed=Speed(min_bytes_per_second=100_000_000, grace_seconds=0.02))
    target = story.client.find("large.bin")
    assert target
    story.client.download(target, to=story.downloads, progress=lambda came, total: time.sleep(0.03))
    assert (story.downloads / "large.bin").stat().st_size == 300_000
