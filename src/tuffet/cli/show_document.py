"""One document from a file, with the delegator that says whose signatures count: given, or found beside it."""

import os
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from tuffet.cli.examine import RoleSeen, examined, kind_of, parse_any, role_by
from tuffet.client.client import now
from tuffet.errors import FormatError, StorageError, TuffetError, UsageError
from tuffet.metadata.envelope import Envelope
from tuffet.metadata.roles import Root
from tuffet.names import ROOT, TARGETS
from tuffet.storage.disk import read_bounded
from tuffet.trust.steps import Limits
from tuffet.trust.verify import role_of

_FILE: Final = re.compile(r"(?:([1-9][0-9]{0,15})\.)?(.+)\.json", re.DOTALL)
_MOST_NEIGHBOURS: Final = 200


def look_at(path: str, by: str | None) -> RoleSeen:
    """Return how the document in a file looks."""
    envelope = _document(path)
    name = _role_name(path, envelope)
    file = os.path.basename(path)
    if by is not None:
        delegator = _document(by)
        role = role_by(delegator.payload, name)
        if role is None:
            raise UsageError(f"{by} does not delegate to {name!r}")
        return examined(envelope, now(), name=name, file=file, roles=(role,), by=os.path.basename(by))
    if name == ROOT:
        roles = [role_of(envelope.payload, ROOT)]
        before = _previous(path, envelope.payload)
        if before is not None:
            roles.append(role_of(before, ROOT))
        said = f"root {before.version} and itself" if before else "itself"
        return examined(envelope, now(), name=name, file=file, roles=tuple(roles), by=said)
    for neighbour, delegator in _neighbours(path):
        role = role_by(delegator.payload, name)
        if role is not None:
            return examined(envelope, now(), name=name, file=file, roles=(role,), by=neighbour)
    return examined(envelope, now(), name=name, file=file)


def _document(path: str) -> Envelope[Any]:
    try:
        return parse_any(_read(path))[0]
    except FormatError as error:
        raise FormatError(f"{path}: {error.where}", error.problem) from error


def _role_name(path: str, envelope: Envelope[Any]) -> str:
    """Return the role: what the document is, or for a delegated targets role what its file is called."""
    kind = kind_of(envelope.payload)
    found = _FILE.fullmatch(os.path.basename(path))
    return unquote(found[2]) if kind == TARGETS and found else kind


def _previous(path: str, root: Root) -> Root | None:
    before = os.path.join(os.path.dirname(path), f"{root.version - 1}.root.json")
    try:
        payload = parse_any(_read(before))[0].payload
    except TuffetError:
        return None
    return payload if isinstance(payload, Root) else None


def _neighbours(path: str) -> Iterator[tuple[str, Envelope[Any]]]:
    """Yield the documents beside this one that may say whose signatures count, newest first."""
    folder = os.path.dirname(path) or "."
    wanted = []
    for each in os.listdir(folder):
        found = _FILE.fullmatch(each)
        if found and each != os.path.basename(path):
            wanted.append((found[2] == ROOT, found[2] == TARGETS, int(found[1] or 0), each))
    for is_root, _, _, each in sorted(wanted, reverse=True)[:_MOST_NEIGHBOURS]:
        try:
            envelope, _ = parse_any(_read(os.path.join(folder, each)))
            if is_root or isinstance(envelope.payload, Root) or kind_of(envelope.payload) == TARGETS:
                yield each, envelope
        except TuffetError:
            continue


def _read(path: str) -> bytes:
    data = read_bounded(os.path.realpath(path), Limits().targets_bytes)
    if data is None:
        raise StorageError(path, "there is no such file")
    return data
