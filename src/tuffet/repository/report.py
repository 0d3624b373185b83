"""Finding out how a repository is.

What is said of published documents was verified from the pinned root on. Key files are looked at, never unlocked.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from tuffet.errors import TuffetError
from tuffet.metadata.expiry import parse_time
from tuffet.metadata.keys import key_id
from tuffet.metadata.roles import Dated
from tuffet.names import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from tuffet.repository.key_files import key_path, read_key_file
from tuffet.repository.policy import BINS, KeyPolicy, Policy
from tuffet.repository.problems import find_problems
from tuffet.repository.renew import is_due, targets_roles
from tuffet.repository.staging import Change
from tuffet.repository.state import State
from tuffet.repository.status import KeyStatus, RoleStatus, Status
from tuffet.storage.disk import DISK, Disk


def make_status(
    directory: str | os.PathLike[str], policy: Policy, state: State, staged: Iterable[Change], now: datetime, disk: Disk = DISK
) -> Status:
    """Return the report; every bin is read for it."""
    keys = {name: _key_status(name, key_path(directory, key), key, disk) for name, key in policy.keys.items()}
    published: dict[str, tuple[int, str]] = {}
    targets = 0
    trusted = state.trusted
    published[ROOT] = _dates(trusted.root.payload)
    for name, payload in targets_roles(state):
        targets += len(payload.targets)
        role = name if name == TARGETS else BINS
        version, expires = published.get(role, (0, payload.expires))
        published[role] = max(version, payload.version), min(expires, payload.expires, key=parse_time)
    published[SNAPSHOT] = _dates(trusted.snapshot.payload)
    published[TIMESTAMP] = _dates(trusted.timestamp.payload)
    roles = tuple(_role_status(role, *dates, state, policy, keys, now) for role, dates in published.items())
    return Status(
        directory=os.fspath(directory),
        root_sha256=policy.repository.root_sha256,
        roles=roles,
        targets=targets,
        bins=state.bins.count if state.bins else None,
        staged=tuple(staged),
        problems=tuple(find_problems(policy, roles, keys.values(), state.bins)),
    )


def _dates(document: Dated) -> tuple[int, str]:
    return document.version, document.expires


def _role_status(
    name: str, version: int, expires: str, state: State, policy: Policy, keys: Mapping[str, KeyStatus], now: datetime
) -> RoleStatus:
    role = state.role(state.bins.bin_name(0) if name == BINS and state.bins else name)
    policed = policy.roles.get(name)
    named = tuple(keys[key] for key in policed.keys) if policed else ()
    return RoleStatus(
        role=name,
        version=version,
        expires=expires,
        left=parse_time(expires) - now,
        threshold=role.threshold,
        keyids=role.keyids,
        keys=named,
        due=policed is not None and is_due(expires, name, policy, now),
        signable=len({key.keyid for key in named if key.here} & set(role.keyids)) >= role.threshold,
    )


def _key_status(name: str, path: Path, key: KeyPolicy, disk: Disk) -> KeyStatus:
    if not path.exists():
        return KeyStatus(name, key.keyid, str(path), "absent")
    try:
        file = read_key_file(path, key, disk=disk)
    except TuffetError as error:
        return KeyStatus(name, key.keyid, str(path), "unusable", str(error))
    return KeyStatus(name, key_id(file.key), str(path), "encrypted" if file.encrypted else "unencrypted")
