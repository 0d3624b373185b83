"""The client's workflow, written once (specification 5.2 to 5.6): from a root that is believed to everything newest.

Documents are judged strictly in the order root, timestamp, snapshot, targets. Requests may run ahead of that, where
it costs nothing if they were in vain: the timestamp is asked for together with the next root, and once that root
exists, more roots in growing windows and the snapshot that the unverified timestamp names. What came ahead is judged
exactly as if it had been fetched in turn. Asked for once more in its turn is what could not be had ahead, and a timestamp
that is no good under a root that came after it.

Nothing is sent unless the root that the client holds verifies. Nothing is kept before it is believed; and what is believed
is kept while the next request is on its way, because a disk may take as long as a wire.
"""

from collections import deque
from datetime import datetime
from typing import Final

import msgspec

from tuffet.errors import LimitError, TransportError, TuffetError, VerificationError
from tuffet.metadata.envelope import Dialect, T
from tuffet.metadata.roles import PositiveVersion, Root, Snapshot, Timestamp
from tuffet.metadata.targets import Targets
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from tuffet.trust.checks import first_root, keys_were_taken, next_root, next_snapshot, next_timestamp, require_fresh
from tuffet.trust.named import answered_targets, held_targets, is_named, named_file, targets_file
from tuffet.trust.steps import Answer, Ask, Drop, Fetch, Forget, Keep, Limits, Load, Steps
from tuffet.trust.verify import Verified, role_of, verify

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


class _Run:
    """One update under way: its settings, what was asked for before its turn, and what is believed and not kept yet."""

    def __init__(self, start: datetime, dialect: Dialect, limits: Limits) -> None:
        self.start, self.dialect, self.limits = start, dialect, limits
        self.timestamp: int | None = None
        self.timestamp_bytes: bytes | None = None
        self.snapshot: tuple[int, int] | None = None
        """The version that was guessed, and its ticket."""
        self.unkept: deque[Keep | Forget] = deque()

    def ask(self, *fetches: Fetch) -> Steps[tuple[int, ...]]:
        """Send requests, and keep what is believed while they travel."""
        tickets: tuple[int, ...] = yield Ask(fetches)
        yield from self.settle()
        return tickets

    def settle(self) -> Steps[None]:
        """Keep and forget what is due, in order."""
        while self.unkept:
            yield self.unkept.popleft()


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

    Raises what the checks raise, and what the driver raises for files that cannot be had. What was believed until then is kept.
    """
    run = _Run(start, dialect, limits or Limits())
    try:
        trusted = yield from _refresh(run, pinned)
    except TuffetError:
        yield from run.settle()
        raise
    yield from run.settle()
    return trusted


def _refresh(run: _Run, pinned: bytes) -> Steps[Trusted]:
    root = yield from held_root(pinned, run.dialect)
    (ticket,) = yield from run.ask(_next_root_file(run, root))
    held = yield from _held(TIMESTAMP, Timestamp, root, run.dialect)
    (run.timestamp,) = yield from run.ask(Fetch(TIMESTAMP, None, run.limits.timestamp_bytes))
    held_snapshot = yield from _held(SNAPSHOT, Snapshot, root, run.dialect)

    newest = yield from _follow(run, root, ticket)
    require_fresh(newest, run.start)
    moved = newest is not root
    if moved:
        yield from run.settle()
        held = yield from _held(TIMESTAMP, Timestamp, newest, run.dialect)
        held_snapshot = yield from _held(SNAPSHOT, Snapshot, newest, run.dialect)
    timestamp = yield from _timestamp(run, newest, held and held[0], moved=moved)
    snapshot = yield from _snapshot(run, newest, timestamp, held_snapshot)
    targets = yield from _targets(run, newest, snapshot)
    return Trusted(newest, timestamp, snapshot, targets, run.start, run.dialect, run.limits)


def _next_root_file(run: _Run, root: Verified[Root], beyond: int = 1) -> Fetch:
    return Fetch(ROOT, root.payload.version + beyond, run.limits.root_bytes, optional=True)


def _held(name: str, kind: type[T], root: Verified[Root], dialect: Dialect) -> Steps[tuple[Verified[T], bytes] | None]:
    """Return what was kept of a top-level role if the root's keys vouch for it; it may be expired and still count."""
    data = yield Load(name)
    if data is None:
        return None
    try:
        return verify(dialect.parse(data, kind), role_of(root.payload, name)), data
    except VerificationError:
        return None


