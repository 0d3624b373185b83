"""What a client kept is never trusted for being there: it is verified whenever it is read, and no name leads out of it."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import MakeClient
from tuffet.client import Cache, Client
from tuffet.client.kept import claimed_version
from tuffet.errors import RollbackError, StorageError, VerificationError
from tuffet.metadata.dsse import DSSE
from tuffet.storage.disk import LOCK
from tuffet.storage.memory import MemoryStore
from tuffet.testing import FakeRepository
from tuffet.transport import Answer
from tuffet.trust.steps import Limits

Damage = Callable[[FakeRepository, dict[str, bytes], str], bytes]


@pytest.fixture
def grown(repo: FakeRepository, make_client: MakeClient) -> Client:
    """A client that has seen two roots, a delegation and some versions of everything."""
    repo.delegate("a", paths=["a/*"])
    repo.rotate("root")
    repo.publish("a/1", b"one", "a")
    client = make_client()
    assert client.find("a/1") is not None
    return client


def garbage(repo: FakeRepository, kept: dict[str, bytes], name: str) -> bytes:
    return b"\x00garbage"


def nothing(repo: FakeRepository, kept: dict[str, bytes], name: str) -> bytes:
    return b""


def cut(repo: FakeRepository, kept: dict[str, bytes], name: str) -> bytes:
    return kept[name][: len(kept[name]) // 2]


def another_role(repo: FakeRepository, kept: dict[str, bytes], name: str) -> bytes:
    return kept["snapshot.json" if name != "snapshot.json" else "targets.json"]


def an_old_copy(repo: FakeRepository, kept: dict[str, bytes], name: str) -> bytes:
    name = name.removeprefix("roots/")
    old = {"timestamp.json": repo.sign(repo.timestamp, "timestamp"), "2.root.json": repo.root_bytes(1)}
    return old.get(name) or repo.served(f"1.{name}") or b""


def signed_by_nobody(repo: FakeRepository, kept: dict[str, bytes], name: str) -> bytes:
    return kept[name].replace(b'"sig":"', b'"sig":"00')


def endless(repo: FakeRepository, kept: dict[str, bytes], name: str) -> bytes:
    return b" " * 70_000_000


NAMES = ["root.json", "roots/2.root.json", "timestamp.json", "snapshot.json", "targets.json", "a.json"]


@pytest.mark.parametrize("damage", [garbage, nothing, cut, another_role, an_old_copy, signed_by_nobody])
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_fetched_again(repo: FakeRepository, make_client: MakeClient, grown: Client, name: str, damage: Damage) -> None:
    """Whatever it was replaced by is not believed, and the next refresh repairs it."""
    before = grown.cache.contents()
    Path(grown.cache.directory, name).write_bytes(damage(repo, before, name))
    client = make_client()
    target = client.find("a/1")
    assert target is not None
    assert target.length == 3
    assert client.trusted.timestamp.payload == repo.timestamp
    assert client.cache.contents() == before


@pytest.mark.parametrize("name", ["timestamp.json", "a.json"])
def test_a_file_that_is_far_too_long_is_not_read(make_client: MakeClient, grown: Client, name: str) -> None:
    """Nothing of that size was ever kept, so it costs no memory, and it is replaced."""
    before = grown.cache.contents()
    with Path(grown.cache.directory, name).open("r+b") as file:
        file.truncate(1 << 40)
    assert make_client().find("a/1") is not None
    assert grown.cache.contents() == before


def test_a_role_that_was_kept_under_wider_limits(repo: FakeRepository, make_client: MakeClient, grown: Client) -> None:
    """The limit is about what may be fetched; the cache does not add one of its own that nothing could cure."""
    for number in range(50):
        repo.publish(f"a/{number:0100}", b"", "a")
    big = len(repo.served(f"{repo.roles['a'].version}.a.json") or b"")
    wide, narrow = (Limits(root_bytes=4096, timestamp_bytes=4096, snapshot_bytes=4096, targets_bytes=size) for size in (big, 4096))
    assert make_client(limits=wide).find("a/1")
    assert make_client(limits=wide).find("a/1")
    with pytest.raises(Exception, match="4096 bytes"):
        make_client(limits=narrow).find("a/1")


def test_the_root_chain_is_verified_from_the_pinned_root(repo: FakeRepository, make_client: MakeClient, grown: Client) -> None:
    """Somebody who could write to the cache puts in a chain of roots of his own; it is not followed (B014, B118)."""
    thief = repo.fork()
    thief.signers["root"] = thief.new_signers(1)
    thief.rotate("root")
    folder = Path(grown.cache.directory)
    for version in (2, 3):
        (folder / "roots" / f"{version}.root.json").write_bytes(thief.root_bytes(3))
    (folder / "root.json").write_bytes(thief.root_bytes(3))
    assert make_client().refresh().root.payload == repo.root
    assert (folder / "root.json").read_bytes() == repo.root_bytes(2)


def test_a_kept_document_that_is_newer_than_any_must_be_signed(repo: FakeRepository, make_client: MakeClient, grown: Client) -> None:
    """It can neither make a client believe it nor keep it from what is true (B019)."""
    data = (repo.served("timestamp.json") or b"").replace(b'"version":%d}}' % repo.timestamp.version, b'"version":500}}')
    assert claimed_version(data) == 500
    Path(grown.cache.directory, "timestamp.json").write_bytes(data)
    assert make_client().refresh().timestamp.payload == repo.timestamp
    assert claimed_version(grown.cache.load("timestamp")) == repo.timestamp.version


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_others_may_not_even_look(make_client: MakeClient, grown: Client, tmp_path: Path) -> None:
    """0700 and 0600, whatever the umask (B047, B095)."""
    before = os.umask(0)
    try:
        cache = tmp_path / "above" / "cache"
        client = make_client(cache_dir=cache)
        client.cache.pin(b"root")
        client.refresh()
    finally:
        os.umask(before)
    for path in [cache.parent, cache, *cache.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_cache_that_anybody_may_write_to(repo: FakeRepository, make_client: MakeClient, tmp_path: Path) -> None:
    """Whoever pins a root there decides what is believed, so it is not even asked for one (B061)."""
    cache = tmp_path / "cache"
    Cache(cache).pin(repo.root_bytes())
    cache.chmod(0o777)
    for root in (None, repo.root_bytes()):
        with pytest.raises(StorageError, match="anybody may write"):
            make_client(root=root).refresh()
    assert repo.requests == []
    cache.chmod(0o755)
    make_client(root=None).refresh()


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json", "a.json", "roots/2.root.json"])
def test_a_directory_where_a_file_belongs(make_client: MakeClient, grown: Client, name: str) -> None:
    """The message names it and says what to do."""
    path = Path(grown.cache.directory, name)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError, match="a directory is where a file belongs: move it away") as failed:
        make_client().find("a/1")
    assert failed.value.path == str(path)
    path.rmdir()
    assert make_client().find("a/1") is not None


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json", "a.json", "roots/2.root.json", LOCK])
def test_a_link_planted_in_the_cache(repo: FakeRepository, make_client: MakeClient, grown: Client, tmp_path: Path, name: str) -> None:
    """It is never followed, neither to read nor to write (B106)."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    path = Path(grown.cache.directory, name)
    path.unlink()
    path.symlink_to(outside)
    repo.publish("a/2", b"two", "a")
    with pytest.raises(StorageError, match="never followed"):
        make_client().find("a/2")
    assert outside.read_bytes() == b"precious"
    path.unlink()
    assert make_client().find("a/2") is not None


