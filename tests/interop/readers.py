"""Three clients behind one verb: refresh from a root, find each path, download what is found.

What a client refuses as a whole is raised as `Refused`; what it refuses of one path stands in the answer. `kind` is the
name of the error in the client's own language.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.ngclient import Updater, UpdaterConfig  # type: ignore[attr-defined]
from tuf.ngclient.config import EnvelopeType
from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher

from tuffet.client import Client
from tuffet.errors import TuffetError
from tuffet.metadata import TUF_JSON
from tuffet.metadata.dsse import DSSE

CHECKOUT: Final = Path(__file__).parents[2]
MODULES: Final = CHECKOUT / "build" / "interop"
_SCRIPT: Final = Path(__file__).with_name("read_with_tufjs.mjs")


class Site(NamedTuple):
    """Where a repository is served, and the root that its clients ship with."""

    url: str
    root: bytes
    metadata: str = "/metadata/"
    dsse: bool = False

    @property
    def metadata_url(self) -> str:
        """The folder of the metadata."""
        return self.url + self.metadata

    @property
    def target_url(self) -> str:
        """The folder of the targets."""
        return f"{self.url}/targets/"


class Refused(Exception):  # noqa: N818  it is an answer as well as an error
    """A client would not have it: `kind` names its error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


Answers: TypeAlias = Mapping[str, "bytes | Refused | None"]
"""By path: the bytes of the target, or None where no role lists it, or why they may not be had."""


class Reader(Protocol):
    """One of the clients."""

    name: str

    def read(self, site: Site, cache: Path, paths: Iterable[str] = ()) -> Answers:
        """Refresh, then find and download each path; the cache is a directory of metadata that may exist already."""
        ...


class Tuffet:
    """The client of this checkout."""

    name = "tuffet"

    def read(self, site: Site, cache: Path, paths: Iterable[str] = ()) -> Answers:
        """See `Reader`."""
        dialect = DSSE if site.dsse else TUF_JSON
        with Client(site.metadata_url, site.target_url, cache_dir=cache, root=site.root, dialect=dialect) as client:
            try:
                client.refresh()
            except TuffetError as error:
                raise Refused(type(error).__name__, str(error)) from error
            return {path: self._read(client, path, cache) for path in paths}

    def _read(self, client: Client, path: str, cache: Path) -> bytes | Refused | None:
        try:
            target = client.find(path)
            place = _files_of(cache) / "target"
            place.unlink(missing_ok=True)
            return Path(client.download(target, to=place)).read_bytes() if target else None
        except TuffetError as error:
            return Refused(type(error).__name__, str(error))


class PypiTuf:
    """`tuf.ngclient` of PyPI's tuf 7."""

    name = "tuf"

    def __init__(self) -> None:
        self._fetcher = Urllib3Fetcher(socket_timeout=10)

    def read(self, site: Site, cache: Path, paths: Iterable[str] = ()) -> Answers:
        """See `Reader`."""
        cache.mkdir(parents=True, exist_ok=True)
        config = UpdaterConfig(envelope_type=EnvelopeType.SIMPLE if site.dsse else EnvelopeType.METADATA)
        try:
            updater = Updater(
                str(cache), site.metadata_url, None, site.target_url, fetcher=self._fetcher, config=config, bootstrap=site.root
            )
            updater.refresh()
        except (RepositoryError, DownloadError) as error:
            raise Refused(type(error).__name__, str(error)) from error
        return {path: self._read(updater, path, cache) for path in paths}

    def _read(self, updater: Updater, path: str, cache: Path) -> bytes | Refused | None:
        try:
            target = updater.get_targetinfo(path)
            place = _files_of(cache) / "target"
            return Path(updater.download_target(target, str(place))).read_bytes() if target else None
        except (RepositoryError, DownloadError) as error:
            return Refused(type(error).__name__, str(error))


class TufJs:
    """`Updater` of npm's tuf-js, in one node process that answers line by line; it knows no DSSE."""

    name = "tuf-js"

    def __init__(self) -> None:
        self._node = subprocess.Popen(["node", _SCRIPT, MODULES], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, site: Site, cache: Path, paths: Iterable[str] = ()) -> Answers:
        """See `Reader`."""
        files = _files_of(cache)
        cache.mkdir(parents=True, exist_ok=True)
        if not (cache / "root.json").exists():
            (cache / "root.json").write_bytes(site.root)
        answer = self._ask(
            {
                "metadataDir": str(cache),
                "metadataUrl": site.metadata_url,
                "targetDir": str(files),
                "targetUrl": site.target_url,
                "paths": list(paths),
            }
        )
        if "refused" in answer:
            raise _refused(answer)
        return {path: _target(found) for path, found in answer["targets"]}

    def close(self) -> None:
        """End the process."""
        self._node.communicate(timeout=10)

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.write(json.dumps(question).encode() + b"\n")
        self._node.stdin.flush()
        answer: dict[str, Any] = json.loads(self._node.stdout.readline())
        return answer


def missing_tufjs() -> str | None:
    """Return why tuf-js cannot be asked here, or None if it can."""
    if not shutil.which("node"):
        return "node is not installed: install it, then `make interop`"
    if not (MODULES / "node_modules" / "tuf-js").is_dir():
        return "tuf-js is not in build/interop: `make interop`"
    return None


def _target(found: dict[str, Any] | None) -> bytes | Refused | None:
    if found is None:
        return None
    return _refused(found) if "refused" in found else Path(found["file"]).read_bytes()


def _refused(answer: dict[str, Any]) -> Refused:
    return Refused("Error", answer["refused"])


def _files_of(cache: Path) -> Path:
    folder = cache.with_name(f"{cache.name}-files")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
