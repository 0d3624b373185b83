"""Malicious mirrors (specification 1.5.2): a bad mirror cannot keep a client from the news that a good one has.

Whatever the bad mirror did, a client that then turns to a good one succeeds, in the same process or in another, with
the same cache: the refusal left nothing behind that stands in the way.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attack.story import table
from tuffet.client import Client
from tuffet.errors import TuffetError
from tuffet.testing import FakeRepository
from tuffet.transport import Answer
from tuffet.transport.memory import StoreTransport

Mischief = Callable[[FakeRepository, FakeRepository], None]
"""What a mirror does to its copy, which it keeps since yesterday."""


def silent(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    for name in mirror.store.list():
        mirror.withdraw(name)


def babbling(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    for name in mirror.store.list():
        mirror.serve(name, b"<html>welcome to the hotel</html>")


def replaying(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    mirror.replay(yesterday)


def future_root(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    mirror.signers["root"] = mirror.new_signers(1)
    mirror.new_root()
    mirror.serve("4.root.json", mirror.served("3.root.json") or b"")


def all_its_own(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    own = FakeRepository(mirror.clock)
    own.publish("app.bin", b"evil")
    for name in own.store.list():
        mirror.serve(name, own.served(name) or b"")


def halved(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    for name in mirror.store.list():
        data = mirror.served(name) or b""
        mirror.serve(name, data[: len(data) // 2])


def swapped(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    names = list(mirror.store.list())
    bodies = [mirror.served(name) or b"" for name in names]
    for name, body in zip(names, [*bodies[1:], bodies[0]], strict=True):
        mirror.serve(name, body)


def snapshot_of_its_own(mirror: FakeRepository, yesterday: FakeRepository) -> None:
    mirror.serve(f"{mirror.snapshot.version}.snapshot.json", mirror.sign(mirror.snapshot, "snapshot", mirror.new_signers(1)))


MISCHIEF = [
    ("a mirror that has nothing", silent),
    ("a mirror behind a login page", babbling),
    ("a mirror that replays yesterday", replaying),
    ("a mirror that invents the next root", future_root),
    ("a mirror that serves a repository of its own", all_its_own),
    ("a mirror that cuts every file in half", halved),
    ("a mirror that serves every file under another name", swapped),
    ("a mirror that signs the snapshot itself", snapshot_of_its_own),
]


@pytest.mark.parametrize("anew", [False, True], ids=["the same cache", "a new cache"])
@pytest.mark.parametrize("mischief", table(MISCHIEF))
def test_a_good_mirror_is_still_good(repo: FakeRepository, tmp_path: Path, mischief: Mischief, anew: bool) -> None:
    """The bad mirror is asked first, again and again, and then the good one."""
    yesterday = repo.fork()
    repo.publish("app.bin", b"two")
    if not anew:
        repo.client(tmp_path / "cache").refresh()
    repo.rotate("timestamp")
    repo.publish("app.bin", b"three")
    mirror = repo.fork()
    mischief(mirror, yesterday)
    bad: Client = repo.client(tmp_path / "cache", transport=mirror.transport)
    for _ in range(3):
        try:
            bad.refresh()
        except TuffetError:
            continue
        # It could hold the client back, and no further than this: to a day that the client had not left behind.
        assert (mischief, anew) == (replaying, True)

    good = repo.client(tmp_path / "cache")
    assert good.refresh().targets.payload == repo.roles["targets"]
    target = good.find("app.bin")
    assert target
    assert Path(good.download(target, to=tmp_path / "downloads/")).read_bytes() == b"three"


def test_a_list_of_mirrors_is_a_transport(repo: FakeRepository, tmp_path: Path) -> None:
    """Whoever has several mirrors asks each in turn; a refusal by one says nothing about the others."""
    repo.publish("app.bin", b"two")
    mirrors = [repo.fork() for _ in range(3)]
    babbling(mirrors[0], repo)
    silent(mirrors[1], repo)
    attempts: list[str] = []
    for number, mirror in enumerate(mirrors):
        try:
            trusted = repo.client(tmp_path / "cache", transport=mirror.transport).refresh()
        except TuffetError as error:
            attempts.append(f"{number}: {type(error).__name__}")
        else:
            attempts.append(f"{number}: {trusted.timestamp.payload.version}")
    assert attempts == ["0: FormatError", "1: AbsentError", "2: 3"]


def test_a_bad_mirror_of_targets_only(repo: FakeRepository, tmp_path: Path) -> None:
    """Metadata from a good place bounds what a mirror of files can do: withhold them (5.7.3)."""
    file = repo.publish("app.bin", b"two")
    bad = repo.fork()
    bad.serve(f"targets/{file.hashes.sha256}.app.bin", b"six")

    class Split:
        def ask(self, url: str) -> Answer:
            chosen: StoreTransport = (bad if "/targets/" in url else repo).transport
            return chosen.ask(url)

    client = repo.client(tmp_path / "cache", transport=Split())
    target = client.find("app.bin")
    assert target
    with pytest.raises(TuffetError) as refused:
        client.download(target, to=tmp_path / "downloads/")
    assert refused.value.attack == "arbitrary-software"
    assert not list(tmp_path.glob("downloads/*"))
    honest = repo.client(tmp_path / "cache")
    assert Path(honest.download(target, to=tmp_path / "downloads/")).read_bytes() == b"two"
