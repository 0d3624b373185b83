"""What the owner is told: who is good until when, which keys are here, and what is wrong, in sentences."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.repository.world import KEYS, make
from tuffet.errors import UsageError
from tuffet.repository import Choices, Repository
from tuffet.testing.clock import FakeClock


def test_a_healthy_repository(binned: Repository, clock: FakeClock) -> None:
    binned.add("a", b"1")
    binned.add("b", b"2")
    binned.publish(KEYS)
    binned.add("c", b"3")
    status = binned.status()
    assert [(role.role, role.version, role.left.days, role.threshold) for role in status.roles] == [
        ("root", 1, 365, 2),
        ("targets", 1, 365, 1),
        ("bins", 2, 90, 1),
        ("snapshot", 2, 30, 1),
        ("timestamp", 2, 7, 1),
    ]
    assert all(role.signable and not role.due for role in status.roles)
    assert {key.presence for role in status.roles for key in role.keys} == {"unencrypted"}
    assert (status.targets, status.bins, [change.path for change in status.staged]) == (2, 16, ["c"])
    assert status.problems == ()
    assert status.root_sha256 == binned.policy.repository.root_sha256


def test_what_is_wrong_is_said(binned: Repository, clock: FakeClock) -> None:
    """Expired, expiring, keys that are elsewhere, readable by others, damaged, or not the ones of the policy."""
    clock.advance(timedelta(days=85))
    keys = binned.directory / "keys"
    (keys / "root-1.key.json").unlink()
    (keys / "timestamp.key.json").unlink()
    (keys / "snapshot.key.json").chmod(0o644)
    (keys / "root-2.key.json").write_bytes(b"{}")
    (keys / "targets.key.json").write_bytes((keys / "bins.key.json").read_bytes())
    status = binned.status()
    assert status.problems[:5] == (
        "snapshot version 1 expired at 2030-01-31T00:00:00Z: clients refuse the repository until it is renewed",
        "timestamp version 1 expired at 2030-01-08T00:00:00Z: clients refuse the repository until it is renewed",
        "bins expires at 2030-04-01T00:00:00Z: run renew",
        "snapshot expires at 2030-01-31T00:00:00Z and needs 1 of its keys: bring snapshot",
        "timestamp expires at 2030-01-08T00:00:00Z and needs 1 of its keys: bring timestamp",
    )
    rest = " ".join(status.problems[5:])
    assert "key root-2 cannot be used: " in rest
    assert "chmod 600" in rest
    assert "key targets cannot be used: " in rest
    assert "which is not the one in the policy" in rest
    assert "root-1" not in rest, "that a root key is elsewhere is as it should be"
    assert {key.name: key.presence for role in status.roles for key in role.keys} == {
        "root-1": "absent",
        "root-2": "unusable",
        "root-3": "unencrypted",
        "targets": "unusable",
        "bins": "unencrypted",
        "snapshot": "unusable",
        "timestamp": "absent",
    }


def test_keys_that_publishing_needs_are_elsewhere(repository: Repository) -> None:
    (repository.directory / "keys/targets.key.json").unlink()
    assert repository.status().problems == ("targets is signed whenever something is published and needs 1 of its keys: bring targets",)


def test_the_policy_says_something_else_than_what_is_published(tmp_path: Path, clock: FakeClock) -> None:
    """Changing the file changes nothing that is signed, and one is told so."""
    directory = make(tmp_path / "r", clock, choices=Choices(bins=4)).directory
    file = directory / "tuffet.toml"
    text = file.read_text()
    file.write_text(
        text.replace("threshold = 2", "threshold = 3")
        .replace("count = 4", "count = 8")
        .replace('keys = ["snapshot"]', 'keys = ["timestamp"]')
    )
    assert Repository.open(directory, clock=clock).status().problems == (
        "snapshot is signed whenever something is published and needs 1 of its keys: bring those that are published for it",
        "the policy says threshold 3 for root and 2 is published: the published one counts",
        "the policy names timestamp for snapshot, and no such key is published for it: it cannot sign",
        "the policy says 8 bins and 4 are published: the published ones count",
    )
    start, end = text.index("# Targets are spread"), text.index("# Snapshot says")
    file.write_text(text[:start] + text[end:])
    repository = Repository.open(directory, clock=clock)
    assert repository.status().problems == (
        "bins is signed whenever something is published and needs 1 of its keys: bring those that are published for it",
        "the policy has no [roles.bins], which is published: add it",
        "the policy says no bins and 4 are published: the published ones count",
    )
    repository.add("app", b"app")
    for act in (repository.publish, repository.renew):
        with pytest.raises(UsageError, match=r"has no \[roles.bins\], which is published: add it"):
            act(KEYS)
