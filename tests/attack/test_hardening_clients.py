"""Bugs that other clients had (HARDENING.md), each told as the story that must not happen here."""

import errno
import inspect
import os
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.attack.conftest import Begin
from tests.attack.story import UP_TO_TIMESTAMP, Story, leftovers, table
from tests.repository.world import QUICK
from tests.transport.raw import RawServer
from tuffet.client import Client
from tuffet.errors import ExpiredError, MismatchError, StorageError, ThresholdError, TransportError
from tuffet.metadata import Delegations, RoleKeys, hashes_of
from tuffet.metadata.targets import DelegatedRole
from tuffet.storage.disk import TEMPORARY, Disk
from tuffet.testing import FakeClock, FakeRepository
from tuffet.transport.http import HttpTransport


def test_what_dead_clients_left_behind_is_swept(story: Story, repo: FakeRepository) -> None:
    """Temporary files of a day ago go when there is news to keep; one that may still be written to stays (B009)."""
    cache = Path(story.client.cache.directory)
    old, young = cache / f"{TEMPORARY}old", cache / "roots" / f"{TEMPORARY}young"
    old_too = cache / "roots" / f"{TEMPORARY}old-too"
    for path in (old, young, old_too):
        path.write_bytes(b"half of something")
    for path in (old, old_too):
        os.utime(path, (time.time() - 90_000,) * 2)
    repo.publish("app.bin", b"two")
    repo.client(cache).refresh()
    assert leftovers(story.folder) == [young.name]


