"""The client: what may be believed of a repository, and its files (specification 5).

```python
client = Client("https://example.com/metadata/", "https://example.com/targets/", cache_dir=".cache", root=embedded_root)
target = client.find("app-2.0.tar.gz")
if target:
    client.download(target, to="downloads/")
```
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Self

from tuffet.client.cache import Cache
from tuffet.client.download import Progress, is_present, place_of, save, served_name
from tuffet.client.driver import Driver, Speed, patiently
from tuffet.client.target import Explanation, Target, require_text
from tuffet.errors import UsageError
from tuffet.metadata.envelope import Dialect
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.storage.disk import DISK, Disk
from tuffet.transport import Transport, default_transport, receive
from tuffet.trust.delegations import Search, Visit
from tuffet.trust.steps import Limits
from tuffet.trust.workflow import Trusted, refresh


def now() -> datetime:
    """Return this machine's time, in UTC."""
    return datetime.now(UTC)


class Client:
    """Believes and downloads what a repository publishes, and nothing else. Safe for several threads at once.

    `root` is the root metadata that the application ships with: the one thing that is trusted from the beginning. Without
    it the root pinned in the cache is used (`Cache.pin`). Nothing is asked for before the first call that needs it.
    """

    def __init__(
        self,
        metadata_url: str,
        target_url: str | None = None,
        *,
        cache_dir: str | os.PathLike[str],
        root: bytes | None = None,
        transport: Transport | None = None,
        dialect: Dialect = TUF_JSON,
        limits: Limits | None = None,
        speed: Speed | None = None,
        prefix_targets_with_hash: bool = True,
        clock: Callable[[], datetime] = now,
        disk: Disk = DISK,
    ) -> None:
        """`metadata_url` and `target_url` are folders, as http, https or file URLs or plain directories.

        `prefix_targets_with_hash` may be switched off for stores whose target names hold a digest already. The clock
        returns aware datetimes; one update looks at it once.
        """
        limits = limits or Limits()
        largest = max(limits.root_bytes, limits.timestamp_bytes, limits.snapshot_bytes, limits.targets_bytes)
        self.cache = Cache(cache_dir, at_most=largest, disk=disk)
        self.metadata_url = _folder(metadata_url)
        self._target_url = _folder(target_url) if target_url is not None else None
        self._root, self._given_transport = root, transport
        self._transports: dict[str, Transport] = {}
        self._dialect, self._limits, self._speed = dialect, limits, speed or Speed()
        self._prefix, self._clock, self._disk = prefix_targets_with_hash, clock, disk
        self._lock = threading.RLock()
        self._search: Search | None = None

    @property
    def trusted(self) -> Trusted:
        """What is believed since the last refresh; the first use refreshes."""
        return self._searching().trusted

    def refresh(self) -> Trusted:
        """Bring the top-level metadata up to date and return what is believed now (5.2 to 5.6).

        Raises VerificationError where the repository offers what may not be believed, TransportError where it cannot be had,
        StorageError where the cache fails. What was believed before stays believed then, by this client and in the cache.
        """
        return self._refreshed().trusted

    def _refreshed(self) -> Search:
        with self._lock:
            start = self._clock()
            if start.tzinfo is None:
                raise UsageError("the clock of a client must return aware datetimes")
            root = self._root if self._root is not None else self.cache.pinned()
            try:
                trusted = self._driver().run(refresh(root, start, self._dialect, self._limits))
            finally:
                self.cache.show_newest_root()
            self.cache.show_root(trusted.root.payload.version, root)
            self._search = Search(trusted)
            return self._search

    def find(self, path: str) -> Target | None:
        """Return the target that the first responsible role lists under this path, or None (5.6.7).

        Exceeding a limit of the search is a LimitError, never None.
        """
        return self.explain(path).target

    def targets(self) -> Iterator[Target]:
        """Yield every target that `find` would find; all targets roles are read for that."""
        with self._lock:
            found = self._driver().run(self._searching().targets())
        return (Target.from_found(each) for each in found)

    def explain(self, path: str) -> Explanation:
        """Tell which roles were asked about a path and what each said."""
        require_text(path)
        visits: list[Visit] = []
        with self._lock:
            found = self._driver().run(self._searching().find(path, visits))
        return Explanation(path, Target.from_found(found) if found else None, tuple(visits))

    def download(
        self,
        target: Target,
        to: str | os.PathLike[str] = ".",
        *,
        progress: Progress | None = None,
        deadline_seconds: float | None = None,
    ) -> str:
        """Return the path of the file, downloaded unless it is there already with the right length and hashes (5.7).

        `to` is the file to write, or a directory (or ends in `/`), and then the target's own path is made below it. Raises
        MismatchError where the bytes are not the target's, TransportError where they cannot be had whole and in time,
        FormatError for a path that cannot be written below a directory; nothing of a refused file stays.
        """
        place = place_of(target, to, self._disk)
        if is_present(target, place, self._disk):
            return place
        url = self._url_of(target)
        deadline = None if deadline_seconds is None else time.monotonic() + deadline_seconds

        def attempt() -> None:
            body = self._transport(url).ask(url)
            speed = self._speed
            chunks = receive(
                body,
                url,
                at_most=target.length,
                min_bytes_per_second=speed.min_bytes_per_second,
                grace_seconds=speed.grace_seconds,
                deadline=deadline,
            )
            try:
                save(target, chunks, place, progress, self._disk)
            finally:
                body.close()

        patiently(attempt, self._speed.tries)
        return place

    def close(self) -> None:
        """Close the connections that the client opened itself; it may be used again, and opens new ones then."""
        with self._lock:
            for transport in self._transports.values():
                close = getattr(transport, "close", None)
                if close:
                    close()
            self._transports.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _searching(self) -> Search:
        with self._lock:
            return self._search or self._refreshed()

    def _driver(self) -> Driver:
        return Driver(self.metadata_url, self._transport(self.metadata_url), self.cache, self._speed)

    def _transport(self, url: str) -> Transport:
        if self._given_transport is not None:
            return self._given_transport
        base = self._target_url if self._target_url and url.startswith(self._target_url) else self.metadata_url
        # One transport serves both folders of a server, so that its connections are used again.
        key = "/".join(base.split("/", 3)[:3]) if base.startswith(("http://", "https://")) else base
        with self._lock:
            if key not in self._transports:
                self._transports[key] = default_transport(base)
            return self._transports[key]

    def _url_of(self, target: Target) -> str:
        if self._target_url is None:
            raise UsageError("this client was given no target_url, so it can find targets and not download them")
        return self._target_url + served_name(target, hashed=self._prefix and bool(self.trusted.root.payload.consistent_snapshot))


def _folder(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"
