"""The client's workflow, written once (specification 5.2 to 5.6): from a root that is believed to everything newest.

Documents are judged strictly in the order root, timestamp, snapshot, targets. Requests may run ahead of that, where
it costs nothing if they were in vain: the timestamp is asked for together with the next root, and once that root
exists, more roots in growing windows and the snapshot that the unverified timestamp names. What came ahead is judged
exactly as if it had been fetched in turn. Asked for once more in its turn is what could not be had ahead, and a timestamp
that is no good under a root that came after it.

Nothing is sent unless the root that the client holds verifies. Nothing is kept before it is believed.
"""

from collections import deque
from datetime import datetime
from typing import Final

import msgspec

from tuffet.errors import ExpiredError, LimitError, TransportError, VerificationError
from tuffet.metadata.envelope import Dialect, T
from tuffet.metadata.roles import MetaFile, PositiveVersion, Root, Snapshot, Timestamp
from tuffet.metadata.targets import Targets
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from tuffet.trust.checks import (
    first_root,
    keys_were_taken,
    next_root,
    next_snapshot,
    next_targets,
    next_timestamp,
    require_bytes,
    require_fresh,
)
from tuffet.trust.steps import Answer, Ask, Drop, Fetch, Forget, Keep, Limits, Load, Steps, fetch
from tuffet.trust.verify import Role, Verified, role_of, verify

FIRST_WINDOW: Final = 4
LARGEST_WINDOW: Final = 16
"""Roots beyond the next one that are asked for together, once the next one exists."""


class Trusted(msgspec.Struct, frozen=True):
    """What is believed after an update: the four top-level documents, and the instant at which the update started."""

    root: Verified[Root]
    timestamp: Verified[Timestamp]
    snapshot: Verified[Snapshot]
    targets: Verified[Targets]
    start: datetime
    dialect: Dialect
    limits: Limits


class _Ahead:
    """What was asked for before its turn: tickets of the timestamp and of the snapshot that it seems to name."""

    def __init__(self, timestamp: int) -> None:
        self.timestamp: int | None = timestamp
        self.timestamp_bytes: bytes | None = None
        self.snapshot: tuple[int, int] | None = None


def held_root(pinned: bytes, dialect: Dialect) -> Steps[Verified[Root]]:
    """Return the newest root that follows from the pinned one through what was kept; the chain is verified again."""
    root = first_root(pinned, dialect)
    while (data := (yield Load(ROOT, root.payload.version + 1))) is not None:
        try:
            root = next_root(data, root, dialect)
        except VerificationError:
            break  # A damaged link is fetched again; nothing beyond it is looked at.
    return root


def refresh(pinned: bytes, start: datetime, dialect: Dialect = TUF_JSON, limits: Limits | None = None) -> Steps[Trusted]:
    """Return the newest top-level documents that may be believed (5.2 to 5.6.6).

    Raises what the checks raise, and what the driver raises for files that cannot be had.
    """
    limits = limits or Limits()
    root = yield from held_root(pinned, dialect)
    (next_ticket,) = yield Ask((_next_root_file(root, limits),))
    held = yield from _held(TIMESTAMP, Timestamp, root, dialect)
    (ticket,) = yield Ask((Fetch(TIMESTAMP, None, limits.timestamp_bytes),))
    ahead = _Ahead(ticket)
    held_snapshot = yield from _held(SNAPSHOT, Snapshot, root, dialect)

    newest = yield from _follow(root, next_ticket, ahead, dialect, limits)
    require_fresh(newest, start)
    if newest is not root:
        held = yield from _held(TIMESTAMP, Timestamp, newest, dialect)
        held_snapshot = yield from _held(SNAPSHOT, Snapshot, newest, dialect)
    timestamp = yield from _timestamp(newest, held and held[0], ahead, start, dialect, limits, moved=newest is not root)
    snapshot = yield from _snapshot(newest, timestamp, held_snapshot, ahead, start, dialect, limits)
    trusted_role = role_of(newest.payload, TARGETS)
    meta = snapshot.payload.meta["targets.json"]
    targets = yield from targets_role(trusted_role, meta, newest, start, dialect, limits)
    return Trusted(newest, timestamp, snapshot, targets, start, dialect, limits)


