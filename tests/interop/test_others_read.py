"""What tuffet writes, PyPI's `tuf` and npm's tuf-js read: every target is found and downloaded, and nothing else is found.

tuf-js 6 lacks: DSSE; the schemes ecdsa-sha2-nistp521, rsa-pkcs1v15 and ML-DSA; and it asks at most 32 delegated roles for
one path. tuf 7 has the same limit of 32, and answers `not found` beyond it (see test_verdicts.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.interop.readers import Reader, Refused
from tests.interop.serving import Serve
from tuffet.keys.schemes import SCHEMES
from tuffet.metadata import TUF_JSON, Dialect
from tuffet.metadata.dsse import DSSE
from tuffet.metadata.paths import path_digest
from tuffet.repository import Addition, Choices, NewKeyFiles, Repository
from tuffet.testing import FakeRepository

TUFJS_SCHEMES = {"ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "rsassa-pss-sha256", "rsassa-pss-sha384", "rsassa-pss-sha512"}


def new_repository(**settings: Any) -> FakeRepository:
    """Return a repository that lives now, as other clients do."""
    return FakeRepository(clock=lambda: datetime.now(UTC), **settings)


def one_role(repo: FakeRepository) -> dict[str, bytes | None]:
    """Everything in the top-level role, an empty file and one with the application's own data among it."""
    there = {"app-1.0.tar.gz": b"one", "deep/er/and/deeper/file": b"deep", "empty": b""}
    for path, data in there.items():
        repo.publish(path, data)
    repo.publish("custom", b"more", custom={"größe": [1, None, {"nested": "ü\u2028"}]})
    repo.publish("gone", b"gone")
    repo.remove("gone")
    return {**there, "custom": b"more", "gone": None}


def delegations(repo: FakeRepository) -> dict[str, bytes | None]:
    """Several delegations, nested ones, a terminating one, one by hash prefix, a cycle and a role of two delegators."""
    repo.delegate("alpha", paths=["a/*"], keys=3, threshold=2)
    repo.delegate("end", paths=["end/*"], terminating=True)
    repo.delegate("beta", paths=["a/*", "b/*/*", "end/*"])
    repo.delegate("hashed", path_hash_prefixes=[path_digest("by-hash")[:2]])
    repo.delegate("gamma", "alpha", paths=["a/g-?"])
    repo.delegate("alpha", "gamma", paths=["a/*"])
    repo.delegate("gamma", "beta", paths=["b/*/*"])
    there: dict[str, bytes | None] = {}
    for role, path in [
        ("targets", "top"),
        ("beta", "a/1"),  # in vain: alpha, which is asked first, lists it too
        ("alpha", "a/1"),
        ("beta", "a/2"),
        ("gamma", "a/g-1"),
        ("gamma", "b/x/y"),
        ("end", "end/1"),
        ("hashed", "by-hash"),
    ]:
        there[path] = f"{path} of {role}".encode()
        repo.publish(path, f"{path} of {role}".encode(), role)
    for role, path in [("alpha", "z/1"), ("beta", "end/2"), ("gamma", "a/g-10")]:
        there[path] = None
        repo.publish(path, b"", role)
    return there


def bins(repo: FakeRepository) -> dict[str, bytes | None]:
    """Targets in 32 bins."""
    repo.delegate("bin", bit_length=5)
    held = repo.roles["targets"].delegations
    assert held
    assert held.succinct_roles
    there: dict[str, bytes | None] = {f"packages/{number}": str(number).encode() for number in range(20)}
    for path, data in there.items():
        repo.publish(path, data or b"", held.succinct_roles.bin_name(held.succinct_roles.bin_of(path)))
    return {**there, "packages/20": None}


def rotations(repo: FakeRepository) -> dict[str, bytes | None]:
    """Every role gets other keys, root more than once, a delegated role too."""
    repo.delegate("alpha", paths=["a/*"])
    repo.publish("a/1", b"one", "alpha")
    repo.rotate("root", keys=3, threshold=2)
    for role in ("timestamp", "snapshot", "targets", "alpha"):
        repo.rotate(role, keys=2, threshold=2)
    for _ in range(5):
        repo.rotate("root")
    repo.publish("top", b"top")
    return {"a/1": b"one", "top": b"top"}


SHAPES: list[Callable[[FakeRepository], dict[str, bytes | None]]] = [one_role, delegations, bins, rotations]


