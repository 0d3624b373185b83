"""After a compromise the owners rotate keys, and clients that believed the thief come back (specification 5.3.11, 6.1)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.client.conftest import MakeClient
from tuffet.client import Client
from tuffet.errors import RollbackError, ThresholdError, VerificationError
from tuffet.metadata import RoleKeys
from tuffet.testing import FakeClock, FakeRepository
from tuffet.transport import Answer

FAST_FORWARDS = [
    ("a thief of the timestamp key", "timestamp", ("timestamp",)),
    ("a thief of the snapshot key", "snapshot", ("snapshot",)),
    ("a thief of the targets key, with the snapshot's", "targets", ("snapshot", "targets")),
    ("a thief of a delegated key, with the snapshot's", "a", ("snapshot", "a")),
]


@pytest.mark.parametrize(("role", "rotated"), [row[1:] for row in FAST_FORWARDS], ids=[row[0] for row in FAST_FORWARDS])
def test_recovery_from_a_fast_forward(repo: FakeRepository, make_client: MakeClient, role: str, rotated: tuple[str, ...]) -> None:
    """Versions beyond all others shut out the honest ones until the keys that said so are taken away."""
    repo.delegate("a", paths=["a/*"])
    thief = repo.fork()
    thief.bump(role, 1_000_000)
    repo.replay(thief)
    make_client().refresh()
    repo.replay(repo)
    for _ in range(3):
        repo.renew("snapshot")
    with pytest.raises(RollbackError) as refused:
        make_client().refresh()
    assert (refused.value.role, refused.value.trusted) == (role, 1_000_000)

    for name in rotated:
        repo.rotate(name)
    trusted = make_client().refresh()
    assert (trusted.timestamp.payload, trusted.snapshot.payload) == (repo.timestamp, repo.snapshot)
    assert make_client().find("a/x") is None
    repo.replay(thief)
    with pytest.raises(VerificationError):
        make_client().refresh()


def test_what_the_old_keys_said_is_gone_for_good(repo: FakeRepository, make_client: MakeClient) -> None:
    """Both files are forgotten though one role was rotated (5.3.11); the repository may even begin anew."""
    repo.publish("a", b"a")
    repo.publish("b", b"b")
    make_client().refresh()
    for role in ("snapshot", "timestamp"):
        repo.rotate(role)
    repo.bump("snapshot", 1)
    repo.bump("timestamp", 1)
    trusted = make_client().refresh()
    assert (trusted.timestamp.payload.version, trusted.snapshot.payload.version) == (1, 1)


def more_keys(repo: FakeRepository) -> None:
    """Root names a second key for timestamp and snapshot, and asks for both."""
    roles = dict(repo.root.roles)
    keys = dict(repo.root.keys)
    for role in ("timestamp", "snapshot"):
        repo.signers[role] = [*repo.signers[role], *repo.new_signers(1)]
        keys.update({signer.keyid: signer.key for signer in repo.signers[role]})
        roles[role] = RoleKeys(keyids=tuple(signer.keyid for signer in repo.signers[role]), threshold=2)
    repo.new_root(keys=keys, roles=roles)


def test_added_keys_do_not_undo_what_was_said(repo: FakeRepository, make_client: MakeClient) -> None:
    """A raised threshold is no rotation: what was kept stays on the disk until it is replaced."""
    repo.publish("a", b"a")
    make_client().refresh()
    before = make_client().cache.contents()
    more_keys(repo)
    with pytest.raises(ThresholdError, match="timestamp needs 2"):
        make_client().refresh()
    kept = make_client().cache.contents()
    assert [kept[name] for name in ("timestamp.json", "snapshot.json")] == [before[name] for name in ("timestamp.json", "snapshot.json")]
    repo.renew("snapshot")
    assert make_client().refresh().snapshot.payload.version == 3


class Ahead:
    """The world in the moment of a rotation: the first request for the timestamp is answered with the old one."""

    def __init__(self, repo: FakeRepository, old: bytes) -> None:
        self._repo, self._old = repo, old

    def ask(self, url: str) -> Answer:
        if url.endswith("/timestamp.json") and "timestamp.json" not in self._repo.requests:
            self._repo.store.replace("old.json", self._old, expected=self._repo.store.read("old.json"))
            answer = self._repo.transport.ask(url.replace("timestamp.json", "old.json"))
            self._repo.requests[-1] = "timestamp.json"
            return answer
        return self._repo.transport.ask(url)


def withdrawn(repo: FakeRepository) -> bytes:
    return b"garbage"


def signed_by_the_old_key(repo: FakeRepository) -> bytes:
    return repo.served("timestamp.json") or b""


def naming_a_snapshot_far_ahead(repo: FakeRepository) -> bytes:
    return (repo.served("timestamp.json") or b"").replace(b'"version":1', b'"version":' + b"9" * 60)


@pytest.mark.parametrize("answer", [signed_by_the_old_key, withdrawn, naming_a_snapshot_far_ahead])
@pytest.mark.parametrize("seen", [True, False], ids=["seen before", "first met"])
def test_a_timestamp_that_came_before_its_root_is_asked_for_once_more(
    repo: FakeRepository, make_client: MakeClient, answer: Callable[[FakeRepository], bytes], *, seen: bool
) -> None:
    """It was right when it was asked for; the root that follows is what makes it wrong."""
    if seen:
        make_client().refresh()
    old = answer(repo)
    repo.rotate("timestamp")
    repo.requests.clear()
    client = make_client(transport=Ahead(repo, old))
    assert client.refresh().timestamp.payload == repo.timestamp
    assert repo.requests[:2] == ["2.root.json", "timestamp.json"]
    assert repo.requests.count("timestamp.json") == 2
    repo.requests.clear()
    make_client().refresh()
    assert repo.requests == ["3.root.json", "timestamp.json"]


def test_a_timestamp_is_asked_for_twice_only_if_the_root_moved(repo: FakeRepository, make_client: MakeClient) -> None:
    """Otherwise the first answer is the last."""
    client = make_client(transport=Ahead(repo, b"garbage"))
    with pytest.raises(VerificationError):
        client.refresh()
    assert repo.requests == ["2.root.json", "timestamp.json"]


def test_a_long_absence(repo: FakeRepository, make_client: MakeClient) -> None:
    """Forty roots later, all keys new, everything that is held expired: one refresh catches up."""
    assert isinstance(repo.clock, FakeClock)
    client = make_client()
    client.refresh()
    for number in range(40):
        repo.clock.advance(timedelta(days=30))
        repo.rotate(("root", "timestamp", "snapshot", "targets")[number % 4])
    repo.renew("root", "targets")
    trusted = client.refresh()
    assert trusted.root.payload == repo.root
    assert len([name for name in client.cache.contents() if name.startswith("roots/")]) == 41
    repo.requests.clear()
    assert make_client().refresh().root.payload == repo.root
    assert repo.requests == ["43.root.json", "timestamp.json"]


def test_a_stolen_root_key_that_was_rotated_is_worth_nothing(repo: FakeRepository, client: Client) -> None:
    """The thief forks the chain before the rotation; who followed the owners does not follow him."""
    thief = repo.fork()
    repo.rotate("root")
    client.refresh()
    thief.rotate("timestamp")
    thief.rotate("targets")
    repo.replay(thief)
    before = client.cache.contents()
    with pytest.raises(VerificationError):
        client.refresh()
    assert client.cache.contents() == before


def test_a_rotated_root_that_would_end_in_a_fork_stays_where_it_was(repo: FakeRepository, client: Client) -> None:
    """The next root must follow from the one that is held, under both sets of keys."""
    repo.rotate("root")
    client.refresh()
    repo.root = replace(repo.root, version=3)
    repo.serve("3.root.json", repo.sign(repo.root, "root", repo.new_signers(1)))
    with pytest.raises(ThresholdError):
        client.refresh()
    assert "roots/3.root.json" not in client.cache.contents()
