"""A whole repository in memory, with real keys and real signatures, for tests that tell stories.

    repo = FakeRepository()
    yesterday = repo.fork()
    repo.publish("app-2.bin", b"two")
    repo.replay(yesterday)

What a repository does (publish, delegate, rotate, renew) leaves consistent metadata behind. What an attacker does
(fork, replay, serve, bump, steal) leaves whatever he wants. Nothing here looks at the real time.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

from msgspec import UNSET
from msgspec.structs import replace

from tuffet.client import Client
from tuffet.keys.memory import MemorySigner
from tuffet.keys.signer import Signer
from tuffet.metadata import (
    TUF_JSON,
    DelegatedRole,
    Delegations,
    Dialect,
    MetaFile,
    RoleKeys,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
    hashes_of,
)
from tuffet.metadata.expiry import encode_time
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, TOP_LEVEL, metadata_file
from tuffet.storage.memory import MemoryStore
from tuffet.testing.clock import FakeClock
from tuffet.testing.driver import MemoryDriver
from tuffet.transport.memory import StoreTransport

METADATA_URL: Final = "memory://fake/"
TARGET_URL: Final = "memory://fake/targets/"
START: Final = datetime(2030, 1, 1, tzinfo=UTC)
"""What the clock of a repository shows unless it is given another one."""

_DAYS: Final[dict[str, int]] = {ROOT: 365, TARGETS: 90, SNAPSHOT: 7, TIMESTAMP: 1}

Payload = Root | Timestamp | Snapshot | Targets


class _Stage:
    """What the world sees: the files of this repository, or those of another that is replayed."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def open(self, name: str) -> BinaryIO | None:
        return self.store.open(name)