def _next_root_file(root: Verified[Root], limits: Limits, beyond: int = 1) -> Fetch:
    return Fetch(ROOT, root.payload.version + beyond, limits.root_bytes, optional=True)


def _held(name: str, kind: type[T], root: Verified[Root], dialect: Dialect) -> Steps[tuple[Verified[T], bytes] | None]:
    """Return what was kept of a top-level role if the root's keys vouch for it; it may be expired and still count."""
    data = yield Load(name)
    if data is None:
        return None
    try:
        return verify(dialect.parse(data, kind), role_of(root.payload, name)), data
    except VerificationError:
        return None


def _follow(root: Verified[Root], ticket: int, ahead: _Ahead, dialect: Dialect, limits: Limits) -> Steps[Verified[Root]]:
    """Follow the chain of roots to its newest link, each kept as soon as it is believed (5.3)."""
    begun = asked = root.payload.version
    pending = deque([ticket])
    window = FIRST_WINDOW
    while True:
        if not pending:
            roots = [_next_root_file(root, limits, number + 1) for number in range(window)]
            guess = yield from _guess_snapshot(root, ahead, limits)
            tickets = yield Ask((*roots, *guess))
            pending.extend(tickets[:window])
            if guess and guess[0].version is not None:
                ahead.snapshot = (guess[0].version, tickets[window])
            window = min(2 * window, LARGEST_WINDOW)
        data = yield Answer(pending.popleft())
        asked += 1
        if data is None:
            break
        if asked - begun > limits.root_rotations:
            raise LimitError("root_rotations", limits.root_rotations, f"root goes on past version {root.payload.version}")
        new = next_root(data, root, dialect)
        # What the old keys said is forgotten before the new root is kept: were we killed in between, the next run
        # would not see the rotation any more (5.3.11).
        if any(keys_were_taken(role, root.payload, new.payload) for role in (TIMESTAMP, SNAPSHOT)):
            yield Forget(TIMESTAMP)
            yield Forget(SNAPSHOT)
        yield Keep(ROOT, data, new.payload.version)
        root = new
    yield Drop(tuple(pending))
    return root


