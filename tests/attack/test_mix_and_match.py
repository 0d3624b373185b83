"""Mix-and-match (specification 1.5.2): good documents that never were published together.

Versions, and where they are listed lengths and hashes, tie every document to the one above it.
"""

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, table
from tuffet.errors import MismatchError
from tuffet.metadata.targets import TargetFile
from tuffet.testing import FakeRepository

SNAPSHOT = (*UP_TO_TIMESTAMP, "3.snapshot.json")
TARGETS = (*SNAPSHOT, "3.targets.json")


def file(repo: FakeRepository, name: str) -> bytes:
    data = repo.store.read(name)
    assert data
    return data


PAIRS: list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]] = [
    # what is combined, the file that is replaced, by which one, what is asked for, what is rightly believed before
    ("today's timestamp with yesterday's snapshot", "3.snapshot.json", "2.snapshot.json", SNAPSHOT, ("timestamp.json",)),
    ("today's timestamp with tomorrow's snapshot", "3.snapshot.json", "4.snapshot.json", SNAPSHOT, ("timestamp.json",)),
    ("today's snapshot with yesterday's targets", "3.targets.json", "2.targets.json", TARGETS, ("timestamp.json", "snapshot.json")),
    ("today's snapshot with tomorrow's targets", "3.targets.json", "4.targets.json", TARGETS, ("timestamp.json", "snapshot.json")),
]


@pytest.mark.parametrize("hashes", [False, True], ids=["versions only", "with hashes"])
@pytest.mark.parametrize(("name", "by", "asked", "kept"), table(PAIRS))
def test_documents_of_different_days(begin: Begin, name: str, by: str, asked: tuple[str, ...], kept: tuple[str, ...], hashes: bool) -> None:
    """Every document is signed by the right keys and fresh; only the combination is wrong (5.5.2, 5.5.4, 5.6.2, 5.6.4)."""
    repo = FakeRepository(hashes_in_meta=hashes)
    repo.publish("app.bin", b"one")
    story = begin(repo)
    repo.publish("app.bin", b"two")
    mirror = repo.fork()
    tomorrow = repo.fork()
    tomorrow.publish("app.bin", b"six")
    mirror.serve(name, file(tomorrow, by))
    repo.replay(mirror)

    error = story.refused(MismatchError, story.client.refresh, attack="mix-and-match", asked=asked, kept=kept)
    role = name.split(".")[1]
    if hashes:
        assert (error.role, error.what in {"length", "sha256"}) == (role, True)
    else:
        assert (error.role, error.what, error.expected, error.offered) == (role, "version", 3, int(by[0]))
    story.recovers()


@pytest.mark.parametrize(("name", "kept"), [("snapshot.json", ["timestamp.json"]), ("targets.json", ["timestamp.json", "snapshot.json"])])
def test_without_consistent_snapshots(begin: Begin, name: str, kept: list[str]) -> None:
    """One file each, replaced in place: a client that comes in between is told, and comes again (5.5.4, 5.6.4)."""
    repo = FakeRepository(consistent_snapshot=False)
    repo.publish("app.bin", b"one")
    story = begin(repo)
    yesterday = repo.fork()
    repo.publish("app.bin", b"two")
    mirror = repo.fork()
    mirror.serve(name, file(yesterday, name))
    repo.replay(mirror)
    asked = [*UP_TO_TIMESTAMP, "snapshot.json", *(["targets.json"] if name == "targets.json" else [])]
    error = story.refused(MismatchError, story.client.refresh, attack="mix-and-match", asked=asked, kept=kept)
    assert (error.what, error.expected, error.offered) == ("version", 3, 2)
    story.recovers()


def test_two_documents_of_one_version(begin: Begin) -> None:
    """An owner who signed version 3 twice, or a thief of one key: the hash of the one that was named decides (5.5.2)."""
    repo = FakeRepository(hashes_in_meta=True)
    repo.publish("app.bin", b"one")
    story = begin(repo)
    other = repo.fork()
    repo.publish("app.bin", b"two")
    other.publish("app.bin", b"a third")
    mirror = repo.fork()
    mirror.serve("3.targets.json", file(other, "3.targets.json"))
    repo.replay(mirror)
    kept = ["timestamp.json", "snapshot.json"]
    error = story.refused(MismatchError, story.client.refresh, attack="mix-and-match", asked=TARGETS, kept=kept)
    assert error.role == "targets"
    assert error.what in {"length", "sha256"}
    story.recovers()