class FakeRepository:
    """A repository that publishes version 1 of everything when it is made.

    `expiry_days` overrides how long a role lasts, delegated roles by their own names; `hashes_in_meta` lists lengths and
    hashes of metadata files. Documents as they are now are in `root`, `timestamp`, `snapshot` and `roles`, private keys in
    `signers` by role, files in `store`: metadata under their plain names, targets below `targets/`.
    """

    metadata_url = METADATA_URL
    target_url = TARGET_URL

    def __init__(
        self,
        clock: Callable[[], datetime] | None = None,
        *,
        dialect: Dialect = TUF_JSON,
        consistent_snapshot: bool = True,
        scheme: str = "ed25519",
        expiry_days: Mapping[str, int] | None = None,
        hashes_in_meta: bool = False,
    ) -> None:
        self.clock = clock or FakeClock(START)
        self.dialect, self.scheme, self.hashes_in_meta = dialect, scheme, hashes_in_meta
        self.store = MemoryStore()
        self._stage = _Stage(self.store)
        self.transport = StoreTransport(self._stage, METADATA_URL)
        self._days: dict[str, int] = {**_DAYS, **(expiry_days or {})}
        self.signers: dict[str, list[Signer]] = {name: self.new_signers(1) for name in TOP_LEVEL}
        self.root = Root(
            **self._dates(ROOT, 1),
            consistent_snapshot=consistent_snapshot,
            keys={signer.keyid: signer.key for signers in self.signers.values() for signer in signers},
            roles={name: _role_keys(signers, 1) for name, signers in self.signers.items()},
        )
        self.roles: dict[str, Targets] = {TARGETS: Targets(**self._dates(TARGETS, 1), targets={})}
        # What they name is filled in when they are published.
        first = MetaFile(version=1)
        self.snapshot = Snapshot(**self._dates(SNAPSHOT, 1), meta={"targets.json": first})
        self.timestamp = Timestamp(**self._dates(TIMESTAMP, 1), meta={"snapshot.json": first})
        self._write_root(())
        self._write_targets(TARGETS)
        self._write_snapshot()
        self._write_timestamp()

    # What the world sees.

    @property
    def requests(self) -> list[str]:
        """The names of the files asked for, in order: `2.root.json`, `targets/app.bin`."""
        return self.transport.requests

    def served(self, name: str) -> bytes | None:
        """Return the file that the world sees under a name."""
        return self._stage.store.read(name)

    def root_bytes(self, version: int = 1) -> bytes:
        """Return a root as published; the first one is what applications ship with."""
        data = self.store.read(metadata_file(ROOT, version))
        if data is None:
            raise KeyError(version)
        return data

    def driver(self, kept: dict[str, bytes] | None = None) -> MemoryDriver:
        """Return a driver whose requests come here; `kept` is what its client believed before."""
        return MemoryDriver(self.transport, METADATA_URL, kept)

    def client(self, cache_dir: str | os.PathLike[str], **settings: Any) -> Client:
        """Return a client of this repository that trusts its first root and sees its clock."""
        usual = {"root": self.root_bytes(), "transport": self.transport, "clock": self.clock, "dialect": self.dialect}
        return Client(METADATA_URL, TARGET_URL, cache_dir=cache_dir, **{**usual, **settings})

    # What an owner does.

    def publish(self, path: str, data: bytes, role: str = TARGETS, custom: dict[str, Any] | None = None) -> TargetFile:
        """Add or replace a target, in the name of a role, and return what the role says of it."""
        hashes = hashes_of(data)
        file = TargetFile(hashes=hashes, length=len(data), custom=UNSET if custom is None else custom)
        digest = hashes.known()["sha256"] if self.root.consistent_snapshot else None
        folder, slash, name = path.rpartition("/")
        self.serve(f"targets/{folder}{slash}{f'{digest}.' if digest else ''}{name}", data)
        self.change(role, targets={**self.roles[role].targets, path: file})
        return file

    def remove(self, path: str, role: str = TARGETS) -> None:
        """Make a role list a target no longer; its file stays where it is."""
        self.change(role, targets={name: file for name, file in self.roles[role].targets.items() if name != path})

    def delegate(
        self,
        name: str,
        by: str = TARGETS,
        *,
        paths: Sequence[str] | None = None,
        path_hash_prefixes: Sequence[str] | None = None,
        bit_length: int | None = None,
        keys: int = 1,
        threshold: int = 1,
        terminating: bool = False,
    ) -> None:
        """Append a delegation, by new keys, to those of `by`; roles that are new publish version 1 without targets.

        With `bit_length` the name is the prefix of succinct bins (TAP 15). A role that another role delegates to already is
        from now on signed by the keys that each of the two knows.
        """
        signers = self.new_signers(keys)
        held = self.roles[by].delegations
        public = {**(held.keys if held else {}), **{signer.keyid: signer.key for signer in signers}}
        role_keys = _role_keys(signers, threshold)
        if bit_length is not None:
            bins = SuccinctRoles(keyids=role_keys.keyids, threshold=threshold, bit_length=bit_length, name_prefix=name)
            delegations = Delegations(keys=public, succinct_roles=bins)
            names = tuple(bins.names())
        else:
            role = DelegatedRole(
                keyids=role_keys.keyids,
                threshold=threshold,
                name=name,
                terminating=terminating,
                paths=UNSET if paths is None else tuple(paths),
                path_hash_prefixes=UNSET if path_hash_prefixes is None else tuple(path_hash_prefixes),
            )
            listed = (held.roles or ()) if held else ()
            delegations = Delegations(keys=public, roles=(*listed, role))
            names = (name,)
        for each in names:
            self.signers[each] = [*self.signers.get(each, ()), *signers]
            self.roles.setdefault(each, Targets(**self._dates(each, 1), targets={}))
            self._write_targets(each)
        self.change(by, delegations=delegations)

    def rotate(self, role: str, *, keys: int = 1, threshold: int = 1) -> None:
        """Give a role new keys, in a new root or in new versions of its delegators, and sign the role by them."""
        old, new = self.signers[role], self.new_signers(keys)
        self.signers[role] = new
        if role in TOP_LEVEL:
            roles = {**self.root.roles, role: _role_keys(new, threshold)}
            used = {keyid for each in roles.values() for keyid in each.keyids}
            public = {**self.root.keys, **{signer.keyid: signer.key for signer in new}}
            kept = {keyid: key for keyid, key in public.items() if keyid in used}
            self.new_root(keys=kept, roles=roles, also_signed_by=old if role == ROOT else ())
        else:
            for delegator in [name for name, held in self.roles.items() if held.delegations]:
                self._hand_over(delegator, role, new, threshold)
        if role != ROOT:
            self.renew(role)

    def new_root(self, *, also_signed_by: Sequence[Signer] = (), **changes: Any) -> None:
        """Publish the next root with changes of its fields, signed by the keys of root, and by others as told."""
        self.root = replace(self.root, **{**self._dates(ROOT, self.root.version + 1), **changes})
        self._write_root(also_signed_by)

    def renew(self, *names: str) -> None:
        """Publish new versions of the roles, good for as long as such roles are, and of whatever must follow."""
        for name in names:
            if name == ROOT:
                self.new_root()
            elif name not in {SNAPSHOT, TIMESTAMP}:
                self.roles[name] = replace(self.roles[name], **self._dates(name, self.roles[name].version + 1))
                self._write_targets(name)
        if not {ROOT, TIMESTAMP}.issuperset(names):
            self._renew_snapshot()
        if names != (ROOT,):
            self._renew_timestamp()

    def change(self, role: str, **changes: Any) -> None:
        """Publish the next version of a targets role with changes of its fields, and of whatever must follow."""
        held = self.roles[role]
        self.roles[role] = replace(held, **{**self._dates(role, held.version + 1), **changes})
        self._write_targets(role)
        self._renew_snapshot()
        self._renew_timestamp()

    # What an attacker does.

    def fork(self) -> "FakeRepository":
        """Return an independent repository that goes on from here with the same keys, such as a thief of all keys has."""
        copy = object.__new__(FakeRepository)
        vars(copy).update(vars(self))
        copy.store = self.store.fork()
        copy._stage = _Stage(copy.store)
        copy.transport = StoreTransport(copy._stage, METADATA_URL)
        copy.signers = {name: list(signers) for name, signers in self.signers.items()}
        copy.roles = dict(self.roles)
        return copy

    def replay(self, other: "FakeRepository") -> None:
        """Serve what the other one serves, from now on; requests are still written down here."""
        self._stage.store = other.store

    def serve(self, name: str, data: bytes) -> None:
        """Serve any bytes under any name, whatever was there before."""
        self.store.replace(name, data, expected=self.store.read(name))

    def withdraw(self, name: str) -> None:
        """Serve nothing under a name."""
        self.store.delete(name)

    def steal(self, role: str) -> tuple[Signer, ...]:
        """Return the private keys of a role."""
        return tuple(self.signers[role])

    def bump(self, role: str, to: int, **changes: Any) -> None:
        """Publish a role under any version, and newer versions of what names it, as in a fast-forward attack."""
        dates = {**self._dates(role, to), **changes}
        if role == ROOT:
            self.root = replace(self.root, **dates)
            self._write_root(())
        elif role == TIMESTAMP:
            self.timestamp = replace(self.timestamp, **dates)
            self._write_timestamp()
        else:
            if role == SNAPSHOT:
                self.snapshot = replace(self.snapshot, **dates)
                self._write_snapshot()
            else:
                self.roles[role] = replace(self.roles[role], **dates)
                self._write_targets(role)
                self._renew_snapshot()
            self._renew_timestamp()

    def sign(self, payload: Payload, role: str, signers: Iterable[Signer] | None = None) -> bytes:
        """Return the file of a document, signed by the keys of a role or by others."""
        listed = self.signers[role] if signers is None else signers
        return self.dialect.sign(payload, lambda signed: [(signer.keyid, signer.sign(signed)) for signer in listed])

    def new_signers(self, count: int) -> list[Signer]:
        """Return so many new keys."""
        return [MemorySigner.generate(self.scheme) for _ in range(count)]

    # How it is done.

    def _dates(self, role: str, version: int) -> dict[str, Any]:
        days = self._days.get(role, self._days[TARGETS])
        return {"version": version, "expires": encode_time(self.clock() + timedelta(days=days)), "spec_version": "1.0.34"}

    def _hand_over(self, delegator: str, role: str, new: Sequence[Signer], threshold: int) -> None:
        held = self.roles[delegator].delegations
        assert held
        listed, bins = held.roles or (), held.succinct_roles
        named = role in {each.name for each in listed} or (bins and role.startswith(f"{bins.name_prefix}-"))
        if not named:
            return
        keys = {"keyids": tuple(signer.keyid for signer in new), "threshold": threshold}
        public = {**held.keys, **{signer.keyid: signer.key for signer in new}}
        if bins:
            for name in bins.names():
                self.signers[name] = list(new)
                self._write_targets(name)
            changed = replace(held, keys=public, succinct_roles=replace(bins, **keys))
        else:
            changed = replace(held, keys=public, roles=tuple(replace(each, **keys) if each.name == role else each for each in listed))
        self.change(delegator, delegations=changed)

    def _renew_snapshot(self) -> None:
        self.snapshot = replace(self.snapshot, **self._dates(SNAPSHOT, self.snapshot.version + 1))
        self._write_snapshot()

    def _renew_timestamp(self) -> None:
        self.timestamp = replace(self.timestamp, **self._dates(TIMESTAMP, self.timestamp.version + 1))
        self._write_timestamp()

    def _write_root(self, also_signed_by: Sequence[Signer]) -> None:
        self.serve(metadata_file(ROOT, self.root.version), self.sign(self.root, ROOT, [*also_signed_by, *self.signers[ROOT]]))

    def _write_targets(self, role: str) -> None:
        self.serve(self._file(role, self.roles[role].version), self.sign(self.roles[role], role))

    def _write_snapshot(self) -> None:
        meta = {f"{name}.json": self._meta(name, held.version) for name, held in self.roles.items()}
        self.snapshot = replace(self.snapshot, meta=meta)
        self.serve(self._file(SNAPSHOT, self.snapshot.version), self.sign(self.snapshot, SNAPSHOT))

    def _write_timestamp(self) -> None:
        self.timestamp = replace(self.timestamp, meta={"snapshot.json": self._meta(SNAPSHOT, self.snapshot.version)})
        self.serve(metadata_file(TIMESTAMP), self.sign(self.timestamp, TIMESTAMP))

    def _meta(self, role: str, version: int) -> MetaFile:
        data = self.store.read(self._file(role, version))
        if not self.hashes_in_meta or data is None:
            return MetaFile(version=version)
        return MetaFile(version=version, length=len(data), hashes=hashes_of(data))

    def _file(self, role: str, version: int) -> str:
        return metadata_file(role, version if self.root.consistent_snapshot else None)


def _role_keys(signers: Sequence[Signer], threshold: int) -> RoleKeys:
    return RoleKeys(keyids=tuple(signer.keyid for signer in signers), threshold=threshold)
