"""The client under test of tuf-conformance, run as that suite runs it: a program, its arguments, and a server that logs.

The server speaks HTTP/1.0 and closes every connection, with a thread for each, as the suite's does; what it logs is
compared with ordered lists of requests.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from msgspec.structs import replace

from tuffet.metadata import RoleKeys, TargetFile, hashes_of
from tuffet.storage.memory import MemoryStore
from tuffet.testing import FakeClock, FakeRepository

PROGRAM = Path(__file__).with_name("client")


class Handler(BaseHTTPRequestHandler):
    """Answers as the suite's server does."""

    server: "Suite"

    def do_GET(self) -> None:
        name = self.path.removeprefix("/test%20name/metadata/").replace("/test%20name/targets/", "targets/")
        if name == self.server.thread_that_dawdles:
            time.sleep(0.02)
        self.server.requests.append(name)
        files = self.server.repo.store._files
        data = files.get(name, files.get(unquote(name)))
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Print nothing."""


class Suite(ThreadingHTTPServer):
    """What a test of the suite has in hand: a repository that is served, what was asked of it, and a client to run."""

    request_queue_size = 64

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.clock = FakeClock(datetime.now(UTC))
        self.repo = FakeRepository(self.clock)
        self.requests: list[str] = []
        self.thread_that_dawdles = ""
        self.folder = folder
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        for made in (self.metadata, self.targets, folder / "elsewhere"):
            made.mkdir()
        base = f"http://127.0.0.1:{self.server_address[1]}/test%20name"
        self.metadata_url, self.target_url = f"{base}/metadata/", f"{base}/targets/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that hung up."""

    def run(self, *arguments: str | Path) -> int:
        """Return the exit status of the client, run from another directory."""
        self.requests.clear()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, PROGRAM, *arguments]
        ran = subprocess.run(command, cwd=self.folder / "elsewhere", env=environment, capture_output=True, check=False, timeout=60)
        assert b"Traceback" not in ran.stderr, ran.stderr.decode()
        return ran.returncode

    def init(self, root: bytes | None = None) -> int:
        initial = self.folder / "initial_root.json"
        initial.write_bytes(self.repo.root_bytes() if root is None else root)
        return self.run("--metadata-dir", self.metadata, "init", initial)

    def refresh(self) -> int:
        return self.run("--metadata-url", self.metadata_url, "--metadata-dir", self.metadata, "refresh")

    def download(self, *names: str) -> int:
        wanted = [part for name in names for part in ("--target-name", name)]
        metadata = ("--metadata-url", self.metadata_url, "--metadata-dir", self.metadata)
        return self.run(*metadata, *wanted, "--target-dir", self.targets, "--target-base-url", self.target_url, "download")

    def trusted(self) -> dict[str, bytes]:
        """Return what the suite takes for the metadata that the client trusts."""
        return {path.name: path.read_bytes() for path in self.metadata.iterdir() if path.name.endswith(".json")}

    def downloaded(self) -> list[bytes]:
        return [path.read_bytes() for path in self.targets.rglob("*") if path.is_file()]


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    server = Suite(tmp_path)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


FIRST = ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]


def test_init_and_refresh(suite: Suite) -> None:
    """`init` asks for nothing; `refresh` asks for one file of each role, in this order; both leave plain names."""
    assert suite.init() == 0
    assert suite.requests == []
    assert suite.trusted() == {"root.json": suite.repo.root_bytes()}
    assert suite.refresh() == 0
    assert suite.requests == FIRST
    files = suite.repo.store.contents()
    assert suite.trusted() == {
        "root.json": files["1.root.json"],
        "timestamp.json": files["timestamp.json"],
        "snapshot.json": files["1.snapshot.json"],
        "targets.json": files["1.targets.json"],
    }
    assert suite.refresh() == 0
    assert suite.requests == FIRST[:2]


def test_a_download_refreshes_first(suite: Suite) -> None:
    """It fails, because there is no such target; the metadata is up to date all the same."""
    assert suite.init() == 0
    assert suite.download("nonexistent artifact") == 1
    assert suite.requests == FIRST
    assert len(suite.trusted()) == 4


