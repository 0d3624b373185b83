"""Publishing: what was staged, applied to the newest state, until it is there or cannot be.

Bytes come first, then documents, then the timestamp. Whoever finds that somebody else was quicker starts again from what
they published. Staged changes are forgotten only when the world sees them (B129).
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from tuffet.errors import ConflictError
from tuffet.metadata.targets import TargetFile, Targets
from tuffet.repository.check import require_believable
from tuffet.repository.release import next_release
from tuffet.repository.signing import Signing
from tuffet.repository.site import Site
from tuffet.repository.source import Progress
from tuffet.repository.staging import Batch, Change, Staging
from tuffet.repository.state import State, read_state
from tuffet.repository.target_bytes import keep_targets
from tuffet.storage.lock import locked

ATTEMPTS: Final = 20
"""How often a publisher starts again before it says that others are always quicker."""
LOCK_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 0.2

R = TypeVar("R")


class Published(msgspec.Struct, frozen=True):
    """What the world sees now that it did not see before; all empty where there was nothing to publish."""

    roles: dict[str, int]
    """New versions by role."""
    added: tuple[Change, ...] = ()
    removed: tuple[str, ...] = ()


def publish(site: Site, staging: Staging, signing: Signing, clock: Callable[[], datetime], progress: Progress | None = None) -> Published:
    """Publish all staged changes at once."""

    def attempt() -> Published:
        state = read_state(site)
        batch = staging.read()
        changed = apply(batch.changes, state)
        published = _publish_changed(state, batch, changed, site, staging, signing, clock(), progress) if changed else Published({})
        staging.forget(batch)
        return published

    return patiently(attempt)


def apply(changes: Mapping[str, Change], state: State) -> dict[str, Targets]:
    """Return the targets roles as they must become; those that say it already are left out."""
    owned: dict[str, list[Change]] = {}
    for change in changes.values():
        owned.setdefault(state.owner_of(change.path), []).append(change)
    changed = {}
    for name in sorted(owned):
        before = state.targets_of(name)
        targets: dict[str, TargetFile] = dict(before.targets)
        for change in owned[name]:
            if change.file is None:
                targets.pop(change.path, None)
            else:
                targets[change.path] = change.file
        if targets != before.targets:
            changed[name] = replace(before, targets=targets)
    return changed


def patiently(attempt: Callable[[], R], longest_pause_seconds: float = LONGEST_PAUSE_SECONDS) -> R:
    """Return what an attempt returns, starting again where it lost against somebody else."""
    for left in range(ATTEMPTS - 1, -1, -1):
        try:
            return attempt()
        except ConflictError:
            if not left:
                raise
            # Two that met once should not meet again and again.
            time.sleep(random.uniform(0, longest_pause_seconds))  # noqa: S311  no secret depends on it
    raise AssertionError("there is at least one attempt")


@contextmanager
def shortly_locked(path: Path, wait_seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Let another publisher on this machine finish first, but not for ever: compare-and-set is what keeps them apart."""
    with ExitStack() as stack:
        with suppress(ConflictError):
            stack.enter_context(locked(path, wait_seconds))
        yield


def _publish_changed(
    state: State,
    batch: Batch,
    changed: Mapping[str, Targets],
    site: Site,
    staging: Staging,
    signing: Signing,
    now: datetime,
    progress: Progress | None,
) -> Published:
    release = next_release(state, changed, site.policy, signing, now)
    wanted = {path: change.file for path, change in batch.changes.items()}
    require_believable(release, site.store, state.kept, wanted, now)
    added = tuple(change for change in batch.changes.values() if change.file)
    keep_targets(site.store, staging, added, progress)
    release.show(site)
    return Published(release.roles, added, tuple(path for path, file in wanted.items() if file is None))
