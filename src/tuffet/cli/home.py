"""What this user trusts: one directory for each repository, with the pinned root and the cache of what was believed since.

The home is `TUFFET_HOME`, else tuffet's folder in the user's data directory. Nothing in it can be read or written by
others. A pin is written last, so that an interrupted `trust` leaves no pin rather than half of one.
"""

import hashlib
import os
import re
import shutil
from typing import Final, Literal

import msgspec

from tuffet.client.cache import Cache
from tuffet.errors import StorageError, UsageError
from tuffet.metadata.dsse import DSSE
from tuffet.metadata.envelope import Dialect
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.storage.disk import make_directory, read_bounded, write_atomic

_PIN: Final = "pin.json"
_MAX_PIN_BYTES: Final = 65_536
_LONGEST_LABEL: Final = 40


class Pin(msgspec.Struct, frozen=True):
    """Which root is trusted for a URL, and where its metadata and targets are."""

    url: str
    metadata_url: str
    target_url: str
    root_version: int
    root_sha256: str
    format: Literal["tuf-json", "dsse"] = "tuf-json"

    @property
    def dialect(self) -> Dialect:
        """How the repository writes its documents."""
        return DSSE if self.format == "dsse" else TUF_JSON


class Place:
    """Where all that belongs to one URL is kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        label = re.sub(r"[^A-Za-z0-9.-]+", "-", url.partition("://")[2] or url).strip("-.")[:_LONGEST_LABEL]
        self.directory = os.path.join(home(), "trusted", f"{label}-{hashlib.sha256(url.encode()).hexdigest()[:16]}")
        self.cache = Cache(os.path.join(self.directory, "cache"))

    def pin(self) -> Pin | None:
        """Return the pin, None if nothing is pinned."""
        path = os.path.join(self.directory, _PIN)
        data = read_bounded(path, _MAX_PIN_BYTES)
        if data is None:
            return None
        try:
            return msgspec.json.decode(data, type=Pin)
        except msgspec.DecodeError as error:
            raise StorageError(path, "this is no pin of tuffet: move it away and pin the root again") from error

    def keep(self, pin: Pin, root: bytes | None = None) -> None:
        """Write the pin; with a root, forget what was believed before and begin with this one."""
        # Each is refused if others may write to it, for then they could pin what they like.
        for directory in (home(), os.path.dirname(self.directory), self.directory):
            make_directory(directory, 0o700)
        if root is not None:
            self._forget()
            self.cache.pin(root)
        write_atomic(os.path.join(self.directory, _PIN), msgspec.json.format(msgspec.json.encode(pin)) + b"\n", 0o600)

    def _forget(self) -> None:
        try:
            if os.path.lexists(path := os.path.join(self.directory, _PIN)):
                os.unlink(path)
            if os.path.isdir(self.cache.directory):
                shutil.rmtree(self.cache.directory)
        except OSError as error:
            raise StorageError(self.directory, f"what was believed before cannot be removed: {(error.strerror or '').lower()}") from error


def home() -> str:
    """Return the directory of all that this user trusts."""
    if given := os.environ.get("TUFFET_HOME"):
        return os.path.abspath(given)
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Local")
    else:
        # The XDG specification has relative paths ignored.
        base = os.environ.get("XDG_DATA_HOME", "")
        base = base if os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "tuffet")


def repository_url(text: str) -> str:
    """Return the one spelling of a repository's URL: a folder, its scheme and host in lower case; a path is made absolute."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        if not os.path.isdir(text):
            raise UsageError(f"{text!r} is neither a URL, which begins like https://, nor a directory")
        # Whoever names a repository of their own means what it publishes.
        own = os.path.isfile(os.path.join(text, "tuffet.toml"))
        return os.path.join(os.path.abspath(text), *(["public"] if own else []), "")
    scheme = scheme.lower()
    if scheme in {"http", "https"}:
        from tuffet.transport.url import parse_url

        address = parse_url(text)
        if "?" in address.target:
            raise UsageError(f"the URL {text} has a query: the URL of a repository is a folder")
        return f"{address.origin}{address.target.rstrip('/')}/"
    return f"{scheme}://{rest.rstrip('/')}/"
