"""A client is killed, or its disk fills up, at every single step of a refresh.

Whatever is left is what was believed before or what is believed now. It is never mixed into something that was not
published, it protects against older metadata as well as before, and the next client simply goes on.
"""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.conftest import MakeClient
from tuffet.client.kept import claimed_version
from tuffet.errors import StorageError, VerificationError
from tuffet.storage.disk import Disk
from tuffet.testing import FakeRepository
from tuffet.testing.crash import CrashingDisk, crashes

Change = Callable[[FakeRepository], object]


def publish(repo: FakeRepository) -> None:
    repo.publish("a/2", b"two", "a")


def rotate_and_begin_anew(repo: FakeRepository) -> None:
    repo.rotate("timestamp")
    repo.rotate("snapshot")
    repo.bump("snapshot", 1)
    repo.bump("timestamp", 1)


def rotate_everything(repo: FakeRepository) -> None:
    for role in ("root", "targets", "snapshot", "timestamp", "a"):
        repo.rotate(role)


@pytest.fixture
def past(repo: FakeRepository) -> FakeRepository:
    """The repository before any client has seen it; nobody must ever be brought back there."""
    repo.delegate("a", paths=["a/*"])
    past = repo.fork()
    repo.publish("a/1", b"one", "a")
    return past


def judge(repo: FakeRepository, past: FakeRepository, make_client: MakeClient, believed: dict[str, set[bytes]]) -> None:
    """Say whether the cache is one that a client may be left with."""
    for name, data in make_client().cache.contents().items():
        assert data in believed.get(name, set()), name
    repo.replay(past)
    with pytest.raises(VerificationError):
        make_client().refresh()
    repo.replay(repo)
    client = make_client()
    assert client.refresh().timestamp.payload == repo.timestamp
    assert client.find("a/2") is None or repo.roles["a"].version > 2


def believable(make_client: MakeClient, repo: FakeRepository, change: Change, kept: Path) -> dict[str, set[bytes]]:
    """Let a client see what was and what will be; remember both, and leave the cache as it was."""
    make_client().find("a/1")
    old = make_client().cache.contents()
    shutil.copytree(make_client().cache.directory, kept)
    change(repo)
    client = make_client()
    client.find("a/1")
    new = client.cache.contents()
    roots = {repo.root_bytes(version) for version in range(1, repo.root.version + 1)}
    found = {name: {data for data in (old.get(name), new.get(name)) if data is not None} for name in {*old, *new}}
    return {**found, "root.json": roots}


def start_over(make_client: MakeClient, kept: Path) -> None:
    cache = make_client().cache.directory
    shutil.rmtree(cache)
    shutil.copytree(kept, cache)


@pytest.mark.parametrize(
    ("change", "power"),
    [(publish, False), (publish, True), (rotate_and_begin_anew, False), (rotate_and_begin_anew, True), (rotate_everything, False)],
)
def test_a_client_dies_at_every_step(
    repo: FakeRepository, past: FakeRepository, make_client: MakeClient, tmp_path: Path, change: Change, *, power: bool
) -> None:
    """Even between forgetting what old keys said and keeping the root that took them away (5.3.11)."""
    believed = believable(make_client, repo, change, tmp_path / "kept")
    start_over(make_client, tmp_path / "kept")
    deaths = 0

    def story(disk: CrashingDisk) -> None:
        make_client(disk=disk).find("a/1")

    for _ in crashes(story, power=power):
        deaths += 1
        judge(repo, past, make_client, believed)
        start_over(make_client, tmp_path / "kept")
    assert deaths > 20
    judge(repo, past, make_client, believed)


def test_a_first_refresh_dies_at_every_step(repo: FakeRepository, make_client: MakeClient, tmp_path: Path) -> None:
    """There is nothing to protect yet, and nothing may be in the way of the next one."""
    for _ in crashes(lambda disk: make_client(disk=disk).refresh(), power=True):
        make_client().refresh()
        assert sorted(make_client().cache.contents()) == ["root.json", "snapshot.json", "targets.json", "timestamp.json"]
        shutil.rmtree(tmp_path / "cache")


class FullDisk(Disk):
    """A disk on which so many more bytes have room."""

    def __init__(self, room: int) -> None:
        self._room = room

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        super().write(descriptor, data[: self._room])
        self._room -= len(data)
        if self._room < 0:
            self._room = 0
            raise OSError(errno.ENOSPC, "no space left")


@pytest.mark.parametrize("change", [publish, rotate_and_begin_anew, rotate_everything])
def test_a_full_disk(repo: FakeRepository, past: FakeRepository, make_client: MakeClient, tmp_path: Path, change: Change) -> None:
    """The message says so, and no protection is lost, not even where keys were taken away."""
    believed = believable(make_client, repo, change, tmp_path / "kept")
    for room in range(0, 60_000, 700):
        start_over(make_client, tmp_path / "kept")
        try:
            make_client(disk=FullDisk(room)).find("a/1")
        except StorageError as error:
            assert "the disk is full" in str(error)  # noqa: PT017  what is believed afterwards is the story
        else:
            break
        assert not list(tmp_path.rglob(".tuffet-tmp-*"))
        judge(repo, past, make_client, believed)
    else:
        pytest.fail("it never ends")
    assert room


def test_a_download_dies_at_every_step(repo: FakeRepository, make_client: MakeClient, tmp_path: Path) -> None:
    """The file that was there stays until the new one is whole."""
    repo.publish("app", b"new " * 1000)
    target = make_client().find("app")
    assert target is not None
    place = tmp_path / "app"
    place.write_bytes(b"old")
    for _ in crashes(lambda disk: make_client(disk=disk).download(target, place), power=True):
        assert place.read_bytes() in (b"old", b"new " * 1000)
        make_client().download(target, place)
        assert place.read_bytes() == b"new " * 1000
        place.write_bytes(b"old")


class ReadOnlyDisk(Disk):
    """A disk that takes nothing."""

    def create(self, path: str, mode: int) -> int:
        raise OSError(errno.EROFS, "read-only")

    def mkdir(self, path: str, mode: int) -> None:
        if not Path(path).is_dir():
            raise OSError(errno.EROFS, "read-only")
        super().mkdir(path, mode)


def test_a_read_only_cache(repo: FakeRepository, make_client: MakeClient) -> None:
    """It serves as long as there is nothing new to keep; then the message says what is wrong, and nothing is believed."""
    with pytest.raises(StorageError, match="read-only"):
        make_client(disk=ReadOnlyDisk()).refresh()
    make_client().refresh()
    client = make_client(disk=ReadOnlyDisk())
    before = client.refresh()
    repo.renew("timestamp")
    with pytest.raises(StorageError, match="read-only"):
        client.refresh()
    assert client.trusted is before
    assert claimed_version(client.cache.contents()["timestamp.json"]) == 1