ALGORITHMS = ["sha512", "sha384", "sha3-256", "blake2b-256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_algorithm_is_the_only_one(begin: Begin, algorithm: str) -> None:
    """Targets, metadata and key ids do without SHA-256, so the day it breaks is a day like others (B010)."""
    repo = FakeRepository()
    (signer,) = repo.new_signers(1)
    repo.signers["targets"] = [signer]
    keys = {**repo.root.keys, "the targets' key": signer.key}
    roles = {**repo.root.roles, "targets": RoleKeys(keyids=("the targets' key",), threshold=1)}
    repo.root = replace(repo.root, keys=keys, roles=roles)
    repo.serve("1.root.json", repo.sign(repo.root, "root"))

    hashes = hashes_of(b"data", [algorithm])
    file = replace(repo.publish("data.bin", b"data"), hashes=hashes)
    repo.roles["targets"] = replace(repo.roles["targets"], targets={"data.bin": file})
    signature = signer.sign(repo.dialect.signed_bytes(repo.roles["targets"]))
    listed = repo.dialect.seal(repo.roles["targets"], [("the targets' key", signature)])
    repo.serve("2.targets.json", listed)
    meta = replace(repo.snapshot.meta["targets.json"], length=len(listed), hashes=hashes_of(listed, [algorithm]))
    repo.snapshot = replace(repo.snapshot, meta={"targets.json": meta})
    repo.serve("2.snapshot.json", repo.sign(repo.snapshot, "snapshot"))

    story = begin(repo)
    target = story.client.find("data.bin")
    assert target
    assert list(target.hashes) == [algorithm]
    served = f"targets/{target.hashes[algorithm]}.data.bin"
    repo.serve(served, b"date")
    error = story.refused(
        MismatchError, lambda: story.client.download(target, to=story.downloads), attack="arbitrary-software", asked=[served]
    )
    assert error.what == algorithm
    repo.serve(served, b"data")
    story.client.download(target, to=story.downloads)


def test_the_cache_holds_no_links(story: Story, repo: FakeRepository) -> None:
    """It works where links need a privilege: `root.json` is a file, and so is everything else (B022)."""
    repo.rotate("root")
    story.recovers()
    paths = list(Path(story.client.cache.directory).rglob("*"))
    assert {"root.json", "timestamp.json", "2.root.json"} <= {path.name for path in paths}
    assert not any(path.is_symlink() for path in paths)
    assert all(path.lstat().st_nlink == 1 for path in paths if path.is_file())


ROLES = [(f"of {role}", role) for role in ("root", "timestamp", "snapshot", "targets", "team")]


@pytest.mark.parametrize("role", table(ROLES))
def test_one_key_under_two_ids(tmp_path: Path, role: str) -> None:
    """A careless delegator lists a key twice, and its threshold of two is not met by one holder (B023, B081, B086)."""
    repo = FakeRepository()
    if role == "team":
        repo.delegate("team", paths=["team/*"])
    (signer,) = repo.signers[role]
    twice = RoleKeys(keyids=(signer.keyid, "alias"), threshold=2)
    if role == "team":
        team = DelegatedRole(name="team", keyids=twice.keyids, threshold=2, terminating=False, paths=("team/*",))
        keys = {signer.keyid: signer.key, "alias": signer.key}
        repo.change("targets", delegations=Delegations(keys=keys, roles=(team,)))
    else:
        repo.root = replace(repo.root, keys={**repo.root.keys, "alias": signer.key}, roles={**repo.root.roles, role: twice})
    payload = {"root": repo.root, "timestamp": repo.timestamp, "snapshot": repo.snapshot, **repo.roles}[role]
    signature = signer.sign(repo.dialect.signed_bytes(payload))
    name = "timestamp.json" if role == "timestamp" else f"{payload.version}.{role}.json"
    repo.serve("1.root.json", repo.sign(repo.root, "root"))
    repo.serve(name, repo.dialect.seal(payload, [(signer.keyid, signature), ("alias", signature)]))

    story = Story(repo, tmp_path)
    before = {"root": 0, "timestamp": 2, "snapshot": 3, "targets": 4, "team": 5}[role]
    everything = [
        *UP_TO_TIMESTAMP,
        f"{repo.snapshot.version}.snapshot.json",
        f"{repo.roles['targets'].version}.targets.json",
        "1.team.json",
    ]
    kept = ["timestamp.json", "snapshot.json", "targets.json"][: max(0, before - 2)]
    error = story.refused(
        ThresholdError,
        lambda: story.client.find("team/tool"),
        attack="arbitrary-software",
        asked=everything[:before],
        kept=[*kept, *(["root.json"] if role == "team" else [])],
    )
    assert (error.needed, error.proved) == (2, (signer.keyid,))


def test_nothing_is_asked_of_a_server_without_tls(tmp_path: Path, repo: FakeRepository) -> None:
    """An https URL never ends in plain HTTP, neither where the server speaks only that nor where certificates cannot be had (B048)."""
    server = RawServer(lambda peer: peer.answer(b"plain"))
    try:
        context = ssl.create_default_context(cafile=None, capath=None, cadata=None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with HttpTransport(timeout=1, ssl_context=context) as transport:
            url = server.url.replace("http:", "https:")
            client = Client(f"{url}/", cache_dir=tmp_path, root=repo.root_bytes(), transport=transport, clock=repo.clock)
            with pytest.raises(TransportError):
                client.refresh()
        assert not any(head.startswith("GET") for head in server.heads)
    finally:
        server.stop()


@pytest.mark.parametrize(
    "error",
    table(
        [
            ("metadata signed by a stranger", "sign"),
            ("metadata that has expired", "expire"),
            ("metadata that is no JSON", "garbage"),
            ("metadata that is not there", "absent"),
        ]
    ),
)
def test_a_cache_is_no_second_opinion(story: Story, repo: FakeRepository, error: str) -> None:
    """A good copy in the cache does not turn a refusal into a success, whatever the refusal is about (B058, B118)."""
    repo.publish("app.bin", b"two")
    mirror = repo.fork()
    if error == "sign":
        mirror.serve("timestamp.json", mirror.sign(mirror.timestamp, "timestamp", mirror.new_signers(1)))
    elif error == "expire":
        mirror.bump("timestamp", 9, expires="2029-12-31T00:00:00Z")
    elif error == "garbage":
        mirror.serve("timestamp.json", b"not JSON")
    else:
        mirror.withdraw("timestamp.json")
    repo.replay(mirror)
    before = story.client.cache.contents()
    kinds = {"sign": "ThresholdError", "expire": "ExpiredError", "garbage": "FormatError", "absent": "AbsentError"}
    with pytest.raises(Exception) as refused:  # noqa: PT011  Its class is what the next line looks at.
        repo.client(story.client.cache.directory).targets()
    assert type(refused.value).__name__ == kinds[error]
    assert story.client.cache.contents() == before


def test_expired_is_expired_unless_somebody_says_what_time_it_is(tmp_path: Path) -> None:
    """A client that is told nothing goes by the real time, and nothing but a clock changes what has expired (B119)."""
    past = FakeRepository(FakeClock(datetime(2020, 1, 1, tzinfo=UTC)))
    settings = inspect.signature(Client.__init__).parameters
    assert [name for name in settings if "expir" in name or "fresh" in name or "ignore" in name] == []
    client = Client(past.metadata_url, cache_dir=tmp_path, root=past.root_bytes(), transport=past.transport)
    with pytest.raises(ExpiredError) as refused:
        client.refresh()
    assert refused.value.role == "root"
    assert repo_contents(client) == {}


def repo_contents(client: Client) -> dict[str, bytes]:
    return client.cache.contents()


class FailingDisk(Disk):
    """A disk that reports a failure whenever a file of this name is read."""

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, path: str) -> int:
        if path.endswith(f"/{self.name}"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return super().open(path)


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json"])
def test_a_disk_that_fails_is_no_empty_disk(story: Story, repo: FakeRepository, name: str) -> None:
    """A memory that cannot be read for a moment is not taken for one that was never there, or a rollback would pass (B124)."""
    yesterday = repo.fork()
    repo.publish("app.bin", b"two")
    story.refresh()
    before = story.client.cache.contents()
    repo.replay(yesterday)
    story.client, story.believed = repo.client(story.client.cache.directory, disk=FailingDisk(name)), None
    with pytest.raises(StorageError) as refused:
        story.client.refresh()
    assert "the disk reports a failure" in str(refused.value)
    assert repo.client(story.client.cache.directory, disk=QUICK).cache.contents() == before


def test_a_snapshot_that_cannot_be_had_is_not_gone_without(story: Story, repo: FakeRepository) -> None:
    """No file of the chain is optional but the next root: where one is missing, nothing behind it is looked at (B126)."""
    repo.publish("app.bin", b"two")
    mirror = repo.fork()
    mirror.withdraw("3.snapshot.json")
    repo.replay(mirror)
    heard = len(repo.requests)
    with pytest.raises(TransportError) as refused:
        story.client.refresh()
    assert type(refused.value).__name__ == "AbsentError"
    assert repo.requests[heard:] == [*UP_TO_TIMESTAMP, "3.snapshot.json"]
    assert story.client.trusted is story.believed