def _follow(run: _Run, root: Verified[Root], ticket: int) -> Steps[Verified[Root]]:
    """Follow the chain of roots to its newest link (5.3)."""
    allowed = run.limits.root_rotations
    last = root.payload.version + allowed
    pending = deque([ticket])
    window = FIRST_WINDOW
    while True:
        if not pending:
            roots = [_next_root_file(run, root, number + 1) for number in range(window)]
            guess = yield from _guess_snapshot(run, root)
            tickets = yield from run.ask(*roots, *guess)
            pending.extend(tickets[:window])
            if guess and guess[0].version is not None:
                run.snapshot = (guess[0].version, tickets[window])
            window = min(2 * window, LARGEST_WINDOW)
        data = yield Answer(pending.popleft())
        if data is None:
            break
        if root.payload.version >= last:
            raise LimitError("root_rotations", allowed, f"root goes on past version {root.payload.version}")
        new = next_root(data, root, run.dialect)
        # What the old keys said is forgotten before the new root is kept: were we killed in between, the next run
        # would not see the rotation any more (5.3.11).
        if any(keys_were_taken(role, root.payload, new.payload) for role in (TIMESTAMP, SNAPSHOT)):
            run.unkept += (Forget(TIMESTAMP), Forget(SNAPSHOT))
        run.unkept.append(Keep(ROOT, data, new.payload.version))
        root = new
    yield Drop(tuple(pending))
    return root


def _guess_snapshot(run: _Run, root: Verified[Root]) -> Steps[tuple[Fetch, ...]]:
    """Return the request for the snapshot that the unverified timestamp names; a lie costs its author nothing but bytes.

    Only a number of that timestamp is used, and only to choose a file's name; the answer is judged in its turn.
    """
    if run.timestamp is None or run.snapshot or not root.payload.consistent_snapshot:
        return ()
    ticket, run.timestamp = run.timestamp, None
    try:
        run.timestamp_bytes = yield Answer(ticket)
        version = msgspec.json.decode(run.timestamp_bytes or b"", type=_TimestampGuess).signed.meta["snapshot.json"].version
    except (TransportError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return ()
    return (Fetch(SNAPSHOT, version, run.limits.snapshot_bytes, optional=True),)


class _Version(msgspec.Struct):
    version: PositiveVersion


class _Meta(msgspec.Struct):
    meta: dict[str, _Version]


class _TimestampGuess(msgspec.Struct):
    signed: _Meta


def _timestamp(run: _Run, root: Verified[Root], held: Verified[Timestamp] | None, *, moved: bool) -> Steps[Verified[Timestamp]]:
    """Return the newest timestamp (5.4); one that came before the root moved is asked for once more if it is no good."""
    offered: Verified[Timestamp] | None = None
    data = run.timestamp_bytes
    try:
        if run.timestamp is not None:
            data = yield Answer(run.timestamp)
        if data is not None:
            offered = next_timestamp(data, root, held, run.start, run.dialect)
    except (VerificationError, TransportError):
        if not moved:
            raise
    if offered is None or data is None:
        (ticket,) = yield from run.ask(Fetch(TIMESTAMP, None, run.limits.timestamp_bytes))
        data = yield Answer(ticket)
        offered = next_timestamp(data, root, held, run.start, run.dialect)
    if offered is not held:
        run.unkept.append(Keep(TIMESTAMP, data, offered.payload.version))
    return offered


def _snapshot(
    run: _Run, root: Verified[Root], timestamp: Verified[Timestamp], held: tuple[Verified[Snapshot], bytes] | None
) -> Steps[Verified[Snapshot]]:
    """Return the snapshot that the timestamp names (5.5), from what was kept if that is the one."""
    meta = timestamp.payload.snapshot
    guessed = run.snapshot
    if held is not None and is_named(held[0], held[1], meta):
        yield Drop((guessed[1],) if guessed else ())
        require_fresh(held[0], run.start)
        return held[0]
    data: bytes | None = None
    if guessed and guessed[0] == meta.version:
        yield from run.settle()
        try:
            data = yield Answer(guessed[1])
        except TransportError:
            data = None
    elif guessed:
        yield Drop((guessed[1],))
    if data is None:
        (ticket,) = yield from run.ask(named_file(SNAPSHOT, meta, root, run.limits.snapshot_bytes, "snapshot_bytes"))
        data = yield Answer(ticket)
    snapshot = next_snapshot(data, root, timestamp, held[0] if held else None, run.start, run.dialect)
    run.unkept.append(Keep(SNAPSHOT, data, snapshot.payload.version))
    return snapshot


def _targets(run: _Run, root: Verified[Root], snapshot: Verified[Snapshot]) -> Steps[Verified[Targets]]:
    """Return the top-level targets role that the snapshot names (5.6.1 to 5.6.6)."""
    role, meta = role_of(root.payload, TARGETS), snapshot.payload.meta["targets.json"]
    held = yield from held_targets(role, meta, run.start, run.dialect)
    if held is not None:
        return held
    (ticket,) = yield from run.ask(targets_file(TARGETS, meta, root, run.limits))
    return (yield from answered_targets(ticket, role, meta, run.start, run.dialect))
