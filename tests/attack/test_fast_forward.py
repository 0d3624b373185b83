"""Fast-forward (specification 1.5.2): a thief of online keys signs the largest version there is, so that honest ones look old.

Versions have a bound, and what a stolen key said is forgotten once a new root takes that key away (5.3.11).
"""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, table
from tuffet.errors import AbsentError, ExpiredError, FormatError, RollbackError
from tuffet.metadata.roles import MAX_VERSION
from tuffet.testing import FakeClock, FakeRepository

ONLINE = ("timestamp", "snapshot")

FORWARD: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    # what is fast-forwarded, its role, what is asked for until the honest version is refused, what is believed until then
    ("the timestamp", "timestamp", UP_TO_TIMESTAMP, ()),
    ("the snapshot", "snapshot", UP_TO_TIMESTAMP, ()),
    ("the targets that the snapshot names", "targets", (*UP_TO_TIMESTAMP, "9.snapshot.json"), ("timestamp.json",)),
    ("a delegated role that the snapshot names", "team", (*UP_TO_TIMESTAMP, "9.snapshot.json"), ("timestamp.json",)),
]


def fast_forward(repo: FakeRepository, role: str) -> FakeRepository:
    """Return what a thief of the online keys publishes: one role at the largest version, all others going on."""
    thief = repo.fork()
    if role in ONLINE:
        thief.bump(role, MAX_VERSION)
        return thief
    thief.bump("snapshot", 4)
    meta = {**thief.snapshot.meta, f"{role}.json": replace(thief.snapshot.meta[f"{role}.json"], version=MAX_VERSION)}
    thief.snapshot = replace(thief.snapshot, meta=meta)
    thief.serve("4.snapshot.json", thief.sign(thief.snapshot, "snapshot"))
    return thief


@pytest.mark.parametrize("rotated", [ONLINE, ("timestamp",), ("snapshot",)], ids=["both keys", "the timestamp's key", "the snapshot's key"])
@pytest.mark.parametrize(("role", "asked", "kept"), table(FORWARD))
def test_the_owner_takes_the_stolen_keys_away(
    begin: Begin, repo: FakeRepository, role: str, asked: tuple[str, ...], kept: tuple[str, ...], rotated: tuple[str, ...]
) -> None:
    """Until then honest metadata looks like a rollback; with the next root the client comes back (5.3.11, B043, B052)."""
    repo.delegate("team", paths=["team/*"])
    story = begin(repo)
    repo.replay(fast_forward(repo, role))
    if role == "targets":
        # The thief has no key of targets, so there is no such file. The client holds the thief's snapshot by then.
        with pytest.raises(AbsentError):
            story.client.refresh()
    else:
        story.refresh()

    repo.replay(repo)
    repo.publish("app.bin", b"two")
    for _ in range(5):
        repo.renew("snapshot")
    error = story.refused(RollbackError, story.client.refresh, attack="rollback", asked=asked, kept=kept)
    assert (error.role, error.trusted) == (role, MAX_VERSION)
    honest = {"timestamp": repo.timestamp, "snapshot": repo.snapshot, **repo.roles}[role]
    assert error.offered == honest.version

    # Whichever key is taken away, both memories go: the thief may have signed one with the help of the other (5.3.11).
    for each in rotated:
        repo.rotate(each)
    trusted = story.recovers()
    assert trusted.root.payload.version == 1 + len(rotated)
    target = story.client.find("app.bin")
    assert target
    assert target.length == 3
    assert story.client.find("team/tool") is None


def test_another_key_beside_the_stolen_one_is_no_recovery(story: Story, repo: FakeRepository) -> None:
    """Whoever only adds a key says that the old one is still good, and so is what it signed (docs/decisions/0004)."""
    repo.replay(fast_forward(repo, "timestamp"))
    story.refresh()
    repo.replay(repo)
    (more,) = repo.new_signers(1)
    role = repo.root.roles["timestamp"]
    roles = {**repo.root.roles, "timestamp": replace(role, keyids=(*role.keyids, more.keyid))}
    repo.new_root(keys={**repo.root.keys, more.keyid: more.key}, roles=roles)
    repo.renew("timestamp")

    windows = ["3.root.json", "4.root.json", "5.root.json", "6.root.json", "2.snapshot.json"]
    # The timestamp came before the root moved, so it is asked for once more before it is refused.
    asked = [*UP_TO_TIMESTAMP, *windows, "timestamp.json"]
    error = story.refused(RollbackError, story.client.refresh, attack="rollback", asked=asked, kept=["root.json", "roots/2.root.json"])
    assert (error.role, error.trusted) == ("timestamp", MAX_VERSION)


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
@pytest.mark.parametrize("version", [MAX_VERSION + 1, 2**63 - 1, 2**64, 10**100])
def test_a_version_beyond_what_can_be_counted(story: Story, repo: FakeRepository, role: str, version: int) -> None:
    """No version can be so large that the next one does not fit (B043, B052)."""
    thief = repo.fork()
    thief.bump(role, version)
    if role == "snapshot":  # The number would not fit into the timestamp either: name the one that it follows.
        thief.serve("3.snapshot.json", thief.sign(thief.snapshot, "snapshot"))
        thief.timestamp = replace(thief.timestamp, meta={"snapshot.json": replace(thief.timestamp.snapshot, version=3)})
        thief.serve("timestamp.json", thief.sign(thief.timestamp, "timestamp"))
    repo.replay(thief)
    asked = UP_TO_TIMESTAMP if role == "timestamp" else (*UP_TO_TIMESTAMP, "3.snapshot.json")
    kept = () if role == "timestamp" else ("timestamp.json",)
    error = story.refused(FormatError, story.client.refresh, attack="malformed", asked=asked, kept=kept)
    assert error.where.startswith(("signed.version", "document"))


def test_the_largest_version_has_no_successor_but_a_new_key(story: Story, repo: FakeRepository) -> None:
    """A role at the bound is frozen there until its key is taken away, and the client says so as it expires (B043)."""
    thief = fast_forward(repo, "timestamp")
    repo.replay(thief)
    story.refresh()
    clock = repo.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(days=2))
    error = story.refused(ExpiredError, story.client.refresh, attack="freeze", asked=UP_TO_TIMESTAMP)
    assert (error.role, error.version) == ("timestamp", MAX_VERSION)
    repo.rotate("timestamp")
    story.recovers()
