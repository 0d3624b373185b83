"""Attacks on a refresh, by the public client: each is refused by name, nothing is kept, nothing more is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.client.conftest import MakeClient
from tuffet.client import Client
from tuffet.errors import (
    AbsentError,
    ExpiredError,
    FormatError,
    LimitError,
    MismatchError,
    RollbackError,
    ThresholdError,
    TooLargeError,
    TuffetError,
    VerificationError,
)
from tuffet.metadata import MetaFile
from tuffet.testing import FakeClock, FakeRepository
from tuffet.trust.steps import Limits


def yesterday(repo: FakeRepository) -> FakeRepository:
    """Let the repository go on, and return what it was before."""
    before = repo.fork()
    repo.publish("app-2.bin", b"two")
    return before


def forge_timestamp(repo: FakeRepository, **changes: Any) -> None:
    repo.timestamp = replace(repo.timestamp, version=repo.timestamp.version + 1, **changes)
    repo.serve("timestamp.json", repo.sign(repo.timestamp, "timestamp"))


def forge_snapshot(repo: FakeRepository, meta: dict[str, MetaFile]) -> None:
    repo.snapshot = replace(repo.snapshot, version=repo.snapshot.version + 1, meta=meta)
    repo.serve(f"{repo.snapshot.version}.snapshot.json", repo.sign(repo.snapshot, "snapshot"))
    forge_timestamp(repo, meta={"snapshot.json": MetaFile(version=repo.snapshot.version)})


@dataclass
class Attack:
    """What the attacker does to a client that has seen everything up to now, and how it ends."""

    story: str
    do: Callable[[FakeRepository], object]
    error: type[TuffetError]
    says: str
    last: str
    kept: tuple[str, ...] = ()
    """What was believed on the way there: honest metadata of roles before the one that was attacked."""


def without_signatures(repo: FakeRepository, name: str, payload: Any) -> None:
    repo.serve(name, repo.sign(payload, "", []))


def strangers(repo: FakeRepository, role: str) -> None:
    repo.signers[role] = repo.new_signers(1)


def replay_timestamp(repo: FakeRepository) -> None:
    repo.replay(repo.old)  # type: ignore[attr-defined]


def older_snapshot(repo: FakeRepository) -> None:
    forge_timestamp(repo, meta={"snapshot.json": MetaFile(version=repo.snapshot.version - 1)})


def older_role(role: str) -> Callable[[FakeRepository], None]:
    def do(repo: FakeRepository) -> None:
        meta = dict(repo.snapshot.meta)
        forge_snapshot(repo, {**meta, f"{role}.json": MetaFile(version=meta[f"{role}.json"].version - 1)})

    return do


def vanished_role(repo: FakeRepository) -> None:
    forge_snapshot(repo, {name: file for name, file in repo.snapshot.meta.items() if name != "a.json"})


def serve_other(name: str, other: str) -> Callable[[FakeRepository], None]:
    def do(repo: FakeRepository) -> None:
        data = repo.served(other)
        assert data is not None
        repo.serve(name, data)

    return do


def next_root(repo: FakeRepository, version: int, *, by_old: bool = True, by_new: bool = True) -> None:
    old = repo.signers["root"] if by_old else []
    repo.rotate("root")
    repo.root = replace(repo.root, version=version)
    repo.serve("2.root.json", repo.sign(repo.root, "root", [*old, *(repo.signers["root"] if by_new else [])]))


def renewed_by_strangers(role: str) -> Callable[[FakeRepository], None]:
    def do(repo: FakeRepository) -> None:
        strangers(repo, role)
        repo.renew(role)

    return do


def mixed_targets(repo: FakeRepository) -> None:
    repo.renew("targets")
    repo.serve("4.targets.json", repo.sign(replace(repo.roles["targets"], version=3), "targets"))


def withheld_snapshot(repo: FakeRepository) -> None:
    repo.renew("snapshot")
    repo.withdraw("5.snapshot.json")


ATTACKS = [
    Attack("a mirror replays an older timestamp", replay_timestamp, RollbackError, "timestamp went back from", "timestamp.json"),
    Attack(
        "a timestamp names an older snapshot", older_snapshot, RollbackError, "snapshot went back from version 4 to 3", "timestamp.json",
    ),
    Attack(
        "a snapshot names older targets", older_role("targets"), RollbackError, "targets went back from version 3 to 2",
        "5.snapshot.json", ("timestamp.json",),
    ),
    Attack(
        "a snapshot names an older delegated role", older_role("a"), RollbackError, "a went back from version 2 to 1",
        "5.snapshot.json", ("timestamp.json",),
    ),
    Attack(
        "a snapshot leaves a role out", vanished_role, RollbackError, "a vanished after version 2",
        "5.snapshot.json", ("timestamp.json",),
    ),
    Attack(
        "the next root is the first one again", serve_other("2.root.json", "1.root.json"), RollbackError, "from version 1 to 1",
        "timestamp.json",
    ),
    Attack("the next root leaves a version out", lambda repo: next_root(repo, 3), RollbackError, "from version 1 to 3", "timestamp.json"),
    Attack(
        "the next root is not signed by the old keys", lambda repo: next_root(repo, 2, by_old=False), ThresholdError, "root needs 1",
        "timestamp.json",
    ),
    Attack(
        "the next root is not signed by its own keys (B014)", lambda repo: next_root(repo, 2, by_new=False), ThresholdError,
        "root needs 1", "timestamp.json",
    ),
    Attack("a stranger signs the timestamp", renewed_by_strangers("timestamp"), ThresholdError, "timestamp needs 1", "timestamp.json"),
    Attack(
        "a stranger signs the snapshot", renewed_by_strangers("snapshot"), ThresholdError, "snapshot needs 1",
        "5.snapshot.json", ("timestamp.json",),
    ),
    Attack(
        "a stranger signs the targets", renewed_by_strangers("targets"), ThresholdError, "targets needs 1",
        "4.targets.json", ("timestamp.json", "snapshot.json"),
    ),
    Attack(
        "nobody signs the timestamp", lambda repo: without_signatures(repo, "timestamp.json", repo.timestamp), ThresholdError,
        "timestamp needs 1", "timestamp.json",
    ),
    Attack(
        "the snapshot's own signature is passed off as a timestamp's", serve_other("timestamp.json", "4.snapshot.json"), FormatError,
        "timestamp", "timestamp.json",
    ),
    Attack("the timestamp is no JSON", lambda repo: repo.serve("timestamp.json", b"\x00"), FormatError, "document", "timestamp.json"),
    Attack("the next root is no JSON", lambda repo: repo.serve("2.root.json", b"[" * 100_000), FormatError, "document", "timestamp.json"),
    Attack("the timestamp never ends", lambda repo: repo.serve("timestamp.json", b" " * 70_000), TooLargeError, "65536", "timestamp.json"),
    Attack("the next root never ends", lambda repo: repo.serve("2.root.json", b" " * 600_000), TooLargeError, "512000", "timestamp.json"),
    Attack("the timestamp is withheld", lambda repo: repo.withdraw("timestamp.json"), AbsentError, "404", "timestamp.json"),
    Attack(
        "the snapshot is withheld", withheld_snapshot, AbsentError, "404",
        "5.snapshot.json", ("timestamp.json",),
    ),
    Attack(
        "targets of another version are served", mixed_targets, MismatchError, "targets has the wrong version: 3, expected 4",
        "4.targets.json", ("timestamp.json", "snapshot.json"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.story)
def test_an_attack_on_a_client_that_is_up_to_date(repo: FakeRepository, make_client: MakeClient, attack: Attack) -> None:
    """Refused by name, nothing kept but what is honest, no further request; then the repository is itself again."""
    repo.delegate("a", paths=["a/*"])
    repo.old = repo.fork()  # type: ignore[attr-defined]
    repo.publish("a/1", b"1", "a")
    repo.renew("targets")
    honest = repo.fork()
    make_client().refresh()
    assert make_client().find("a/1") is not None
    client = make_client()
    before = client.cache.contents()
    repo.requests.clear()

    attack.do(repo)
    with pytest.raises(attack.error, match=attack.says) as refused:
        client.refresh()
    assert repo.requests[-1] == attack.last
    assert {name for name, data in client.cache.contents().items() if before.get(name) != data} == set(attack.kept)
    assert before.keys() == client.cache.contents().keys()
    if isinstance(refused.value, VerificationError):
        assert refused.value.attack

    # No error leaves the client in a state from which it cannot update again (5, note).
    honest.bump("targets", 6)
    honest.bump("snapshot", 6)
    honest.bump("timestamp", 9)
    repo.replay(honest)
    assert client.refresh().timestamp.payload.version == 9


@pytest.mark.parametrize(
    ("role", "hours", "renewed"),
    [("timestamp", 25, ()), ("snapshot", 24 * 8, ("timestamp",)), ("targets", 24 * 91, ("snapshot",)), ("root", 24 * 366, ("targets",))],
)
@pytest.mark.parametrize("seen", [True, False], ids=["seen before", "first met"])
def test_a_freeze_ends_with_the_expiry(
    repo: FakeRepository, make_client: MakeClient, role: str, hours: int, renewed: tuple[str, ...], *, seen: bool
) -> None:
    """Withholding what is newer works until what is held expires, not a second longer (5.3.10, 5.4.4, 5.5.6, 5.6.5)."""
    assert isinstance(repo.clock, FakeClock)
    if seen:
        make_client().refresh()
    repo.clock.advance(timedelta(hours=hours))
    repo.renew(*renewed) if renewed else None
    client = make_client()
    with pytest.raises(ExpiredError, match=f"^{role} version 1 expired") as refused:
        client.refresh()
    assert refused.value.attack == "freeze"
    assert make_client().cache.contents().get(f"{role}.json") == (
        repo.served(f"1.{role}.json") or repo.served(f"{role}.json") if seen else None
    )
    repo.renew(role)
    make_client().refresh()


def test_the_second_of_expiry_is_too_late(repo: FakeRepository, make_client: MakeClient) -> None:
    """The expiry MUST be higher than the start of the update (5.4.4)."""
    assert isinstance(repo.clock, FakeClock)
    repo.clock.set(repo.timestamp.expires_at - timedelta(microseconds=1))
    make_client().refresh()
    repo.clock.set(repo.timestamp.expires_at)
    with pytest.raises(ExpiredError):
        make_client().refresh()


def test_time_stands_still_while_an_update_runs(repo: FakeRepository, make_client: MakeClient) -> None:
    """The clock is looked at once (5.1)."""
    looks = []

    def clock() -> Any:
        looks.append(repo.clock())
        return looks[0] + timedelta(days=400 * (len(looks) - 1))

    client = make_client(clock=clock)
    repo.delegate("a", paths=["*"])
    client.refresh()
    client.find("x")
    assert len(looks) == 1


@pytest.mark.parametrize("what", ["length", "sha256"])
@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_mix_and_match(make_client: MakeClient, repo: FakeRepository, role: str, what: str) -> None:
    """A file is not the one that was named, though its signature and version are good (5.5.2, 5.6.2)."""
    repo.hashes_in_meta = True
    repo.renew("targets", "snapshot")
    document = repo.snapshot if role == "snapshot" else repo.roles["targets"]
    name = f"{document.version}.{role}.json"
    data = repo.sign(document, role)
    other = data + b" " if what == "length" else data.replace(b"1.0.34", b"1.0.35")
    client = make_client()
    repo.serve(name, other)
    with pytest.raises(TooLargeError if what == "length" else MismatchError):
        client.refresh()
    assert f"{role}.json" not in client.cache.contents()
    repo.serve(name, data)
    client.refresh()


def test_a_rejected_timestamp_is_not_kept(repo: FakeRepository, client: Client) -> None:
    """An expired one of a version beyond all others would shut out every honest one (B019, B103)."""
    client.refresh()
    before = client.cache.contents()
    attacker = repo.fork()
    attacker.bump("timestamp", 2**53 - 1, expires="2029-12-31T23:59:59Z")
    repo.replay(attacker)
    with pytest.raises(ExpiredError):
        client.refresh()
    assert client.cache.contents() == before
    repo.renew("timestamp")
    repo.replay(repo)
    assert client.refresh().timestamp.payload.version == 2


def test_an_equal_version_is_the_one_that_is_held(repo: FakeRepository, client: Client) -> None:
    """Other bytes under a version already trusted are discarded, and that is no error (5.4.3)."""
    client.refresh()
    before = client.cache.contents()
    repo.timestamp = replace(repo.timestamp, meta={"snapshot.json": MetaFile(version=100)})
    repo.serve("timestamp.json", repo.sign(repo.timestamp, "timestamp"))
    assert client.refresh().timestamp.payload.snapshot.version == 1
    assert client.cache.contents() == before


def test_an_expired_timestamp_still_protects(repo: FakeRepository, make_client: MakeClient) -> None:
    """It is no longer fresh, but what it said cannot be unsaid (5.4.3)."""
    old = yesterday(repo)
    make_client().refresh()
    assert isinstance(repo.clock, FakeClock)
    repo.clock.advance(timedelta(days=2))
    old.bump("timestamp", 1)
    repo.replay(old)
    with pytest.raises(RollbackError):
        make_client().refresh()


def test_too_many_roots(repo: FakeRepository, make_client: MakeClient) -> None:
    """The limit is named; the roots up to there are believed, and the next update goes on from them."""
    for _ in range(5):
        repo.renew("root")
    with pytest.raises(LimitError, match="root_rotations") as refused:
        make_client(limits=Limits(root_rotations=3)).refresh()
    assert (refused.value.limit, refused.value.attack) == ("root_rotations", "endless-data")
    assert "4.root.json" not in repo.requests[:1]
    assert make_client(limits=Limits(root_rotations=3)).refresh().root.payload.version == 6


def test_an_expired_root_leads_to_a_fresh_one(repo: FakeRepository, make_client: MakeClient) -> None:
    """Its expiry is judged when the chain ends (5.3.10, B042, B110)."""
    assert isinstance(repo.clock, FakeClock)
    repo.renew("root")
    repo.clock.advance(timedelta(days=400))
    client = make_client()
    with pytest.raises(ExpiredError, match="root version 2"):
        client.refresh()
    assert sorted(client.cache.contents()) == ["root.json", "roots/2.root.json"]
    repo.renew("root", "targets")
    assert client.refresh().root.payload.version == 3


@pytest.mark.parametrize("root", [b"", b"{}", b"garbage"])
def test_a_broken_first_root(repo: FakeRepository, make_client: MakeClient, root: bytes) -> None:
    """Nothing is asked for before the root that the client was given verifies (5.2)."""
    with pytest.raises(FormatError):
        make_client(root=root).refresh()
    assert repo.requests == []


def test_an_unsigned_first_root(repo: FakeRepository, make_client: MakeClient) -> None:
    with pytest.raises(ThresholdError):
        make_client(root=repo.sign(repo.root, "root", [])).refresh()
    assert repo.requests == []
