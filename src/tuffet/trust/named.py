"""Documents that a trusted document names: a snapshot by its timestamp, targets roles by their snapshot (specification 5.5, 5.6)."""

from datetime import datetime

from tuffet.errors import ExpiredError, LimitError, VerificationError
from tuffet.metadata.envelope import Dialect, T
from tuffet.metadata.roles import MetaFile, Root
from tuffet.metadata.targets import Targets
from tuffet.trust.checks import next_targets, require_bytes
from tuffet.trust.steps import Answer, Ask, Fetch, Keep, Limits, Load, Steps
from tuffet.trust.verify import Role, Verified


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


def answered_targets(ticket: int, role: Role, meta: MetaFile, start: datetime, dialect: Dialect) -> Steps[Verified[Targets]]:
    """Return a targets role that was asked for, and keep it."""
    data: bytes = yield Answer(ticket)
    targets = next_targets(data, role, meta, start, dialect)
    yield Keep(role.name, data, targets.payload.version)
    return targets


def targets_file(name: str, meta: MetaFile, root: Verified[Root], limits: Limits) -> Fetch:
    """Return the request for a targets role."""
    return named_file(name, meta, root, limits.targets_bytes, "targets_bytes")


def named_file(role: str, meta: MetaFile, root: Verified[Root], at_most: int, limit: str) -> Fetch:
    """Return the request for a file that a trusted document names; its name bears the version in a consistent snapshot."""
    length = meta.length or at_most
    if length > at_most:
        raise LimitError(limit, at_most, f"{role} is said to have {length} bytes")
    return Fetch(role, meta.version if root.payload.consistent_snapshot else None, length)


def is_named(document: Verified[T], data: bytes, meta: MetaFile) -> bool:
    """Return whether a document is the very one that a trusted document names."""
    try:
        require_bytes(document.role, data, meta)
    except VerificationError:
        return False
    return document.payload.version == meta.version
