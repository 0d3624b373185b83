"""tuffet's client reads what PyPI's `tuf` writes: whatever is there is found, downloaded and listed, and nothing else is.

tuf's own client reads the same repositories, so a mistake in how a test writes them cannot pass for an agreement.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.pypi_repository import PypiRepository
from tests.interop.readers import PypiTuf, Site, Tuffet
from tests.interop.serving import Serve
from tuffet.client import Client, Target
from tuffet.metadata import TUF_JSON
from tuffet.metadata.dsse import DSSE
from tuffet.metadata.paths import path_digest

SCHEMES = (
    "ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsassa-pss-sha256",
    "rsassa-pss-sha512",
    "rsa-pkcs1v15-sha256",
    "ml-dsa-44/1",
    "ml-dsa-65/1",
    "ml-dsa-87/1",
)


def one_role(repo: PypiRepository) -> None:
    """Everything in the top-level role, an empty file and one with the application's own data among it."""
    repo.add("app-1.0.tar.gz", b"one")
    repo.add("deep/er/and/deeper/file", b"deep")
    repo.add("empty", b"")
    repo.add("custom", b"more", custom={"größe": [1, None, {"nested": "ü\u2028"}]})


def delegations(repo: PypiRepository) -> None:
    """Several delegations, nested ones, a terminating one, one by hash prefix, a cycle and a role of two delegators."""
    repo.add("top", b"top")
    repo.delegate("alpha", paths=["a/*"], keys=3, threshold=2)
    repo.delegate("end", paths=["end/*"], terminating=True)
    repo.delegate("beta", paths=["a/*", "b/*/*", "end/*"])
    repo.delegate("hashed", path_hash_prefixes=[path_digest("by-hash")[:2]])
    repo.delegate("gamma", "alpha", paths=["a/g-?"])
    repo.delegate("alpha", "gamma", paths=["a/*"])
    repo.delegate("gamma", "beta", paths=["b/*/*"])
    repo.delegate("nobody", paths=[])
    for role, path in [
        ("beta", "a/1"),  # in vain: alpha, which is asked first, lists it too
        ("alpha", "a/1"),
        ("beta", "a/2"),
        ("gamma", "a/g-1"),
        ("gamma", "b/x/y"),
        ("beta", "b/1/2"),
        ("end", "end/1"),
        ("hashed", "by-hash"),
    ]:
        repo.add(path, f"{path} of {role}".encode(), role)
    # Listed, but not to be found: outside of what the role may speak for, or behind a terminating delegation.
    for role, path in [("alpha", "z/1"), ("beta", "end/2"), ("nobody", "n"), ("gamma", "a/g-10")]:
        repo.add(path, b"", role)
        del repo.payloads[path]


def bins(repo: PypiRepository) -> None:
    """200 targets in 32 bins."""
    succinct = repo.delegate_bins("bin", 5)
    for number in range(200):
        path = f"packages/{number % 7}/file-{number}"
        repo.add(path, str(number).encode(), succinct.get_role_for_target(path))


SHAPES: list[Callable[[PypiRepository], None]] = [one_role, delegations, bins]
MISSING = ("absent", "a/absent", "a/g-10", "end/2", "n", "z/1")


@pytest.mark.parametrize(
    ("consistent_snapshot", "hashes_in_meta", "dsse"),
    [(False, False, False), (False, True, True), (True, False, True), (True, True, False)],
    ids=["plain-versions-json", "plain-hashes-dsse", "consistent-versions-dsse", "consistent-hashes-json"],
)
@pytest.mark.parametrize("fill", SHAPES, ids=lambda fill: fill.__name__)
def test_what_is_there_is_found_and_listed(
    fill: Callable[[PypiRepository], None],
    consistent_snapshot: bool,
    hashes_in_meta: bool,
    dsse: bool,
    tmp_path: Path,
    serve: Serve,
    tuffet: Tuffet,
    tuf: PypiTuf,
) -> None:
    repo = PypiRepository(tmp_path / "repo", consistent_snapshot=consistent_snapshot, hashes_in_meta=hashes_in_meta, dsse=dsse)
    fill(repo)
    repo.publish()
    site = serve(repo)
    paths = [*repo.payloads, *MISSING]
    there = {**dict.fromkeys(paths), **repo.payloads}

    assert tuf.read(site, tmp_path / "tuf", paths) == there
    assert tuffet.read(site, tmp_path / "tuffet", paths) == there
    assert {target.path: target.length for target in listed(site, tmp_path / "tuffet")} == {
        path: len(data) for path, data in repo.payloads.items()
    }


def test_custom_data_arrives_as_it_was(tmp_path: Path, serve: Serve) -> None:
    repo = PypiRepository(tmp_path / "repo")
    one_role(repo)
    repo.publish()
    targets = {target.path: target for target in listed(serve(repo), tmp_path / "tuffet")}

    assert targets["custom"].custom == {"größe": [1, None, {"nested": "ü\u2028"}]}
    assert list(targets["custom"].hashes) == ["sha256", "sha512"]


@pytest.mark.parametrize("dsse", [False, True], ids=["json", "dsse"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_that_tuf_signs_by_is_verified(
    scheme: str, dsse: bool, tmp_path: Path, serve: Serve, tuffet: Tuffet, tuf: PypiTuf
) -> None:
    repo = PypiRepository(tmp_path / "repo", schemes=[scheme], dsse=dsse)
    repo.add("file", b"data")
    repo.publish()
    site = serve(repo)

    assert tuf.read(site, tmp_path / "tuf", ["file"]) == tuffet.read(site, tmp_path / "tuffet", ["file"]) == {"file": b"data"}


def test_a_client_of_the_first_root_follows_every_rotation(tmp_path: Path, serve: Serve, tuffet: Tuffet, tuf: PypiTuf) -> None:
    """Keys of every role are exchanged for keys of other schemes, root's among them more than once, thresholds move."""
    repo = PypiRepository(tmp_path / "repo", schemes=["ed25519", "ecdsa-sha2-nistp256"])
    repo.add("file", b"one")
    repo.publish()
    site = serve(repo)
    caches = {"late": tmp_path / "late", "early": tmp_path / "early", "tuf": tmp_path / "tuf"}
    assert tuffet.read(site, caches["early"], ["file"]) == {"file": b"one"}

    repo.rotate("root", schemes=["ml-dsa-65/1", "ed25519", "ed25519"], threshold=2)
    repo.rotate("timestamp", schemes=["rsassa-pss-sha256"])
    repo.publish()
    assert tuffet.read(site, caches["early"], ["file"]) == {"file": b"one"}

    for _ in range(6):
        repo.rotate("root")
    repo.rotate("snapshot", schemes=["ecdsa-sha2-nistp521"])
    repo.rotate("targets", schemes=["ml-dsa-44/1", "ecdsa-sha2-nistp384"], threshold=1)
    repo.add("file", b"two")
    repo.publish()

    assert repo.root.version == 11
    for name, client in (("late", tuffet), ("early", tuffet), ("tuf", tuf)):
        assert client.read(site, caches[name], ["file"]) == {"file": b"two"}, name


def listed(site: Site, cache: Path) -> list[Target]:
    """Return every target that tuffet lists."""
    with Client(site.metadata_url, site.target_url, cache_dir=cache, root=site.root, dialect=DSSE if site.dsse else TUF_JSON) as client:
        return list(client.targets())
