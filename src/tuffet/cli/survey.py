"""A look at a whole repository, from its first root to its delegations, without believing any of it.

It reads what a client would read, in the same order, but goes on where a client would refuse: what is wrong is noted
beside the document that it is wrong with.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from tuffet.cli.examine import RoleSeen, delegates_of, examined, parse_any, role_by
from tuffet.errors import AbsentError, TuffetError
from tuffet.metadata.envelope import Dialect, Envelope, T
from tuffet.metadata.roles import Dated, MetaFile, Root, Snapshot, Timestamp
from tuffet.metadata.targets import Targets
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, metadata_file
from tuffet.transport import Transport, default_transport, receive
from tuffet.trust.checks import require_bytes
from tuffet.trust.steps import Limits
from tuffet.trust.verify import Role, role_of

_MOST_ROLES: Final = 100
_LIMITS: Final = Limits()

Read = Callable[[str, int], bytes | None]
"""Returns a metadata file by its name, of at most so many bytes; None if it is absent."""


def reader(metadata_url: str) -> Read:
    """Return what reads metadata files from a URL or a directory."""
    transport: Transport = default_transport(metadata_url)

    def read(name: str, at_most: int) -> bytes | None:
        url = metadata_url + name
        try:
            return b"".join(receive(transport.ask(url), url, at_most=at_most))
        except AbsentError:
            return None

    return read


class Survey:
    """One look. `seen` fills from the root down; `complete` is false where it was cut short."""

    def __init__(self, read: Read, now: datetime, first: bytes | None = None) -> None:
        self._read, self._now, self._first = read, now, first
        self.seen: list[RoleSeen] = []
        self.complete = True
        self._snapshot: Snapshot | None = None
        self._consistent = False
        self._dialect: Dialect | None = None

    def look(self) -> "Survey":
        """Read everything; AbsentError's place is taken by notes, but a repository without a root is an error of the caller's."""
        root = self._roots()
        if root is None:
            return self
        self._consistent = bool(root.consistent_snapshot)
        timestamp = self._document(TIMESTAMP, Timestamp, root, None, f"root {root.version}", versioned=False)
        if timestamp is None:
            return self
        self._snapshot = self._document(SNAPSHOT, Snapshot, root, timestamp.snapshot, f"root {root.version}")
        if self._snapshot is None:
            return self
        self._delegated(root)
        return self

    def _roots(self) -> Root | None:
        data = self._first or self._read(metadata_file(ROOT, 1), _LIMITS.root_bytes) or self._read(metadata_file(ROOT), _LIMITS.root_bytes)
        if data is None:
            return None
        envelope, self._dialect = parse_any(data)
        trusted: Root = envelope.payload
        roles: tuple[Role, ...] = (role_of(trusted, ROOT),)
        by, problem = "itself", None
        for _ in range(_LIMITS.root_rotations):
            number = trusted.version + 1
            data = self._read(metadata_file(ROOT, number), _LIMITS.root_bytes)
            if data is None:
                break
            try:
                following = self._dialect.parse(data, Root)
                if following.payload.version != number:
                    problem = f"version {number} says that it is version {following.payload.version}"
                    break
            except TuffetError as error:
                problem = f"version {number} cannot be read: {error}"
                break
            roles = (role_of(following.payload, ROOT), role_of(trusted, ROOT))
            by = f"root {trusted.version} and itself"
            envelope, trusted = following, following.payload
            # A link that its predecessor does not vouch for ends the chain, and is shown as what it is.
            if examined(envelope, self._now, name=ROOT, file="", roles=roles).verified is False:
                problem = "this root does not follow from the one before it"
                break
        file = metadata_file(ROOT, trusted.version)
        self.seen.append(examined(envelope, self._now, name=ROOT, file=file, roles=roles, by=by, problem=problem))
        return trusted

    def _delegated(self, root: Root) -> None:
        waiting: list[tuple[str, Dated, str]] = [(TARGETS, root, f"root {root.version}")]
        done: set[str] = set()
        while waiting:
            name, delegator, by = waiting.pop(0)
            if name in done or self._snapshot is None:
                continue
            if len(done) >= _MOST_ROLES:
                self.complete = False
                return
            done.add(name)
            meta = self._snapshot.meta.get(f"{name}.json")
            payload = self._document(name, Targets, delegator, meta, by)
            if payload is not None:
                names, count = delegates_of(payload)
                self.complete = self.complete and len(names) == count
                waiting.extend((each, payload, name) for each in names)

    def _document(self, name: str, kind: type[T], delegator: Dated, meta: MetaFile | None, by: str, *, versioned: bool = True) -> T | None:
        version = meta.version if meta and versioned and self._consistent else None
        file = metadata_file(name, version)
        at_most = (meta.length if meta else None) or _LIMITS.targets_bytes
        problem = None if meta or not versioned else "the snapshot does not list it"
        try:
            data = self._read(file, at_most)
            if data is None:
                self._missing(name, file, by, "it is not there")
                return None
            assert self._dialect is not None  # noqa: S101  the root came first
            envelope: Envelope[Any] = self._dialect.parse(data, kind)
            payload: T = envelope.payload
        except TuffetError as error:
            self._missing(name, file, by, str(error))
            return None
        if meta is not None:
            problem = _difference(name, data, payload, meta)
        role = role_by(delegator, name)
        self.seen.append(examined(envelope, self._now, name=name, file=file, roles=(role,) if role else (), by=by, problem=problem))
        return payload

    def _missing(self, name: str, file: str, by: str, problem: str) -> None:
        self.seen.append(RoleSeen(name, file, 0, "", "", 0, by=by, problem=problem))


def _difference(name: str, data: bytes, payload: Dated, meta: MetaFile) -> str | None:
    if payload.version != meta.version:
        return f"version {meta.version} was announced"
    try:
        require_bytes(name, data, meta)
    except TuffetError as error:
        return str(error)
    return None