def test_a_link_in_place_of_the_root_that_is_shown(make_client: MakeClient, grown: Client, tmp_path: Path) -> None:
    """Other clients keep a link there; it is replaced, not followed, because the file is only shown and never believed."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    path = Path(grown.cache.directory, "root.json")
    shown = path.read_bytes()
    path.unlink()
    path.symlink_to(outside)
    make_client().refresh()

    assert outside.read_bytes() == b"precious"
    assert not path.is_symlink()
    assert path.read_bytes() == shown


@pytest.mark.parametrize("there", [True, False], ids=["to a directory", "to nothing"])
def test_a_link_in_place_of_the_roots(repo: FakeRepository, make_client: MakeClient, tmp_path: Path, *, there: bool) -> None:
    """Nothing is written where it leads, and nothing was asked for."""
    (tmp_path / "cache").mkdir()
    if there:
        (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache" / "roots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="never followed"):
        make_client().refresh()
    assert repo.requests == []
    assert not list(tmp_path.glob("elsewhere/*"))


ODD_NAMES = [
    "../../evil", "/etc/evil", "..", ".", "a/b", "?", "#", "%2e%2e", "a\\..\\b", "con", "ä" * 60, "😀" * 200, "x" * 512, "x" * 511 + "y",
    ".tuffet-lock", ".tuffet-forget", "roots", "roots/pinned", "1.root", "Timestamp", "TIMESTAMP", "ROOT", "Snapshot", "tarGets", "\x01",
]  # fmt: skip


class Roomy(MemoryStore):
    """A store that takes any name, as a web server might."""

    def read(self, name: str, at_most: int | None = None) -> bytes | None:
        return self._files.get(name)

    def replace(self, name: str, data: bytes, *, expected: bytes | None) -> None:
        self._files[name] = data


def test_no_role_name_leads_anywhere_else(repo: FakeRepository, make_client: MakeClient, tmp_path: Path) -> None:
    """Each has a file of its own at the top of the cache, also where case does not count (B016, B017, B099, B113)."""
    roomy = Roomy()
    roomy._files = repo.store.contents()
    repo.store = repo._stage.store = roomy
    for name in ODD_NAMES:
        repo.delegate(name, paths=["odd"])
    client = make_client()
    client.refresh()
    before = client.cache.contents()
    assert client.find("odd") is None
    assert [visit.role for visit in client.explain("odd").visits] == ["targets", *ODD_NAMES]
    kept = client.cache.contents()
    assert {name: kept[name] for name in before} == before
    assert len(kept) == len(before) + len(ODD_NAMES)
    assert len({name.lower() for name in kept}) == len(kept) - 1, "only TIMESTAMP and Timestamp share one"
    assert all(name.endswith(".json") and "/" not in name and len(name) < 255 for name in kept)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]
    repo.requests.clear()
    assert make_client().find("odd") is None
    assert repo.requests == ["2.root.json", "timestamp.json"]


def test_another_process_learnt_more(repo: FakeRepository, make_client: MakeClient) -> None:
    """While this one was on its way another one believed newer metadata; that is what stays."""
    cache = make_client().cache
    make_client().refresh()
    for version in (None, 2):
        cache.load("timestamp" if version is None else "root", version)
    old = repo.fork()
    repo.renew("timestamp")
    make_client().refresh()
    kept = cache.contents()
    cache.keep("timestamp", old.served("timestamp.json") or b"", 1)
    assert cache.contents() == kept


class Overtaken:
    """The world of a client that is slow: once its timestamp is on the way, all sorts of things happen."""

    def __init__(self, repo: FakeRepository, meanwhile: Callable[[], object], name: str) -> None:
        self._repo, self._meanwhile, self._name = repo, meanwhile, name

    def ask(self, url: str) -> Answer:
        data = self._repo.served(url.removeprefix(self._repo.metadata_url))
        if url.endswith(self._name) and data is not None:
            self._repo.serve("as it was", data)
            self._meanwhile()
            return self._repo.transport.ask(f"{self._repo.metadata_url}as it was")
        return self._repo.transport.ask(url)


@pytest.mark.parametrize("name", ["timestamp.json", "4.snapshot.json", "3.a.json"])
def test_a_client_that_is_overtaken(repo: FakeRepository, make_client: MakeClient, grown: Client, name: str) -> None:
    """Another process believes and keeps newer metadata in the middle of its refresh: nobody is accused, and nothing goes back."""
    repo.publish("a/2", b"two", "a")
    kept: dict[str, bytes] = {}

    def meanwhile() -> None:
        repo.publish("a/3", b"three", "a")
        repo.renew("targets")
        client = make_client()
        assert client.find("a/3") is not None
        kept.update(client.cache.contents())

    slow = make_client(transport=Overtaken(repo, meanwhile, name))
    assert slow.find("a/2") is not None
    assert slow.cache.contents() == kept != {}
    assert make_client().find("a/3") is not None


def test_another_process_saw_the_rotation_first(repo: FakeRepository, make_client: MakeClient) -> None:
    """It forgot what the old keys said and kept what the new ones say, whose versions began anew; a slow process does not undo that."""
    for _ in range(3):
        repo.renew("timestamp")
    slow = make_client().cache
    make_client().refresh()
    old = repo.served("timestamp.json") or b""
    slow.load("root", 2)
    slow.load("timestamp")
    repo.rotate("timestamp")
    repo.bump("timestamp", 1)
    make_client().refresh()
    kept = slow.contents()
    slow.keep("timestamp", old, 4)
    assert slow.contents() == kept
    slow.forget("timestamp")
    slow.keep("root", repo.root_bytes(2), 2)
    assert slow.contents() == kept
    assert slow.load("timestamp") == kept["timestamp.json"]


def test_the_shown_root_never_goes_back(repo: FakeRepository, make_client: MakeClient) -> None:
    """`root.json` is for people and other programs; a slow process leaves the newer one there."""
    slow = make_client().cache
    slow.load("root", 2)
    for _ in range(2):
        repo.renew("root")
    make_client().refresh()
    kept = slow.contents()
    slow.show_root(1, repo.root_bytes(1))
    slow.keep("root", repo.root_bytes(2), 2)
    slow.show_root(2, repo.root_bytes(1))
    assert slow.contents() == kept
    Path(slow.directory, "root.json").write_bytes(repo.root_bytes(3).replace(b'"version":3', b'"version":9'))
    make_client().refresh()
    assert slow.contents() == kept


@pytest.mark.parametrize("note", [b"", b"\xff", b"[]", b'{"root":9,"roles":["timestamp"]}', b'{"root":"x"}'])
def test_a_note_that_means_nothing(make_client: MakeClient, grown: Client, note: bytes) -> None:
    """What a dead run left behind, or somebody wrote, takes nothing away unless its root is there."""
    before = grown.cache.contents()
    Path(grown.cache.directory, ".tuffet-forget").write_bytes(note)
    make_client().refresh()
    assert grown.cache.contents() == before
    assert not Path(grown.cache.directory, ".tuffet-forget").exists()


def test_the_cache_of_a_dsse_client(tmp_path: Path) -> None:
    """The same promises, in the other dialect."""
    repo = FakeRepository(dialect=DSSE)
    old = repo.fork()
    repo.publish("a", b"a")
    assert claimed_version(repo.served("timestamp.json")) == 2

    def client() -> Client:
        settings: dict[str, Any] = {"cache_dir": tmp_path, "root": repo.root_bytes(), "transport": repo.transport}
        return Client(repo.metadata_url, repo.target_url, clock=repo.clock, dialect=DSSE, **settings)

    assert client().find("a") is not None
    repo.replay(old)
    with pytest.raises(RollbackError):
        client().refresh()


def test_the_other_dialect_is_refused(repo: FakeRepository, make_client: MakeClient) -> None:
    """It is configured, never sniffed."""
    with pytest.raises(VerificationError):
        make_client(dialect=DSSE).refresh()
    assert repo.requests == []