def _guess_snapshot(root: Verified[Root], ahead: _Ahead, limits: Limits) -> Steps[tuple[Fetch, ...]]:
    """Return the request for the snapshot that the unverified timestamp names; a lie costs its author nothing but bytes.

    Only a number of that timestamp is used, and only to choose a file's name; the answer is judged in its turn.
    """
    if ahead.timestamp is None or ahead.snapshot or not root.payload.consistent_snapshot:
        return ()
    ticket, ahead.timestamp = ahead.timestamp, None
    try:
        ahead.timestamp_bytes = yield Answer(ticket)
        version = msgspec.json.decode(ahead.timestamp_bytes or b"", type=_TimestampGuess).signed.meta["snapshot.json"].version
    except (TransportError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return ()
    return (Fetch(SNAPSHOT, version, limits.snapshot_bytes, optional=True),)


class _Version(msgspec.Struct):
    version: PositiveVersion


class _Meta(msgspec.Struct):
    meta: dict[str, _Version]


class _TimestampGuess(msgspec.Struct):
    signed: _Meta


def _timestamp(
    root: Verified[Root], held: Verified[Timestamp] | None, ahead: _Ahead, start: datetime, dialect: Dialect, limits: Limits, *, moved: bool
) -> Steps[Verified[Timestamp]]:
    """Return the newest timestamp (5.4); one that came before the root moved is asked for once more if it is no good."""
    offered: Verified[Timestamp] | None = None
    data = ahead.timestamp_bytes
    try:
        if ahead.timestamp is not None:
            data = yield Answer(ahead.timestamp)
        if data is not None:
            offered = next_timestamp(data, root, held, start, dialect)
    except (VerificationError, TransportError):
        if not moved:
            raise
    if offered is None:
        data = yield from fetch(Fetch(TIMESTAMP, None, limits.timestamp_bytes))
        assert data is not None  # noqa: S101  the driver raises for what is absent
        offered = next_timestamp(data, root, held, start, dialect)
    if offered is not held and data is not None:
        yield Keep(TIMESTAMP, data, offered.payload.version)
    return offered


def _snapshot(
    root: Verified[Root],
    timestamp: Verified[Timestamp],
    held: tuple[Verified[Snapshot], bytes] | None,
    ahead: _Ahead,
    start: datetime,
    dialect: Dialect,
    limits: Limits,
) -> Steps[Verified[Snapshot]]:
    """Return the snapshot that the timestamp names (5.5), from what was kept if that is the one."""
    meta = timestamp.payload.snapshot
    guessed = ahead.snapshot
    if held is not None and is_named(held[0], held[1], meta):
        yield Drop((guessed[1],) if guessed else ())
        require_fresh(held[0], start)
        return held[0]
    data: bytes | None = None
    if guessed and guessed[0] == meta.version:
        try:
            data = yield Answer(guessed[1])
        except TransportError:
            data = None
    elif guessed:
        yield Drop((guessed[1],))
    if data is None:
        data = yield from fetch(_file_of(SNAPSHOT, meta, root, limits.snapshot_bytes, "snapshot_bytes"))
    assert data is not None  # noqa: S101  the driver raises for what is absent
    snapshot = next_snapshot(data, root, timestamp, held[0] if held else None, start, dialect)
    yield Keep(SNAPSHOT, data, snapshot.payload.version)
    return snapshot


def targets_role(
    role: Role, meta: MetaFile, root: Verified[Root], start: datetime, dialect: Dialect, limits: Limits
) -> Steps[Verified[Targets]]:
    """Return a targets role, top-level or delegated, as the snapshot names it (5.6.1 to 5.6.6)."""
    held = yield from held_targets(role, meta, start, dialect)
    if held is not None:
        return held
    (ticket,) = yield Ask((targets_file(role.name, meta, root, limits),))
    return (yield from answered_targets(ticket, role, meta, start, dialect))


def held_targets(role: Role, meta: MetaFile, start: datetime, dialect: Dialect) -> Steps[Verified[Targets] | None]:
    """Return a targets role from what was kept, if that is what the snapshot names."""
    data = yield Load(role.name)
    if data is None:
        return None
    try:
        return next_targets(data, role, meta, start, dialect)
    except ExpiredError:
        raise  # It is the one that the snapshot names; asking for it again would bring the same.
    except VerificationError:
        return None


def targets_file(name: str, meta: MetaFile, root: Verified[Root], limits: Limits) -> Fetch:
    """Return the request for a targets role."""
    return _file_of(name, meta, root, limits.targets_bytes, "targets_bytes")


def answered_targets(ticket: int, role: Role, meta: MetaFile, start: datetime, dialect: Dialect) -> Steps[Verified[Targets]]:
    """Return a targets role that was asked for, and keep it."""
    data: bytes = yield Answer(ticket)
    targets = next_targets(data, role, meta, start, dialect)
    yield Keep(role.name, data, targets.payload.version)
    return targets


def is_named(document: Verified[T], data: bytes, meta: MetaFile) -> bool:
    """Return whether a document is the very one that a trusted document names."""
    try:
        require_bytes(document.role, data, meta)
    except VerificationError:
        return False
    return document.payload.version == meta.version


def _file_of(role: str, meta: MetaFile, root: Verified[Root], at_most: int, limit: str) -> Fetch:
    """Return the request for a file that a trusted document names; its name bears the version in a consistent snapshot."""
    length = meta.length or at_most
    if length > at_most:
        raise LimitError(limit, at_most, f"{role} is said to have {length} bytes")
    return Fetch(role, meta.version if root.payload.consistent_snapshot else None, length)
