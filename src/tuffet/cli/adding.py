"""Files as somebody names them, and the targets that they shall become."""

import glob
import os
from collections.abc import Iterator, Sequence
from typing import Any

import click

from tuffet.errors import FormatError, UsageError
from tuffet.metadata.canonical import parse_json
from tuffet.repository import Addition, walk


def additions(files: Sequence[str], name: str | None, prefix: str, custom: str | None) -> list[Addition]:
    """Return what is to be added; UsageError where two files would get one name."""
    data = _custom(custom)
    files = _expanded(files)
    if name is not None and (len(files) != 1 or os.path.isdir(files[0])):
        raise click.UsageError("--as names a single file: give one file, or use --prefix")
    named: dict[str, str] = {}
    for path, file in _named(files, name, prefix):
        if path in named and not os.path.samefile(named[path], file):
            raise UsageError(f"{named[path]} and {file} would both become the target {path!r}: add them one by one with --as or --prefix")
        named[path] = file
    if not named:
        raise UsageError("there are no files to add: the directory is empty, or all that it holds is hidden")
    return [Addition(path, file, data) for path, file in named.items()]


def _expanded(files: Sequence[str]) -> list[str]:
    """Return the files that there are; on Windows no shell has replaced patterns by what they match."""
    found: list[str] = []
    for file in files:
        there = [file] if os.path.lexists(file) else glob.glob(file) if os.name == "nt" else []
        if not there:
            raise UsageError(f"there is no file or directory {file}")
        found += there
    return found


def _named(files: Sequence[str], name: str | None, prefix: str) -> Iterator[tuple[str, str]]:
    for file in files:
        if os.path.isdir(file):
            yield from ((path, str(each)) for path, each in walk(file, prefix))
        else:
            # A path of several parts means the same target on every system only by its last part.
            yield prefix + (os.path.basename(file) if name is None else name), file


def _custom(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value, _ = parse_json(text.encode("utf-8", "surrogateescape"))
    except FormatError as error:
        raise UsageError(f"--custom is no JSON as documents hold it: {error.problem}") from error
    if not isinstance(value, dict):
        raise UsageError('--custom must be a JSON object: \'{"channel": "beta"}\'')
    return value