def test_artifacts_are_kept_and_replaced(suite: Suite) -> None:
    """Asked for once, in the order given; a changed one takes the same place."""
    suite.repo.publish("path/to/a file.txt", b"one")
    suite.repo.publish("other", b"other")
    suite.init()
    assert suite.download("path/to/a file.txt", "other") == 0
    assert suite.requests[:4] == ["2.root.json", "timestamp.json", "3.snapshot.json", "3.targets.json"]
    assert [name.rpartition(".")[2] for name in suite.requests[4:]] == ["txt", "other"]
    assert suite.download("other", "path/to/a file.txt") == 0
    assert suite.requests == FIRST[:2]
    suite.repo.publish("path/to/a file.txt", b"two")
    assert suite.download("path/to/a file.txt") == 0
    assert sorted(suite.downloaded()) == [b"other", b"two"]


def test_a_target_that_fails_stops_the_rest(suite: Suite) -> None:
    """Exit status 1, and nothing is asked for after it."""
    suite.repo.publish("good", b"good")
    suite.repo.publish("bad", b"bad")
    suite.repo.publish("last", b"last")
    suite.repo.serve(f"targets/{hashes_of(b'bad').known()['sha256']}.bad", b"evil")
    suite.init()
    assert suite.download("good", "bad", "last") == 1
    assert suite.requests[-1].endswith(".bad")
    assert suite.downloaded() == [b"good"]


def broken(suite: Suite) -> bytes:
    return suite.repo.root_bytes().replace(b'"version"', b'"revision"')


def unsigned(suite: Suite) -> bytes:
    return suite.repo.sign(suite.repo.root, "root", suite.repo.new_signers(1))


@pytest.mark.parametrize("root", [broken, unsigned])
def test_an_initial_root_that_is_no_good(suite: Suite, root: Callable[[Suite], bytes]) -> None:
    """The refresh fails, and nothing is asked for."""
    suite.init(root(suite))
    assert suite.refresh() == 1
    assert suite.requests == []
    assert set(suite.trusted()) <= {"root.json"}


def test_a_refused_snapshot(suite: Suite) -> None:
    """Root and timestamp are trusted by then, and nothing else."""
    suite.init()
    suite.repo.serve("1.snapshot.json", suite.repo.sign(suite.repo.snapshot, "snapshot", suite.repo.new_signers(1)))
    assert suite.refresh() == 1
    assert sorted(suite.trusted()) == ["root.json", "timestamp.json"]
    assert suite.requests == FIRST[:3]


def test_an_expired_root(suite: Suite) -> None:
    """The newer one is trusted, although it has expired; that is as far as it goes."""
    suite.init()
    suite.clock.advance(-timedelta(days=400))
    suite.repo.renew("root")
    assert suite.refresh() == 1
    assert suite.trusted() == {"root.json": suite.repo.root_bytes(2)}


def test_a_root_that_follows_is_shown_byte_for_byte(suite: Suite) -> None:
    """Several keys later, `root.json` is the newest; a root that must be refused leaves it alone."""
    suite.init()
    for _ in range(3):
        suite.repo.rotate("root")
    assert suite.refresh() == 0
    assert suite.trusted()["root.json"] == suite.repo.root_bytes(4)
    assert suite.requests[0] == "2.root.json"
    suite.repo.root = replace(suite.repo.root, version=5)
    suite.repo.serve("5.root.json", suite.repo.sign(suite.repo.root, "root", suite.repo.new_signers(1)))
    assert suite.refresh() == 1
    assert suite.trusted()["root.json"] == suite.repo.root_bytes(4)
    assert suite.requests[0] == "5.root.json"


def test_keys_that_are_added_delete_nothing(suite: Suite) -> None:
    """More keys and a higher threshold are no rotation: the snapshot stays though the refresh fails."""
    suite.init()
    assert suite.refresh() == 0
    before = suite.trusted()
    repo = suite.repo
    repo.signers["snapshot"] = [*repo.signers["snapshot"], *repo.new_signers(1)]
    keys = {signer.keyid: signer.key for signer in repo.signers["snapshot"]}
    role = RoleKeys(keyids=tuple(keys), threshold=2)
    repo.new_root(keys={**repo.root.keys, **keys}, roles={**repo.root.roles, "snapshot": role})
    assert suite.refresh() == 1
    assert suite.trusted()["snapshot.json"] == before["snapshot.json"]
    repo.renew("snapshot")
    assert suite.refresh() == 0