@pytest.mark.parametrize(
    ("consistent_snapshot", "hashes_in_meta", "dialect"),
    [(False, False, TUF_JSON), (True, True, TUF_JSON), (False, True, DSSE), (True, False, DSSE)],
    ids=["plain-versions-json", "consistent-hashes-json", "plain-hashes-dsse", "consistent-versions-dsse"],
)
@pytest.mark.parametrize("fill", SHAPES, ids=lambda fill: fill.__name__)
def test_what_is_there_is_found(
    fill: Callable[[FakeRepository], dict[str, bytes | None]],
    consistent_snapshot: bool,
    hashes_in_meta: bool,
    dialect: Dialect,
    reader: Reader,
    tmp_path: Path,
    serve: Serve,
) -> None:
    repo = new_repository(consistent_snapshot=consistent_snapshot, hashes_in_meta=hashes_in_meta, dialect=dialect)
    there = fill(repo)

    with as_able(reader, dsse=dialect is DSSE):
        assert reader.read(serve(repo), tmp_path / "cache", there) == there


@pytest.mark.parametrize("scheme", SCHEMES)
def test_signatures_by_every_scheme_are_good(scheme: str, reader: Reader, tmp_path: Path, serve: Serve) -> None:
    with as_able(reader, scheme=scheme):
        assert reader.read(serve(signed_by(scheme)), tmp_path / "cache", ["file"]) == {"file": b"data"}


@pytest.mark.parametrize(
    "choices",
    [
        Choices(),
        Choices(envelope="dsse"),
        Choices(bins=512),
        Choices(bins=16, envelope="dsse"),
        Choices(hashes=("sha512", "sha256"), root_keys=1, root_threshold=1),
    ],
    ids=["plain", "dsse", "bins", "bins-dsse", "two-hashes"],
)
def test_the_repository_of_a_directory_is_read(choices: Choices, reader: Reader, tmp_path: Path, serve: Serve) -> None:
    """Made, published, renewed, changed: the client that read the beginning reads the end, as does one that comes late."""
    repo = Repository.create(tmp_path / "repo", NewKeyFiles(unencrypted=True), choices)
    keys = repo.key_files(no_passphrase)
    repo.add("dir/app 1.bin", b"one", custom={"größe": [1, None]})
    repo.add("empty", b"")
    repo.publish(keys)
    site = serve(repo)
    with as_able(reader, dsse=site.dsse):
        assert reader.read(site, tmp_path / "early", ["dir/app 1.bin", "empty"]) == {"dir/app 1.bin": b"one", "empty": b""}
        repo.renew(keys, force=True)
        repo.remove("dir/app 1.bin")
        repo.add("empty", b"not any more")
        repo.publish(keys)
        there = {"dir/app 1.bin": None, "empty": b"not any more"}

        assert repo.state().trusted.root.payload.version == 2
        assert reader.read(site, tmp_path / "early", there) == reader.read(site, tmp_path / "late", there) == there


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The repository of a directory with 16,384 bins, and sixteen targets."""
    repo = Repository.create(tmp_path_factory.mktemp("large") / "repo", NewKeyFiles(unencrypted=True), Choices(bins=16_384))
    repo.add_many(Addition(f"packages/{number}", str(number).encode()) for number in range(16))
    repo.publish(repo.key_files(no_passphrase))
    return repo


@pytest.mark.parametrize("reader", ["tuffet", "tuf", pytest.param("tufjs", marks=pytest.mark.nightly)], indirect=True)
def test_a_few_of_16384_bins_are_read(large: Repository, reader: Reader, tmp_path: Path, serve: Serve) -> None:
    """But for tuf-js, which takes minutes: each role more in a snapshot costs it a copy of all before (4,096 bins take it seconds)."""
    there = {f"packages/{number}": str(number).encode() for number in range(16)}

    assert reader.read(serve(large), tmp_path / "cache", [*there, "packages/16"]) == {**there, "packages/16": None}
    assert len(list((tmp_path / "cache").glob("bins-*.json"))) <= len(there) + 1


@contextmanager
def as_able(reader: Reader, *, scheme: str = "ed25519", dsse: bool = False) -> Iterator[None]:
    """Expect that tuf-js refuses what it does not know; should it learn, the test says so."""
    if reader.name == "tuf-js" and (dsse or scheme not in TUFJS_SCHEMES):
        with pytest.raises(Refused):
            yield
    else:
        yield


@cache
def signed_by(scheme: str) -> FakeRepository:
    """Return a repository of one file with keys of a scheme; RSA keys take long to make."""
    repo = new_repository(scheme=scheme)
    repo.publish("file", b"data")
    return repo


def no_passphrase(name: str) -> str:
    """Fail: no key of these tests is encrypted."""
    raise AssertionError(name)
