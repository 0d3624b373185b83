"""The repository of one directory: change it, publish, renew, look at it.

```python
repository = Repository.open("releases")
repository.add("app-2.0.tar.gz", "dist/app-2.0.tar.gz")
repository.publish(repository.key_files(passphrase=getpass))
```
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tuffet.errors import UsageError
from tuffet.repository.create import PUBLIC, STAGED, create
from tuffet.repository.key_files import KeyFactory, KeyFiles
from tuffet.repository.policy import FILE, MAX_FILE_BYTES, parse_policy
from tuffet.repository.policy_text import DEFAULT, Choices
from tuffet.repository.publish import Published, publish, shortly_locked
from tuffet.repository.renew import Renewed, renew
from tuffet.repository.report import make_status
from tuffet.repository.signing import Signers, Signing
from tuffet.repository.site import LAST, Last, Site
from tuffet.repository.source import Addition, Progress, Source
from tuffet.repository.staging import Change, Staging
from tuffet.repository.state import State, read_state
from tuffet.repository.status import Status
from tuffet.storage.directory import DirectoryStore
from tuffet.storage.disk import DISK, LOCK, Disk, read_bounded
from tuffet.trust.delegations import Found


def now() -> datetime:
    """Return this machine's time, in UTC."""
    return datetime.now(UTC)


class Repository:
    """A directory made by `create`. Nothing is remembered between calls, so several processes and threads may work on one.

    The clock returns aware datetimes; each publishing looks at it once. Signers are handed in where they are needed.
    """

    def __init__(self, directory: str | os.PathLike[str], *, clock: Callable[[], datetime] = now, disk: Disk = DISK) -> None:
        """Open the repository; UsageError if there is none, or if its policy is not in order."""
        self.directory = Path(directory)
        file = self.directory / FILE
        text = read_bounded(file, MAX_FILE_BYTES, disk=disk)
        if text is None:
            raise UsageError(f"{self.directory} is no repository, for it has no {FILE}: make one, or name the right directory")
        try:
            self.policy = parse_policy(text.decode(), str(file))
        except UnicodeDecodeError as error:
            raise UsageError(f"{file} is not UTF-8") from error
        self.store = DirectoryStore(self.directory / PUBLIC, disk)
        self.staging = Staging(self.directory / STAGED, self.policy.repository.hashes, disk)
        self._site = Site(self.store, self.policy, Last(self.directory / LAST, disk))
        self._clock, self._disk = clock, disk

    @classmethod
    def open(cls, directory: str | os.PathLike[str], *, clock: Callable[[], datetime] = now, disk: Disk = DISK) -> Self:
        """Return the repository in a directory; see the class."""
        return cls(directory, clock=clock, disk=disk)

    @classmethod
    def create(
        cls,
        directory: str | os.PathLike[str],
        new_key: KeyFactory,
        choices: Choices = DEFAULT,
        *,
        clock: Callable[[], datetime] = now,
        disk: Disk = DISK,
    ) -> Self:
        """Make a repository in a directory that is new or empty, with keys from `new_key`, and publish its version 1."""
        create(directory, new_key, choices, _aware(clock()), disk)
        return cls(directory, clock=clock, disk=disk)

    @property
    def public(self) -> Path:
        """The directory that web servers serve."""
        return self.directory / PUBLIC

    def key_files(self, passphrase: Callable[[str], str]) -> KeyFiles:
        """Return the signers whose key files are here; `passphrase` is asked, with a key's name, once it has to sign."""
        return KeyFiles(self.directory, self.policy, passphrase, self._disk)

    def add(self, path: str, source: Source, custom: dict[str, Any] | None = None, *, progress: Progress | None = None) -> Change:
        """Stage one file to be published under a target path."""
        (change,) = self.add_many([Addition(path, source, custom)], progress=progress)
        return change

    def add_many(self, additions: Iterable[Addition], *, progress: Progress | None = None) -> tuple[Change, ...]:
        """Stage files, all of them or none."""
        return self.staging.add(additions, progress)

    def remove(self, *paths: str) -> None:
        """Stage that targets shall no longer be listed; UsageError for one that is neither published nor staged."""
        state, staged = self.state(), self.staging.read().changes
        for path in paths:
            change = staged.get(path)
            if (change.file is None) if change else state.find(path) is None:
                raise UsageError(f"there is no target {path!r} to remove: list the targets, and name one of them")
        self.staging.remove(paths)

    def staged(self) -> tuple[Change, ...]:
        """Return the changes that the next `publish` makes, in the order in which they were staged."""
        return tuple(self.staging.read().changes.values())

    def unstage(self) -> None:
        """Forget all staged changes."""
        self.staging.forget(self.staging.read())

    def publish(self, signers: Signers, *, progress: Progress | None = None) -> Published:
        """Sign and publish what is staged, verified as a client would.

        Raises SigningError where keys are missing, VerificationError where what is published or would be may not be believed,
        ConflictError where others are always quicker, StorageError where the disk fails. Either all of it is served then or nothing,
        and what was staged stays, so the same call can be made again.
        """
        with self._alone():
            return publish(self._site, self.staging, Signing(self.policy, signers), self._now, progress)

    def renew(self, signers: Signers, *, force: bool = False) -> Renewed:
        """Sign again what is due by the policy, or everything; roles that cannot be signed here are in the result."""
        with self._alone():
            renewed = renew(self._site, Signing(self.policy, signers), self._now, force=force)
            self.store.sweep()
            return renewed

    def status(self) -> Status:
        """Return what is published, what waits, which keys are here and what is wrong."""
        return make_status(self.directory, self.policy, self.state(), self.staged(), self._now(), self._disk)

    def state(self) -> State:
        """Return what is published, verified from the pinned root on, expired or not."""
        return read_state(self._site)

    def find(self, path: str) -> Found | None:
        """Return what is published under a target path, or None."""
        return self.state().find(path)

    def targets(self) -> Iterator[Found]:
        """Yield everything that is published."""
        return self.state().targets()

    def _now(self) -> datetime:
        return _aware(self._clock())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with shortly_locked(self.directory / LOCK):
            yield


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise UsageError("the clock of a repository must return aware datetimes")
    return instant