def test_rotated_keys_delete_what_they_signed(suite: Suite) -> None:
    """Then a repository may begin anew (fast-forward recovery)."""
    suite.init()
    suite.repo.bump("snapshot", 100)
    suite.repo.bump("timestamp", 100)
    assert suite.refresh() == 0
    suite.repo.rotate("snapshot")
    suite.repo.bump("snapshot", 2)
    suite.repo.bump("timestamp", 2)
    assert suite.refresh() == 0
    assert suite.trusted()["timestamp.json"] == suite.repo.served("timestamp.json")


def test_a_keyid_that_signs_twice_is_refused(suite: Suite) -> None:
    """The same signature repeated, and another one by the same key."""
    suite.init()
    signer = suite.repo.signers["timestamp"][0]
    suite.repo.serve("timestamp.json", suite.repo.sign(suite.repo.timestamp, "timestamp", [signer, signer]))
    assert suite.refresh() == 1
    assert sorted(suite.trusted()) == ["root.json"]


class Raw(MemoryStore):
    """A store that holds names as a URL has them."""

    def replace(self, name: str, data: bytes, *, expected: bytes | None) -> None:
        self._files[name] = data

    def read(self, name: str, at_most: int | None = None) -> bytes | None:
        return self._files.get(name)


UNUSUAL = ["?", "#", "/delegatedrole", "../delegatedrole", "%2f", "ä b"]


def test_unusual_role_names(suite: Suite) -> None:
    """Each is asked for percent-encoded, in the order of the delegations, and kept in one file at the top."""
    suite.init()
    suite.repo.store = suite.repo._stage.store = Raw()
    suite.repo.renew("targets")
    for name in UNUSUAL:
        suite.repo.delegate(name, paths=["*"])
    assert suite.download("nonexistent target") == 1
    assert suite.requests[4:] == [f"1.{quote(name, safe='')}.json" for name in UNUSUAL]
    assert sorted(suite.trusted()) == sorted([*(f"{quote(name, safe='')}.json" for name in UNUSUAL), *(f"{name}.json" for name in TOP)])
    assert not list(suite.folder.glob("*delegatedrole*"))


TOP = ["root", "timestamp", "snapshot", "targets"]
GRAPH = [
    ("A", "targets", False),
    ("B", "targets", False),
    ("C", "A", False),
    ("D", "A", True),
    ("E", "A", False),
    ("A", "C", False),
    ("F", "B", False),
]


def test_delegations_are_visited_in_pre_order(suite: Suite) -> None:
    """Depth first, each role once, nobody after a terminating one; a target's own role ends the search."""
    suite.init()
    for name, by, terminating in GRAPH:
        suite.repo.delegate(name, by=by, paths=["*"], terminating=terminating)
    suite.repo.publish("there", b"there", "D")
    versions = {name: suite.repo.roles[name].version for name in "ABCDEF"}
    assert suite.download("not there") == 1
    assert suite.requests[4:] == [f"{versions[name]}.{name}.json" for name in "ACD"]
    assert suite.download("there") == 0
    assert [name for name in suite.requests if not name.startswith("targets/")] == FIRST[:2]


def test_no_consistent_snapshot(suite: Suite) -> None:
    """Plain names are asked for."""
    suite.repo.new_root(consistent_snapshot=False)
    suite.repo.publish("file", b"data")
    suite.init(suite.repo.root_bytes(2))
    assert suite.download("file") == 0
    assert suite.requests == ["3.root.json", "timestamp.json", "snapshot.json", "targets.json", "targets/file"]


def test_arguments_that_are_missing(suite: Suite) -> None:
    """Any failure has a status that is not 0, and none a traceback."""
    assert suite.run("--metadata-dir", suite.metadata, "refresh") != 0
    assert suite.run("--metadata-dir", suite.metadata, "init", suite.folder / "nothing") == 1
    assert suite.refresh() == 1
    suite.init()
    assert suite.run("--metadata-dir", suite.metadata, "--metadata-url", suite.metadata_url, "download") != 0
    suite.repo.change("targets", targets={"x": TargetFile(hashes=hashes_of(b"x"), length=1)})
    assert suite.download("x") == 1


def test_the_order_of_requests_does_not_depend_on_the_server_s_threads(suite: Suite) -> None:
    """The next root is logged before the timestamp, though its thread takes its time."""
    suite.init()
    suite.thread_that_dawdles = "2.root.json"
    for _ in range(3):
        assert suite.refresh() == 0
        assert suite.requests[:2] == FIRST[:2]
