"""New versions on top of what is published, and how they are shown to the world.

Only roles that change get a new version, and what names them must follow. Files of versions are created once, under
names that nothing refers to yet; then timestamp.json, replaced by compare-and-set, makes all of them count at once.
A crash in between leaves the old state served whole, and files that the next run steps over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from tuffet.metadata.envelope import T
from tuffet.metadata.expiry import encode_time
from tuffet.metadata.hashes import hashes_of
from tuffet.metadata.roles import MetaFile
from tuffet.metadata.targets import Targets
from tuffet.names import SNAPSHOT, TIMESTAMP, metadata_file
from tuffet.repository.driver import METADATA
from tuffet.repository.policy import Policy
from tuffet.repository.signing import Signing
from tuffet.repository.site import Site
from tuffet.repository.state import State
from tuffet.storage.store import Store
from tuffet.trust.verify import Role

SPEC_VERSION: Final = "1.0.34"
TIMESTAMP_FILE: Final = METADATA + metadata_file(TIMESTAMP)


class Release:
    """Signed files that nobody sees yet. `files` are in the order in which they are written, `roles` their versions."""

    def __init__(self, policy: Policy, signing: Signing, now: datetime, replaces: bytes | None) -> None:
        self.policy, self.signing, self.now = policy, signing, now
        self.roles: dict[str, int] = {}
        self.files: dict[str, bytes] = {}
        self._replaces = replaces
        """The timestamp.json on which this builds."""

    def add(self, payload: T, version: int, role: Role) -> bytes:
        """Sign a document as a version of its role, with an expiry from now on; return the file."""
        dates = {"version": version, "expires": encode_time(self.now + self.policy.of(role.name).lasts)}
        data = self.signing.seal(replace(payload, **dates), role)
        self.roles[role.name] = version
        self.files[METADATA + metadata_file(role.name, None if role.name == TIMESTAMP else version)] = data
        return data

    def meta(self, version: int, data: bytes) -> MetaFile:
        """Return what a snapshot says of a document."""
        return _meta(version, data, hashed=self.policy.repository.hashes_in_snapshot)

    def snapshot_meta(self, version: int, data: bytes) -> dict[str, MetaFile]:
        """Return what a timestamp says of a snapshot; one digest is cheap there, and lets a client stop at wrong bytes early."""
        return {"snapshot.json": _meta(version, data, hashed=True)}

    def show(self, site: Site) -> None:
        """Publish; ConflictError if somebody else was quicker, and then nothing that the world sees has changed."""
        timestamp = self.files[TIMESTAMP_FILE]
        site.store.create_many((name, data) for name, data in self.files.items() if name != TIMESTAMP_FILE)
        site.store.replace(TIMESTAMP_FILE, timestamp, expected=self._replaces)
        site.remember(timestamp)


def next_release(
    state: State, changed: Mapping[str, Targets], policy: Policy, signing: Signing, now: datetime, *, new_snapshot: bool = False
) -> Release:
    """Return new versions of the changed targets roles and of what names them; documents may be as they were, to be renewed.

    The snapshot is left alone if no role changed, unless a new one is asked for.
    """
    before = state.trusted
    new_snapshot = new_snapshot or bool(changed)
    # Whoever cannot sign is told so before any work is done.
    for name in (*changed, *((SNAPSHOT,) if new_snapshot else ()), TIMESTAMP):
        signing.require(state.role(name))
    release = Release(policy, signing, now, state.timestamp_file)
    named = before.timestamp.payload.meta
    if new_snapshot:
        meta = dict(before.snapshot.payload.meta)
        for name, payload in changed.items():
            version = free_version(state.store, name, state.meta(name).version)
            meta[f"{name}.json"] = release.meta(version, release.add(payload, version, state.role(name)))
        version = free_version(state.store, SNAPSHOT, before.snapshot.payload.version)
        data = release.add(replace(before.snapshot.payload, meta=meta), version, state.role(SNAPSHOT))
        named = {**named, **release.snapshot_meta(version, data)}
    release.add(replace(before.timestamp.payload, meta=named), before.timestamp.payload.version + 1, state.role(TIMESTAMP))
    return release


def free_version(store: Store, role: str, published: int) -> int:
    """Return the next version of a role whose file name is free.

    A run that died, or a publisher that lost against another one, leaves files behind that no snapshot names. They are
    stepped over, not believed and not taken away: their author may be about to publish them.
    """
    version = published + 1
    while (file := store.open(METADATA + metadata_file(role, version))) is not None:
        file.close()
        version += 1
    return version


def first_dates() -> dict[str, Any]:
    """Return the fields that `Release.add` fills in, for a document that is not published yet."""
    return {"version": 1, "expires": "9999-01-01T00:00:00Z", "spec_version": SPEC_VERSION}


def _meta(version: int, data: bytes, *, hashed: bool) -> MetaFile:
    return MetaFile(version=version, length=len(data), hashes=hashes_of(data)) if hashed else MetaFile(version=version)
