"""Two real repositories, served over HTTP from their first root: every target is found through its delegation."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tuffet.cli.server import Server
from tuffet.client import Client

HOME = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("TUFFET_SAMPLES") or HOME.parent / "shared" / "reference" / "samples")


@pytest.mark.parametrize(
    ("name", "instant", "roots", "roles", "count"),
    [
        ("docker-tuf", "2024-12-05T00:00:00Z", 1, {"targets", "doi", "rekor", "testing"}, 10),
        ("jku-tuf-demo", "2026-08-20T00:00:00Z", 5, {"targets", "jku", "kommendorkapten", "rdimitrov"}, 6),
    ],
)
def test_a_real_repository(tmp_path: Path, name: str, instant: str, roots: int, roles: set[str], count: int) -> None:
    """From its first root to its last file; what is asked for again is answered from the cache."""
    if not (SAMPLES / name).is_dir():
        pytest.skip(f"THE SAMPLE {name} IS MISSING: set TUFFET_SAMPLES to the directory that holds it")
    asked: list[str] = []
    clock = datetime.fromisoformat(instant).astimezone(UTC)
    root = (SAMPLES / name / "metadata" / "1.root.json").read_bytes()
    with Server(str(SAMPLES / name), log=lambda logged: asked.append(logged.target)) as server:
        settings: dict[str, Any] = {"cache_dir": tmp_path / "cache", "root": root, "clock": lambda: clock}
        with Client(f"{server.url}/metadata", f"{server.url}/targets/", **settings) as client:
            assert client.refresh().root.payload.version == roots
            found = list(client.targets())
            assert (len(found), {target.role for target in found} | {"targets"}) == (count, roles)
            for target in found:
                assert client.find(target.path) == target
                assert Path(client.download(target, f"{tmp_path}/files/")).stat().st_size == target.length
        asked.clear()
        with Client(f"{server.url}/metadata", f"{server.url}/targets/", **settings) as client:
            assert sorted(target.path for target in client.targets()) == sorted(target.path for target in found)
            for target in found:
                client.download(target, f"{tmp_path}/files/")
        assert sorted(asked) == [f"/metadata/{roots + 1}.root.json", "/metadata/timestamp.json"]


def test_a_real_repository_from_a_directory(tmp_path: Path) -> None:
    """A plain path serves as a URL, as on a USB stick."""
    if not (SAMPLES / "jku-tuf-demo").is_dir():
        pytest.skip("THE SAMPLE jku-tuf-demo IS MISSING: set TUFFET_SAMPLES to the directory that holds it")
    shutil.copytree(SAMPLES / "jku-tuf-demo", tmp_path / "stick")
    clock = datetime(2026, 8, 20, tzinfo=UTC)
    root = (tmp_path / "stick/metadata/1.root.json").read_bytes()
    for prefix in ("", "file://"):
        urls = [f"{prefix}{tmp_path}/stick/{part}" for part in ("metadata", "targets")]
        with Client(urls[0], urls[1], cache_dir=tmp_path / f"cache{prefix[:4]}", root=root, clock=lambda: clock) as client:
            for target in client.targets():
                client.download(target, f"{tmp_path}/files{prefix[:4]}/")
