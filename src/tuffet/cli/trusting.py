"""Which root a repository is judged by, and the client that judges. Trust begins with what the user said, never here."""

import hashlib
import os
from collections.abc import Callable
from datetime import datetime

from msgspec import structs

from tuffet.cli.home import Pin, Place
from tuffet.cli.output import Output
from tuffet.cli.own_errors import NoRootError, OtherRootError
from tuffet.client import Client
from tuffet.client.client import now
from tuffet.errors import MismatchError, StorageError
from tuffet.metadata.expiry import encode_time
from tuffet.names import ROOT, metadata_file
from tuffet.storage.disk import read_bounded
from tuffet.transport import default_transport, receive
from tuffet.trust.checks import first_root
from tuffet.trust.steps import Limits

FIRST_ROOT = metadata_file(ROOT, 1)


def read_root(path: str) -> bytes:
    """Return the bytes of a root metadata file."""
    # The user named it, so a link to it is the user's own.
    data = read_bounded(os.path.realpath(path), Limits().root_bytes)
    if data is None:
        raise StorageError(path, "there is no such file")
    return data


def fetch_root(metadata_url: str) -> bytes:
    """Return the repository's first root as the server offers it, which nobody vouches for yet."""
    url = metadata_url + FIRST_ROOT
    transport = default_transport(metadata_url)
    try:
        return b"".join(receive(transport.ask(url), url, at_most=Limits().root_bytes))
    finally:
        close: Callable[[], None] | None = getattr(transport, "close", None)
        if close:
            close()


def require_digest(root: bytes, digest: str) -> None:
    """Refuse a root whose SHA-256 is not this."""
    offered = hashlib.sha256(root).hexdigest()
    if offered != digest:
        raise MismatchError(ROOT, "sha256", expected=digest, offered=offered, attack="arbitrary-software")


def described(url: str, root: bytes, *, metadata_url: str | None = None, target_url: str | None = None, envelope: bool = False) -> Pin:
    """Return the pin of a root, which must be signed by its own keys."""
    pin = Pin(
        url=url,
        metadata_url=metadata_url or f"{url}metadata/",
        target_url=target_url or f"{url}targets/",
        root_version=1,
        root_sha256=hashlib.sha256(root).hexdigest(),
        format="dsse" if envelope else "tuf-json",
    )
    believed = first_root(root, pin.dialect)
    return structs.replace(pin, root_version=believed.payload.version)


def keep(offered: Pin, root: bytes, *, replace: bool = False) -> bool:
    """Pin a root and return whether anything changed; OtherRootError where another one is pinned and shall stay."""
    place = Place(offered.url)
    held = place.pin()
    if held is None or (replace and held.root_sha256 != offered.root_sha256):
        place.keep(offered, root)
        return True
    if held.root_sha256 != offered.root_sha256:
        # A later root of the chain that is believed already says nothing new.
        if place.cache.load(ROOT, offered.root_version) != root:
            raise OtherRootError(offered.url, pinned=held.root_sha256, offered=offered.root_sha256)
        offered = structs.replace(offered, root_version=held.root_version, root_sha256=held.root_sha256, format=held.format)
    if held == offered:
        return False
    place.keep(offered)
    return True


def pin_first(url: str, out: Output, root_file: str | None, digest: str | None, *, envelope: bool = False) -> None:
    """Pin what `--root` or `--sha256` says before something is downloaded; nothing where neither is given."""
    if root_file is None and digest is None:
        return
    held = Place(url).pin()
    if digest is not None and held is not None and held.root_sha256 == digest:
        return  # It was compared when it was pinned.
    metadata_url = held.metadata_url if held else f"{url}metadata/"
    root = read_root(root_file) if root_file else fetch_root(metadata_url)
    if digest is not None:
        require_digest(root, digest)
    offered = described(
        url,
        root,
        metadata_url=metadata_url,
        target_url=held.target_url if held else None,
        envelope=envelope or (held is not None and held.format == "dsse"),
    )
    if keep(offered, root):
        out.say(f"pinned root version {offered.root_version} of {url}")


def client_for(url: str, out: Output, instant: datetime | None = None) -> Client:
    """Return the client of a URL that has a root pinned; NoRootError for others."""
    place = Place(url)
    pin = place.pin()
    if pin is None:
        raise NoRootError(url)
    clock = now
    if instant is not None:
        out.warn(f"expiry is judged as of {encode_time(instant)}, not of now: a freeze attack would go unnoticed")
        clock = lambda: instant  # noqa: E731
    return Client(pin.metadata_url, pin.target_url, cache_dir=place.cache.directory, dialect=pin.dialect, clock=clock)
