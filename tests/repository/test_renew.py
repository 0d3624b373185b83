"""What expires is signed again in time, by whoever is here; of the rest one learns who must come."""

from datetime import timedelta

import pytest

from tests.repository.world import KEYS, START, served, versions
from tuffet.errors import ExpiredError, SigningError
from tuffet.repository import Repository
from tuffet.testing.clock import FakeClock

ONLINE = {name: KEYS[name] for name in ("bins", "snapshot", "timestamp")}

SEASONS = [
    ("nothing is due on the first day", 0, {}),
    ("nothing is due while more than the margin is left", 3, {}),
    ("the timestamp is due three days before its end", 4, {"timestamp": 2}),
    ("the timestamp alone is renewed after its end too", 10, {"timestamp": 2}),
    ("the snapshot takes the timestamp along", 20, {"snapshot": 2, "timestamp": 2}),
    ("targets take along what names them", 245, {"targets": 2, "snapshot": 2, "timestamp": 2, "root": 2}),
    ("everything has expired long ago", 4000, {"targets": 2, "snapshot": 2, "timestamp": 2, "root": 2}),
]


@pytest.mark.parametrize(("days", "expected"), [row[1:] for row in SEASONS], ids=[row[0] for row in SEASONS])
def test_what_is_due_is_renewed(repository: Repository, clock: FakeClock, days: int, expected: dict[str, int]) -> None:
    """Also where all of it has expired: an expired repository can be renewed, root first (B110)."""
    repository.add("app", b"app", {"kept": True})
    repository.publish(KEYS)
    before = repository.state().trusted.targets.payload.targets
    clock.advance(timedelta(days=days))
    renewed = repository.renew(KEYS)
    raised = {role: version + (role != "root") for role, version in expected.items()}
    assert renewed.roles == raised
    assert renewed.blocked == ()
    assert repository.state().trusted.targets.payload.targets == before
    assert served(repository.directory, clock()) == {"app": b"app"}
    assert repository.renew(KEYS).roles == {}, "a second run finds nothing to do"


def test_all_of_it_can_be_renewed_at_once(binned: Repository) -> None:
    renewed = binned.renew(KEYS, force=True)
    assert len(renewed.roles) == 16 + 4
    assert set(renewed.roles.values()) == {2}
    assert served(binned.directory, START) == {}


def test_a_timer_with_online_keys_only(binned: Repository, clock: FakeClock) -> None:
    """It renews what it can, and says who must come; people's roles are not yet at their end."""
    binned.add("app", b"app")
    binned.publish(ONLINE)
    clock.advance(timedelta(days=300))
    renewed = binned.renew(ONLINE)
    assert len(renewed.roles) == 16 + 2
    assert [(each.role, each.expires) for each in renewed.blocked] == [
        ("root", "2031-01-01T00:00:00Z"),
        ("targets", "2031-01-01T00:00:00Z"),
    ]
    assert renewed.blocked[0].problem == ("root needs 2 signatures by keys of root 1, 0 at hand: bring 2 of root-1, root-2, root-3")
    assert served(binned.directory, clock()) == {"app": b"app"}


def test_people_came_too_late(binned: Repository, clock: FakeClock) -> None:
    """Root and targets have expired: the machines' roles are renewed all the same, and after the people's all is well."""
    clock.advance(timedelta(days=500))
    renewed = binned.renew(ONLINE)
    assert {each.role for each in renewed.blocked} == {"root", "targets"}
    assert {"snapshot", "timestamp", "bins-0"} <= set(renewed.roles)
    with pytest.raises(ExpiredError):
        served(binned.directory, clock())
    binned.add("app", b"app")
    with pytest.raises(ExpiredError, match=r"^root version 1 expired"):
        binned.publish(ONLINE)
    people = {name: KEYS[name] for name in ("root-1", "root-3", "targets", *ONLINE)}
    assert versions(binned)["root"] == 1
    assert set(binned.renew(people).roles) == {"root", "targets", "snapshot", "timestamp"}
    binned.publish(ONLINE)
    assert served(binned.directory, clock()) == {"app": b"app"}


def test_roots_follow_each_other(repository: Repository, clock: FakeClock) -> None:
    """Years pass, and a client with the first root still finds its way."""
    for _ in range(5):
        clock.advance(timedelta(days=250))
        repository.renew(KEYS)
    assert versions(repository) == {"root": 6, "targets": 6, "snapshot": 6, "timestamp": 6}
    assert served(repository.directory, clock()) == {}


def test_targets_cannot_be_renewed_without_those_that_name_them(repository: Repository, clock: FakeClock) -> None:
    clock.advance(timedelta(days=250))
    with pytest.raises(SigningError, match=r"^snapshot needs 1 signature"):
        repository.renew({"targets": KEYS["targets"], "timestamp": KEYS["timestamp"]})
    with pytest.raises(SigningError, match=r"^timestamp needs 1 signature"):
        repository.renew({"targets": KEYS["targets"], "snapshot": KEYS["snapshot"]})
    assert versions(repository) == {"root": 1, "targets": 1, "snapshot": 1, "timestamp": 1}


def test_root_alone_can_be_renewed_by_its_own_people(repository: Repository, clock: FakeClock) -> None:
    """They need none of the other keys, and nothing else is touched; due roles of others are named."""
    clock.advance(timedelta(days=250))
    renewed = repository.renew({"root-1": KEYS["root-1"], "root-2": KEYS["root-2"]})
    assert renewed.roles == {"root": 2}
    assert {each.role for each in renewed.blocked} == {"targets", "snapshot", "timestamp"}


def test_dead_runs_leave_no_litter_for_ever(repository: Repository, clock: FakeClock) -> None:
    """Old temporary files go with a renewal (B009)."""
    import os

    litter = repository.public / "metadata/.tuffet-tmp-0123"
    litter.write_bytes(b"half a file")
    repository.renew(KEYS)
    assert litter.exists()
    os.utime(litter, (0, 0))
    repository.renew(KEYS)
    assert not litter.exists()
