"""The reference implementation reads what we write: its own client goes from our first root to the bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from tests.repository.world import KEYS, make
from tuffet.repository import Choices
from tuffet.testing.clock import FakeClock


class Directory(FetcherInterface):
    """Fetches from a directory."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(unquote(url.removeprefix("dir:")))
        if not path.is_file():
            raise DownloadHTTPError("absent", 404)
        return iter([path.read_bytes()])


@pytest.mark.parametrize("choices", [Choices(), Choices(bins=8), Choices(hashes=("sha512", "sha256"))])
def test_its_client_downloads(tmp_path: Path, choices: Choices) -> None:
    """Also after a root and everything else was renewed."""
    repository = make(tmp_path / "releases", FakeClock(datetime.now(UTC)), choices=choices)
    files = {"app.txt": b"app", "linux/ä b.txt": b"unusual", "empty": b""}
    for path, data in files.items():
        repository.add(path, data, {"size": len(data)})
    repository.publish(KEYS)
    repository.renew(KEYS, force=True)
    for file in (repository.public / "metadata").iterdir():
        assert Metadata.from_bytes(file.read_bytes()).signed.spec_version == "1.0.34"
    (tmp_path / "downloads").mkdir()
    updater = Updater(
        str(tmp_path / "cache"),
        f"dir:{repository.public}/metadata/",
        str(tmp_path / "downloads"),
        f"dir:{repository.public}/targets/",
        Directory(),
        bootstrap=(repository.public / "metadata/1.root.json").read_bytes(),
    )
    updater.refresh()
    for path, data in files.items():
        info = updater.get_targetinfo(path)
        assert info is not None
        assert info.custom == {"size": len(data)}
        assert Path(updater.download_target(info)).read_bytes() == data
    assert updater.get_targetinfo("absent") is None
