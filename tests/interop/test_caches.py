"""A directory of metadata that one client kept is of use to the other, and never a way around what it must refuse.

Each keeps the same files under the same names: `timestamp.json`, `snapshot.json`, targets roles percent-encoded. Roots
differ. tuffet keeps its chain in `roots/`, tuf in `root_history/` with a link `root.json`, tuf-js the newest as `root.json`.
"""

from pathlib import Path

import pytest

from tests.interop.pypi_repository import PypiRepository
from tests.interop.readers import Reader, Refused, Site, Tuffet
from tests.interop.serving import Serve
from tests.interop.test_names import ROLES
from tuffet.client import Client
from tuffet.errors import UsageError

OTHERS = ("tuf", "tufjs")


@pytest.fixture(params=[(first, second) for other in OTHERS for first, second in (("tuffet", other), (other, "tuffet"))], ids="-then-".join)
def pair(request: pytest.FixtureRequest) -> tuple[Reader, Reader]:
    """Two clients that use one directory, one after the other; one of them is tuffet."""
    first, second = (request.getfixturevalue(name) for name in request.param)
    return first, second


def test_two_clients_take_turns(pair: tuple[Reader, Reader], tmp_path: Path, serve: Serve) -> None:
    """While roots and keys change, each goes on from what the other one kept."""
    repo = PypiRepository(tmp_path / "repo")
    repo.delegate("one", paths=["a/*"])
    repo.publish()
    site = serve(repo)
    for turn in range(6):
        repo.add("a/file", str(turn).encode(), "one")
        repo.rotate(("root", "timestamp", "snapshot", "targets")[turn % 4])
        repo.publish()

        assert pair[turn % 2].read(site, tmp_path / "cache", ["a/file"]) == {"a/file": str(turn).encode()}


def test_what_one_kept_protects_the_other_against_a_rollback(pair: tuple[Reader, Reader], tmp_path: Path, serve: Serve) -> None:
    """The second has never seen the repository, but the directory has."""
    repo = PypiRepository(tmp_path / "repo")
    repo.publish()
    yesterday = (repo.folder / "metadata/timestamp.json").read_bytes()
    repo.publish()
    site = serve(repo)
    pair[0].read(site, tmp_path / "cache")
    repo.put("metadata/timestamp.json", yesterday)

    assert pair[1].read(site, tmp_path / "fresh") == {}
    with pytest.raises(Refused) as refused:
        pair[1].read(site, tmp_path / "cache")
    assert refused.value.kind in {"RollbackError", "BadVersionNumberError", "Error"}


def test_roles_that_one_kept_are_not_fetched_by_the_other(pair: tuple[Reader, Reader], tmp_path: Path, serve: Serve) -> None:
    """The server loses every targets role; whatever they are called, they are in the cache.

    tuffet has names of its own for roles whose names are very long or, but for the case of letters, those of top-level
    roles. tuf-js keeps roles under encoded names and looks for them under plain ones.
    """
    repo = PypiRepository(tmp_path / "repo")
    there = {}
    names = ["one", "~-_."] if pair[1].name == "tuf-js" else [name for name in ROLES if name not in {"Timestamp", "x" * 200}]
    for number, name in enumerate(names):
        there[f"of/{number}"] = name.encode()
        repo.delegate(name, paths=[f"of/{number}"])
        repo.add(f"of/{number}", name.encode(), name)
    repo.publish()
    site = serve(repo)
    pair[0].read(site, tmp_path / "cache", there)
    for file in (repo.folder / "metadata").iterdir():
        if file.name != "timestamp.json":
            file.unlink()

    assert pair[1].read(site, tmp_path / "cache", there) == there


def test_forged_files_in_a_cache_are_not_believed(pair: tuple[Reader, Reader], tmp_path: Path, serve: Serve) -> None:
    """Somebody else's repository left everything there, signed by keys of his own, with huge versions."""
    theirs = PypiRepository(tmp_path / "theirs")
    theirs.add("file", b"forged")
    theirs.timestamp.version = theirs.snapshot.version = 1000
    theirs.publish()
    with_theirs = serve(theirs)
    pair[0].read(with_theirs, tmp_path / "cache", ["file"])
    ours = PypiRepository(tmp_path / "ours")
    ours.add("file", b"ours")
    ours.publish()
    site = serve(ours)
    if pair[1].name == "tuf-js":
        (tmp_path / "cache/root.json").write_bytes(site.root)  # It has no other way to be told what to trust.

    assert pair[1].read(site, tmp_path / "cache", ["file"]) == {"file": b"ours"}


@pytest.mark.parametrize("other", OTHERS)
def test_a_root_that_another_client_kept_is_no_pinned_root(
    other: str, tmp_path: Path, serve: Serve, tuffet: Tuffet, request: pytest.FixtureRequest
) -> None:
    """A client starts from the root that it is given, or that was pinned for it."""
    client: Reader = request.getfixturevalue(other)
    repo = PypiRepository(tmp_path / "repo")
    repo.publish()
    site = serve(repo)
    client.read(site, tmp_path / "cache")

    with Client(site.metadata_url, cache_dir=tmp_path / "cache") as unpinned, pytest.raises(UsageError, match="no pinned root"):
        unpinned.refresh()


def test_tuf_starts_from_the_root_that_tuffet_shows(tmp_path: Path, serve: Serve, tuffet: Tuffet, request: pytest.FixtureRequest) -> None:
    """`root.json` is the newest root that tuffet believes, which is what tuf-js begins with, and tuf if told so."""
    repo = PypiRepository(tmp_path / "repo")
    repo.publish()
    site = serve(repo)
    for _ in range(3):
        repo.rotate("root")
    tuffet.read(site, tmp_path / "cache")
    newest = (tmp_path / "cache/root.json").read_bytes()

    assert newest == (repo.folder / "metadata/4.root.json").read_bytes()
    tuf: Reader = request.getfixturevalue("tuf")
    assert tuf.read(Site(site.url, newest), tmp_path / "cache") == {}
