"""Rollback (specification 1.5.2): what was good once is offered again, to make a client install what it had already left behind.

What a client has believed bounds what it will believe, for every role, across restarts and rotations (B080, B116).
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, table
from tuffet.client import Client
from tuffet.errors import RollbackError
from tuffet.testing import FakeRepository

Attack = Callable[[FakeRepository, FakeRepository], FakeRepository]
"""From the repository as it is and as it was yesterday, what the mirror serves."""


def yesterday_whole(repo: FakeRepository, yesterday: FakeRepository) -> FakeRepository:
    return yesterday


def older_snapshot(repo: FakeRepository, yesterday: FakeRepository) -> FakeRepository:
    """Have a thief of the timestamp key sign a newer timestamp that names yesterday's snapshot."""
    thief = repo.fork()
    thief.timestamp = replace(thief.timestamp, version=9, meta=yesterday.timestamp.meta)
    thief.serve("timestamp.json", thief.sign(thief.timestamp, "timestamp"))
    return thief


def _listing(repo: FakeRepository, **meta: int | None) -> FakeRepository:
    thief = repo.fork()
    thief.bump("snapshot", 9)
    listed = {name: held for name, held in thief.snapshot.meta.items() if meta.get(name.removesuffix(".json"), 1)}
    for role, version in meta.items():
        if version:
            listed[f"{role}.json"] = replace(thief.snapshot.meta[f"{role}.json"], version=version)
    thief.snapshot = replace(thief.snapshot, meta=listed)
    thief.serve("9.snapshot.json", thief.sign(thief.snapshot, "snapshot"))
    return thief


def older_targets(repo: FakeRepository, yesterday: FakeRepository) -> FakeRepository:
    return _listing(repo, targets=yesterday.roles["targets"].version)


def older_team(repo: FakeRepository, yesterday: FakeRepository) -> FakeRepository:
    return _listing(repo, team=yesterday.roles["team"].version)


def vanished_team(repo: FakeRepository, yesterday: FakeRepository) -> FakeRepository:
    return _listing(repo, team=None)


SNAPSHOT = (*UP_TO_TIMESTAMP, "9.snapshot.json")

ATTACKS: list[tuple[str, Attack, tuple[str, int, int | None], tuple[str, ...], tuple[str, ...]]] = [
    # the attack, how, what the error says, what is asked for, what is rightly believed before
    ("yesterday is replayed whole (5.4.3.1)", yesterday_whole, ("timestamp", 6, 4), UP_TO_TIMESTAMP, ()),
    ("a new timestamp names yesterday's snapshot (5.4.3.2, B080)", older_snapshot, ("snapshot", 6, 4), UP_TO_TIMESTAMP, ()),
    ("a new snapshot lists yesterday's targets (5.5.5, B080)", older_targets, ("targets", 4, 3), SNAPSHOT, ("timestamp.json",)),
    ("a new snapshot lists a team's yesterday (5.5.5, B102)", older_team, ("team", 3, 2), SNAPSHOT, ("timestamp.json",)),
    ("a new snapshot leaves a team out (5.5.5)", vanished_team, ("team", 3, None), SNAPSHOT, ("timestamp.json",)),
]


@pytest.mark.parametrize("restart", [False, True], ids=["the same process", "another process"])
@pytest.mark.parametrize(("attack", "evidence", "asked", "kept"), table(ATTACKS))
def test_older_metadata(
    begin: Begin,
    repo: FakeRepository,
    attack: Attack,
    evidence: tuple[str, int, int | None],
    asked: tuple[str, ...],
    kept: tuple[str, ...],
    restart: bool,
) -> None:
    """The error says which role went back, from which version to which, and the next honest update succeeds (B115, B116)."""
    repo.delegate("team", paths=["team/*"])
    repo.publish("team/tool", b"one", role="team")
    yesterday = repo.fork()
    repo.publish("app.bin", b"two")
    repo.publish("team/tool", b"two", role="team")
    story = begin(repo)
    if restart:
        story.client, story.believed = repo.client(story.client.cache.directory), None
    repo.replay(attack(repo, yesterday))

    error = story.refused(RollbackError, story.client.refresh, attack="rollback", asked=asked, kept=kept)
    role, trusted, offered = evidence
    assert (error.role, error.trusted, error.offered) == evidence
    went = f"went back from version {trusted} to {offered}" if offered else f"vanished after version {trusted}"
    assert str(error) == f"{role} {went}"
    if attack is yesterday_whole:
        story.recovers()


@pytest.mark.parametrize("offered", [1, 3, 4, 100])
def test_a_root_that_is_not_exactly_the_next_one(story: Story, repo: FakeRepository, offered: int) -> None:
    """Signed as it must be, under the name of root 2, with any other version in it (5.3.5, B008, B100)."""
    repo.serve("2.root.json", repo.sign(replace(repo.root, version=offered), "root"))
    error = story.refused(RollbackError, story.client.refresh, attack="rollback", asked=UP_TO_TIMESTAMP)
    assert (error.role, error.trusted, error.offered) == ("root", 1, offered)


def test_an_invalid_root_is_not_the_end_of_the_chain(story: Story, repo: FakeRepository) -> None:
    """A root that is refused ends the update; it is not taken for "there is none", with the old keys going on (B111)."""
    repo.rotate("root")
    mirror = repo.fork()
    mirror.serve("2.root.json", repo.root_bytes(1))
    repo.replay(mirror)
    error = story.refused(RollbackError, story.client.refresh, attack="rollback", asked=UP_TO_TIMESTAMP)
    assert (error.trusted, error.offered) == (1, 1)
    assert story.recovers().root.payload.version == 2


def test_a_rotation_of_other_keys_forgets_nothing(begin: Begin, repo: FakeRepository) -> None:
    """Only timestamp and snapshot keys that are taken away make a client forget (5.3.11, docs/decisions/0004)."""
    yesterday = repo.fork()
    repo.publish("app.bin", b"two")
    story = begin(repo)
    for role in ("targets", "root"):
        repo.rotate(role)
    mirror = repo.fork()
    timestamp = yesterday.served("timestamp.json")
    assert timestamp
    mirror.serve("timestamp.json", timestamp)
    repo.replay(mirror)
    chain = [f"{version}.root.json" for version in range(3, 7)]
    asked = [*UP_TO_TIMESTAMP, *chain, "2.snapshot.json", "timestamp.json"]
    kept = ["root.json", "roots/2.root.json", "roots/3.root.json"]
    error = story.refused(RollbackError, story.client.refresh, attack="rollback", asked=asked, kept=kept)
    assert (error.role, error.trusted, error.offered) == ("timestamp", 3, 2)
    story.recovers()


def test_whoever_can_write_to_the_cache_puts_older_files_there(begin: Begin, repo: FakeRepository) -> None:
    """Older files make an older memory, no more: a cache is no safer than its directory. Nothing false is believed (B118, B123)."""
    story = begin(repo)
    older = story.client.cache.contents()
    repo.publish("app.bin", b"two")
    story.refresh()
    for name, data in older.items():
        (story.folder / "cache" / name).write_bytes(data)
    again: Client = repo.client(story.client.cache.directory)
    assert again.refresh().timestamp.payload == repo.timestamp
    assert again.refresh().targets.payload == repo.roles["targets"]
