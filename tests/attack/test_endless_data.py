"""Endless data (specification 1.5.2): answers that never end, documents that claim to be huge, chains and graphs without end.

Every fetch has a limit, and so has every walk; whoever exceeds one is named together with the limit (B056).
"""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, Tampering, table
from tuffet.errors import LimitError, TooLargeError
from tuffet.metadata import MetaFile
from tuffet.testing import FakeRepository
from tuffet.trust.steps import Limits

CHUNK = b"x" * 1000


def endless() -> Iterator[bytes]:
    return itertools.repeat(CHUNK)


LIMITS = Limits(root_bytes=3000, timestamp_bytes=2000, snapshot_bytes=2500, targets_bytes=4500)
ALL = (*UP_TO_TIMESTAMP, "3.snapshot.json", "3.targets.json")

ANSWERS: list[tuple[str, str, int, tuple[str, ...], tuple[str, ...]]] = [
    # what never ends, its file, the limit, what is asked for, what is rightly believed before
    ("the next root", "2.root.json", 3000, UP_TO_TIMESTAMP, ()),
    ("the timestamp", "timestamp.json", 2000, UP_TO_TIMESTAMP, ()),
    ("the snapshot", "3.snapshot.json", 2500, ALL[:3], ("timestamp.json",)),
    ("the targets", "3.targets.json", 4500, ALL, ("timestamp.json", "snapshot.json")),
]


@pytest.mark.parametrize(("file", "at_most", "asked", "kept"), table(ANSWERS))
def test_metadata_that_never_ends(
    begin: Begin, repo: FakeRepository, file: str, at_most: int, asked: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    """The client reads as far as its limit for the role and one chunk more, then hangs up (5.3.3, 5.4.1, 5.5.1, 5.6.1; B056)."""
    tampering = Tampering(repo, {})
    story = begin(repo, transport=tampering, limits=LIMITS)
    repo.publish("app.bin", b"two")
    tampering.bodies[file] = endless

    error = story.refused(TooLargeError, story.client.refresh, attack="endless-data", asked=asked, kept=kept)
    assert (error.at_most, error.url) == (at_most, repo.metadata_url + file)
    assert tampering.read[file] <= at_most + len(CHUNK)
    tampering.bodies.clear()
    story.recovers()


def test_a_delegated_role_that_never_ends(begin: Begin, repo: FakeRepository) -> None:
    """Delegated roles are bound like targets (B056, B105)."""
    repo.delegate("team", paths=["team/*"])
    tampering = Tampering(repo, {"1.team.json": endless})
    story = begin(repo, transport=tampering, limits=LIMITS)
    error = story.refused(TooLargeError, lambda: story.client.find("team/a"), attack="endless-data", asked=["1.team.json"])
    assert error.at_most == 4500
    assert tampering.read["1.team.json"] <= 5500


def test_a_target_that_never_ends(begin: Begin, repo: FakeRepository) -> None:
    """Not a byte more than the signed length is written, and what was written goes (5.7.3)."""
    tampering = Tampering(repo, {})
    story = begin(repo, transport=tampering)
    target = story.client.find("app.bin")
    assert target
    served = f"targets/{target.hashes['sha256']}.app.bin"
    tampering.bodies[served] = endless
    progress: list[tuple[int, int]] = []

    def download() -> None:
        story.client.download(target, to=story.downloads, progress=lambda came, total: progress.append((came, total)))

    error = story.refused(TooLargeError, download, attack="endless-data", asked=[served])
    assert error.at_most == target.length
    assert (tampering.read[served], progress) == (len(CHUNK), [])


def test_an_answer_of_nothing_that_never_ends(begin: Begin, repo: FakeRepository) -> None:
    """A stated length in a trusted document binds even where the limit of the client is larger (5.5.1)."""
    repo.hashes_in_meta = True
    repo.publish("app.bin", b"two")
    tampering = Tampering(repo, {})
    story = begin(repo, transport=tampering)
    repo.publish("app.bin", b"three")
    length = repo.timestamp.snapshot.length
    assert isinstance(length, int)
    tampering.bodies["4.snapshot.json"] = endless
    asked = (*UP_TO_TIMESTAMP, "4.snapshot.json")
    error = story.refused(TooLargeError, story.client.refresh, attack="endless-data", asked=asked, kept=["timestamp.json"])
    assert error.at_most == length
    assert tampering.read["4.snapshot.json"] == len(CHUNK)


CLAIMS: list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]] = [
    ("a timestamp that names a snapshot of a petabyte", "snapshot", "snapshot_bytes", UP_TO_TIMESTAMP, ("timestamp.json",)),
    ("a snapshot that names targets of a petabyte", "targets", "targets_bytes", ALL[:3], ("timestamp.json", "snapshot.json")),
]


@pytest.mark.parametrize(("role", "limit", "asked", "kept"), table(CLAIMS))
def test_metadata_that_claims_to_be_huge(
    story: Story, repo: FakeRepository, role: str, limit: str, asked: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    """The claim alone is refused, by the name of the limit that it exceeds, and nothing of that size is asked for."""
    huge = MetaFile(version=3, length=10**15)
    repo.publish("app.bin", b"two")
    if role == "targets":
        repo.snapshot = replace(repo.snapshot, meta={"targets.json": huge})
        repo.serve("3.snapshot.json", repo.sign(repo.snapshot, "snapshot"))
    else:
        repo.timestamp = replace(repo.timestamp, meta={"snapshot.json": huge})
        repo.serve("timestamp.json", repo.sign(repo.timestamp, "timestamp"))
    error = story.refused(LimitError, story.client.refresh, attack="endless-data", asked=asked, kept=kept)
    assert (error.limit, error.allowed) == (limit, getattr(Limits(), limit))


def test_roots_without_end(begin: Begin, repo: FakeRepository) -> None:
    """A chain of good roots is followed so far and no further; what was believed of it is kept (5.3.3)."""
    story = begin(repo, limits=Limits(root_rotations=5))
    for _ in range(40):
        repo.new_root()

    before = len(repo.requests)
    asked = _chain(first=2, windows=[(3, 4), (7, 8)])
    kept = ["root.json", *(f"roots/{version}.root.json" for version in range(2, 7))]
    error = story.refused(LimitError, story.client.refresh, attack="endless-data", asked=asked, kept=kept)
    assert (error.limit, error.allowed) == ("root_rotations", 5)
    assert len(repo.requests) - before <= 1 + 5 + 16 + 2

    # What was believed is where the next update begins, so patience gets there.
    for _ in range(6):
        with pytest.raises(LimitError):
            story.client.refresh()
    assert story.refresh().root.payload.version == 41


def _chain(first: int, windows: Sequence[tuple[int, int]]) -> list[str]:
    """Return the requests of an update that follows roots in windows; the snapshot comes with the first of them."""
    asked = [f"{first}.root.json", "timestamp.json"]
    for number, (start, length) in enumerate(windows):
        asked += [f"{version}.root.json" for version in range(start, start + length)]
        asked += ["2.snapshot.json"] if number == 0 else []
    return asked


def test_expiry_without_end(story: Story, repo: FakeRepository) -> None:
    """Metadata that expires in the year 9999 is believed while its keys are: what bounds it is the owner's policy (B132)."""
    repo.bump("targets", 3, expires="9999-12-31T23:59:59Z")
    assert story.refresh().targets.payload.expires_at == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