@pytest.mark.parametrize("hashes", [False, True], ids=["versions only", "with hashes"])
def test_a_delegated_role_of_another_day(begin: Begin, hashes: bool) -> None:
    """Delegated roles are tied to the snapshot like targets (5.6.2, 5.6.4, B102, B105)."""
    repo = FakeRepository(hashes_in_meta=hashes)
    repo.delegate("team", paths=["team/*"])
    repo.publish("team/tool", b"one", role="team")
    repo.publish("team/tool", b"two", role="team")
    honest = file(repo, "3.team.json")
    repo.serve("3.team.json", file(repo, "2.team.json"))
    story = begin(repo)
    error = story.refused(MismatchError, lambda: story.client.find("team/tool"), attack="mix-and-match", asked=["3.team.json"])
    assert (error.role, error.what) == ("team", "sha256" if hashes else "version")
    repo.serve("3.team.json", honest)
    assert story.client.find("team/tool")


def test_two_roles_that_share_their_keys(begin: Begin) -> None:
    """A targets document does not say whose it is (4.5), so keys of one's own keep roles apart, or the hashes in the snapshot do."""
    repo = FakeRepository(hashes_in_meta=True)
    repo.delegate("red", paths=["tool"])
    repo.delegate("blue", paths=["tool"])
    repo.publish("tool", b"red's", role="red")
    # Blue lends its name to red's key and publishes something of the same version and length.
    repo.signers["blue"] = repo.signers["red"]
    held = repo.roles["targets"].delegations
    assert held
    assert held.roles
    red, blue = held.roles
    repo.change("targets", delegations=replace(held, roles=(replace(blue, keyids=red.keyids), red)))
    repo.publish("tool", b"blue!", role="blue")
    repo.serve("2.blue.json", file(repo, "2.red.json"))
    story = begin(repo)
    error = story.refused(MismatchError, lambda: story.client.find("tool"), attack="mix-and-match", asked=["2.blue.json"])
    assert (error.role, error.what) == ("blue", "sha256")


def test_a_delegated_role_that_the_snapshot_does_not_list(begin: Begin, repo: FakeRepository) -> None:
    """Without a version in the snapshot nothing says which one belongs here; it is not asked for at all (B092)."""
    repo.delegate("team", paths=["team/*"])
    repo.snapshot = replace(repo.snapshot, meta={name: meta for name, meta in repo.snapshot.meta.items() if name != "team.json"})
    repo.serve("3.snapshot.json", repo.sign(repo.snapshot, "snapshot"))
    story = begin(repo)
    error = story.refused(MismatchError, lambda: story.client.find("team/tool"), attack="mix-and-match", asked=[])
    assert (error.role, error.what, error.offered) == ("team", "place in the snapshot", "none")


def test_metadata_of_another_repository_of_the_same_keys(begin: Begin, repo: FakeRepository) -> None:
    """Two repositories that share keys share trust; versions keep them apart only by luck, so the hashes must (5.5.2)."""
    repo.hashes_in_meta = True
    repo.publish("app.bin", b"two")
    story = begin(repo)
    other = repo.fork()
    other.change("targets", targets={"evil.bin": TargetFile(hashes=repo.roles["targets"].targets["app.bin"].hashes, length=1)})
    repo.publish("app.bin", b"three")
    mirror = repo.fork()
    for name in ("4.snapshot.json", "4.targets.json"):
        mirror.serve(name, file(other, name))
    repo.replay(mirror)
    asked = (*UP_TO_TIMESTAMP, "4.snapshot.json")
    story.refused(MismatchError, story.client.refresh, attack="mix-and-match", asked=asked, kept=["timestamp.json"])


def test_the_newest_of_two_days_is_no_attack(story: Story, repo: FakeRepository) -> None:
    """A mirror that lags behind serves one whole day, and a client that has seen nothing newer takes it."""
    monday = repo.fork()
    monday.publish("app.bin", b"two")
    repo.replay(monday)
    assert story.refresh().snapshot.payload.version == 3
